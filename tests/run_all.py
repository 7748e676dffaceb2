#!/usr/bin/env python3
"""Everything `make test` and `.ci/run` run, with one closing line `N passed, M failed`. Exit 0 only when something ran and
nothing failed. Parts: release (build, ctest), accept (the black-box scripts), privacy (marked values stand nowhere in clear
text), powercut (what a power cut may leave is recovered), backup (and restore, also into the other kind of store), asan (clang,
sanitizers, ctest), fuzz (the fuzzers of that same build), simulation (the pipeline under faults of a seed, and its controls),
support (the real servers that tests start, and what needs them: tests/servers), faults (connections, processes and disks fail
under them: tests/faults), model (spin on tests/model), lint.

    run_all.py [--only PART,…]        default: all but lint

Environment: ACCEPT (names of the acceptance scripts that must hold), CI=true (their absence is a failure),
FORMAT_STRICT=1 (a file that clang-format would change is a failure), FUZZ_SECONDS (for each fuzzer; 5), JOBS.
"""
import argparse
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests/fuzz"))
from seeds import prepare  # noqa: E402

SHARED = ROOT.parent / "shared" / "accept"

# The acceptance scripts in their short form.
SCRIPTS = {
    "laws": ["laws.py", "100", "3", "3", "7"],
    "fold": ["fold.py", "1000"],
    "facts": ["facts.py", "200", "7"],
    "trace": ["trace.py", "60"],
    "nasty": ["nasty.py", "--formats", "json,ndjson,csv,hl7v2,xml"],
    "real": ["real.py", "spine"],
    "scaled": ["scaled.py", "100", "5", "3", "2"],
}
# Those that must hold now.
ACCEPT = "laws fold facts trace nasty real scaled"


class Count:
    def __init__(self):
        self.passed = self.failed = 0
        self.names = []

    def add(self, name, ok, seconds=None):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            self.names.append(name)
        took = f"  {seconds:.1f} s" if seconds is not None else ""
        print(f"[{'ok' if ok else 'FAILED'}] {name}{took}", flush=True)


def heading(text):
    print(f"\n== {text}", flush=True)


def run(*argv, **more):
    return subprocess.run([str(a) for a in argv], cwd=ROOT, **more).returncode


def build(preset, count):
    heading(f"build {preset}")
    jobs = ["-j", os.environ["JOBS"]] if os.environ.get("JOBS") else []
    start = time.monotonic()
    ok = run("cmake", "--preset", preset, "-Wno-dev", "--log-level=WARNING", stdout=subprocess.DEVNULL) == 0 and \
        run("cmake", "--build", f"build/{preset}", *jobs) == 0
    if not ok:
        count.add(f"build {preset}", False, time.monotonic() - start)
    return ok


def ctest(preset, count):
    """Each ctest case counts once. A run without cases, or without a report, is a failure."""
    heading(f"unit tests ({preset})")
    report = ROOT / "build" / preset / "ctest.xml"
    report.unlink(missing_ok=True)
    code = run("ctest", "--test-dir", f"build/{preset}", "--output-on-failure", "--no-tests=error", "--output-junit", report)
    cases = list(ET.parse(report).getroot().iter("testcase")) if report.exists() else []
    skipped = [c.get("name") for c in cases if c.find("skipped") is not None]
    failed = [c.get("name") for c in cases
              if c.get("name") not in skipped and (c.get("status") != "run" or c.find("failure") is not None)]
    for name in skipped:
        print(f"skipped: {name}, its data is not beside this project (with CI=true this is a failure)")
    count.passed += len(cases) - len(failed) - len(skipped)
    count.failed += len(failed)
    count.names += [f"{preset}: {name}" for name in failed]
    if not cases or (code != 0 and not failed):
        count.add(f"ctest {preset} (exit {code}, {len(cases)} cases)", False)


def accept(count):
    names = os.environ.get("ACCEPT", ACCEPT).replace(",", " ").split()
    heading("acceptance from outside: " + " ".join(names))
    if not SHARED.is_dir():
        if os.environ.get("CI") == "true":
            count.add("acceptance scripts (../shared/accept is missing)", False)
        else:
            print("skipped: ../shared/accept is not beside this project (with CI=true this is a failure)")
        return
    for name in names:
        if name not in SCRIPTS:
            count.add(f"acceptance {name} (no such script; known: {' '.join(SCRIPTS)})", False)
            continue
        script, *arguments = SCRIPTS[name]
        heading(" ".join([script, *arguments]))
        start = time.monotonic()
        code = run(sys.executable, SHARED / script, *arguments)
        count.add(f"acceptance {name}", code == 0, time.monotonic() - start)


def support(count, built):
    """Kafka and PostgreSQL as the tests start them, and the program against them."""
    for kind in ("kafka", "postgres"):
        heading(f"servers for tests: {kind}")
        start = time.monotonic()
        code = run(sys.executable, "tests/support/self_test.py", kind)
        count.add(f"support {kind}", code == 0, time.monotonic() - start)
    for part in ("unit", "stopped") if built else ():
        heading(f"against the real servers: {part}")
        start = time.monotonic()
        code = run(sys.executable, "tests/servers/run.py", "build/release", part)
        count.add(f"servers {part}", code == 0, time.monotonic() - start)


