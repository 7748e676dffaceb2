#!/usr/bin/env python3
"""Faults on the real servers. One line for each run, and a last one that counts.

    run.py PORTA [--seeds 20] [--first 1] [--only SCENARIO,…]
    run.py PORTA --short        what the CI has time for

Negative controls (controls.py) run once. Scenarios that take rights which we do not have say that they were skipped.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from bed import Bed  # noqa: E402
import controls  # noqa: E402
import disk  # noqa: E402
import marked  # noqa: E402
import strikes  # noqa: E402
from run_of import LIMIT, FallsShort  # noqa: E402

CONTROLS = {"control-" + name: strikes.Scenario(f) for name, f in controls.CONTROLS.items()}
SCENARIOS = {**CONTROLS, **strikes.SCENARIOS, **disk.SCENARIOS, **marked.SCENARIOS}
# Two of each seed, in the CI: a lost answer, a broker away, a resolver that comes back, a disk without room.
SHORT = {"store-cut": 2, "broker-away": 2, "resolver-stop": 2, "full-store": 2, "marked": 1, "control-another-view": 1}


def in_own_mounts():
    """Starts this program again where its mounts are its own, if it may: they end with the last process of it."""
    if os.geteuid() != 0 or os.environ.get("PORTA_FAULTS_MOUNTS"):
        return
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode == 0:
        os.environ["PORTA_FAULTS_MOUNTS"] = "own"
        os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, *sys.argv])


def one(bed, name, seed):
    """Whether it holds, or None when it was skipped; prints the line that says so."""
    said, run, seconds = "", None, 0.0
    try:
        scenario = SCENARIOS[name]
        if name in disk.SCENARIOS and not bed.may_mount:
            print(f"skipped     {name:<16} seed {seed:<3} a small disk takes the rights of root")
            return None
        with scenario.kind(bed, name, seed, scenario.names, scenario.before) as run:
            scenario.strike(run)
            if name not in CONTROLS:
                run.check()
            seconds = run.seconds()
            if seconds > LIMIT:
                raise FallsShort(f"it took longer than {LIMIT:.0f} s")
    except (FallsShort, AssertionError) as e:
        said = str(e)
    seconds = seconds or (run.seconds() if run and run.readied else 0.0)
    memory = max(run.peaks.values(), default=0) if run else 0
    what = "; ".join([", ".join(run.struck) if run else "", *(run.notes if run else []), f"{memory:.0f} MiB"])
    if not run:
        print(f"FALLS SHORT {name:<16} seed {seed:<3} it did not begin  {said}", flush=True)
        return False
    print(f"{'holds      ' if not said else 'FALLS SHORT'} {name:<16} seed {seed:<3} {seconds:5.1f} s (ready {run.readied:.1f}, quiet {run.rested:.1f})  {what}{'  ' if said else ''}{said}", flush=True)
    if said and run:
        print(run.roles.said())
    return not said


def main():
    sys.setswitchinterval(0.0005)
    parser = argparse.ArgumentParser()
    parser.add_argument("porta")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    names = [n for n in options.only.split(",") if n] or list(SCENARIOS)
    if set(names) - set(SCENARIOS):
        parser.error(f"the scenarios are {' '.join(SCENARIOS)}")
    times = SHORT if options.short else {n: 1 if n in CONTROLS else options.seeds for n in names}
    in_own_mounts()
    start, held, skipped, short = time.monotonic(), 0, 0, []
    with tempfile.TemporaryDirectory(prefix="porta-faults-") as directory, Bed(options.porta, directory) as bed:
        print(f"servers ready in {time.monotonic() - start:.1f} s", flush=True)
        for name, count in times.items():
            for seed in range(options.first, options.first + count):
                holds = one(bed, name, seed)
                if holds:
                    held += 1
                elif holds is None:
                    skipped += 1
                else:
                    short.append(f"{name}:{seed}")
    print(f"faults: {held} hold, {skipped} skipped, {len(short)} fall short {' '.join(short)} in {time.monotonic() - start:.0f} s")
    # Where everything must run, what was skipped is missing.
    return 1 if short or not held or (skipped and os.environ.get("CI") == "true") else 0


if __name__ == "__main__":
    sys.exit(main())
