#!/usr/bin/env python3
"""The simulation under test: no schedule breaks a law; each program that breaks one on purpose is found out, by a check that is
about that law; and a seed repeats its schedule exactly.

    run.py BUILD [--schedules N] [--jobs N]
"""
import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

MOST = 2000  # schedules within which a control must be found
# Control: what its finding must say.
CONTROLS = {
    "position_before_effect": r"law 1|never acknowledged",
    "outbox_skipped": r"not quiet|delivery|law 3",
    "decided_by_arrival": r"law 3",
    "fence_ignored": r"law [13]|identity|delivery|does not come to rest",
    "clock_in_mapping": r"law [23]",
    "outcome_twice": r"law 1",
    "snapshot_early": r"snapshot|law 1|law 3",
    "unmerge_forgets": r"identity",
}


def simulate(program, *arguments):
    start = time.monotonic()
    r = subprocess.run([str(program), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
    return r.returncode, r.stdout, r.stderr, time.monotonic() - start


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--jobs", default="2")
    a = parser.parse_args()
    build, failures = Path(a.build).resolve(), 0
    if subprocess.run(["cmake", "--build", build, "--target", "sim_controls"], stdout=subprocess.DEVNULL).returncode:
        print("FAILED: the controls do not build")
        return 1

    code, out, err, took = simulate(build / "porta", "sim", "--seeds", f"0..{a.schedules - 1}", "--jobs", a.jobs, "--shrink")
    said = f"{a.schedules} schedules, 0 failed"
    if code != 0 or said not in out:
        failures += 1
        print(f"FAILED: exit {code}\n{out}{err}")
    print(f"{said if said in out else 'not all held'}  {took:.1f} s", flush=True)

    for name, law in CONTROLS.items():
        program = build / "tests/simulation" / f"sim_{name}"
        code, out, err, took = simulate(program, "--seeds", f"0..{MOST - 1}", "--jobs", a.jobs)
        found = re.search(r"^seed (\d+): (.*)$", out, re.M)
        ran = re.search(r"^(\d+) schedules, ", out, re.M)
        if code != 1 or not found or not re.search(law, found.group(2)):
            failures += 1
            print(f"FAILED: control {name} was not found out (exit {code}): {out[-500:]}{err[-500:]}", flush=True)
            continue
        print(f"{name}: found after {ran.group(1)} schedules, {took:.1f} s: {found.group(2)[:100]}", flush=True)
        if name != "clock_in_mapping":  # a real clock does not repeat
            seeds = f"{found.group(1)}..{found.group(1)}"
            first, second = simulate(program, "--seeds", seeds), simulate(program, "--seeds", seeds)
            if first[:2] != second[:2] or found.group(0) not in first[1]:
                failures += 1
                print(f"FAILED: seed {found.group(1)} does not repeat itself")
    # What breaks by a fault does not break without: `--faults` leaves them out, and names what it does not know.
    program = build / "tests/simulation/sim_position_before_effect"
    code, out, err, took = simulate(program, "--seeds", "0..63", "--faults", "none", "--jobs", a.jobs)
    unknown = simulate(program, "--seeds", "0..0", "--faults", "crsh")
    if (code, unknown[0]) != (0, 78) or "64 schedules, 0 failed" not in out:
        failures += 1
        print(f"FAILED: --faults none (exit {code}), --faults crsh (exit {unknown[0]}): {out[-300:]}{err[-300:]}")
    print(f"simulation: {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