# Part → heading and script with its arguments; each counts once.
MODEL = ("models: each law within its bounds, and what breaks it", ["tests/model/run.py"])
BUILT = {
    "simulation": ("simulation: 1,000 schedules, every law after each, and the controls", ["tests/simulation/run.py", "build/release"]),
    "privacy": ("privacy: marked values from feeds to files and messages", ["tests/privacy/privacy_test.py", "build/release/porta"]),
    "peers": ("beside fhirpath.js, a tenth of the expressions", ["tests/peers/peers_test.py", "build/release/porta"]),
    "race": ("threads under helgrind, the short form", ["tests/race/race_test.py", "build/release/porta"]),
    "powercut": ("power cuts: ten states of a recorded run", ["tests/powercut/powercut_test.py", "build/release/porta"]),
    "backup": ("backup and restore: embedded, PostgreSQL beside Kafka, from each into the other",
               ["tests/backup/backup_test.py", "build/release/porta", "--servers"]),
    "faults": ("faults on the real servers, the short form", ["tests/faults/run.py", "build/release/porta", "--short"]),
}
PARTS = ["model", "release", "accept", *BUILT, "asan", "fuzz", "support"]


def script(name, title, argv, count):
    heading(title)
    start = time.monotonic()
    code = run(sys.executable, *argv)
    count.add(name, code == 0, time.monotonic() - start)


def fuzz(count):
    """Each fuzzer of the clang build for FUZZ_SECONDS, from the goldens' inputs and from what earlier runs kept."""
    seconds = os.environ.get("FUZZ_SECONDS", "5")
    fuzzers = sorted(f for f in (ROOT / "build/asan/tests/fuzz").glob("*_fuzz") if os.access(f, os.X_OK))
    heading(f"fuzzers, {seconds} s each: {' '.join(f.name for f in fuzzers)}")
    if not fuzzers:
        count.add("fuzz (no fuzzer was built)", False)
    for fuzzer in fuzzers:
        corpus, finds = ROOT / "build/fuzz-corpus" / fuzzer.name, ROOT / "build/fuzz-finds"
        for folder in (corpus, finds):
            folder.mkdir(parents=True, exist_ok=True)
        seeds, options = prepare(fuzzer.name, corpus)
        start = time.monotonic()
        limits = [f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=10", "-print_final_stats=1", *options]
        r = subprocess.run([fuzzer, *limits, f"-artifact_prefix={finds}/{fuzzer.name}-", corpus, *seeds], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = r.stdout.decode("utf-8", "replace").splitlines()
        if r.returncode != 0:
            print("\n".join(said[-40:]))
        print("  " + next((x for x in said if "number_of_executed_units" in x), "no figure"))
        count.add(f"fuzz {fuzzer.name}", r.returncode == 0, time.monotonic() - start)


def tracked(*patterns):
    names = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "--", *patterns], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    return [n for n in names.decode().split("\0") if n and (ROOT / n).exists()]


def lint(count):
    heading("structure")
    count.add("structure", run(sys.executable, "tests/structure/check_structure.py") == 0)
    heading("format (clang-format 14)")
    files = tracked("*.cpp", "*.h")
    differ = [f for f in files if run("clang-format-14", "--dry-run", "-Werror", f, stderr=subprocess.DEVNULL) != 0]
    for f in differ:
        print(f"  {f}")
    print(f"{len(differ)} of {len(files)} files differ; `make format` changes them")
    if os.environ.get("FORMAT_STRICT", "0") == "1":
        count.add("format", bool(files) and not differ)
    elif differ:
        print("not counted: FORMAT_STRICT=0")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default=",".join(PARTS))
    parts = parser.parse_args().only.split(",")
    unknown = set(parts) - {*PARTS, "lint"}
    if unknown:
        parser.error(f"no such part: {' '.join(sorted(unknown))}")
    count = Count()
    if "lint" in parts:
        lint(count)
    if "model" in parts:
        script("model", *MODEL, count)
    if {"release", "accept", "support", *BUILT} & set(parts):
        built = build("release", count)
        if "support" in parts:
            support(count, built)
        if built and "release" in parts:
            ctest("release", count)
        if built and "accept" in parts:
            accept(count)
        for name in BUILT if built else ():
            if name in parts:
                script(name, *BUILT[name], count)
    if {"asan", "fuzz"} & set(parts) and build("asan", count):
        if "asan" in parts:
            ctest("asan", count)
        if "fuzz" in parts:
            fuzz(count)
    if count.names:
        heading("failed")
        for name in count.names:
            print(f"  {name}")
    print(f"\n{count.passed} passed, {count.failed} failed", flush=True)
    return 0 if count.passed > 0 and count.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
