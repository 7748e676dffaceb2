#!/usr/bin/env python3
"""How many lines the fuzzers reach, by clang's source coverage in a build of its own. Prints each file and each group's total;
fails where a group, or a file that is not excused, is below the floor.

    coverage.py [GROUP…]       FUZZ_SECONDS for each fuzzer (20)
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from seeds import ROOT, prepare

FLOOR = 80
BUILD = ROOT / "build/coverage"
# Group → its fuzzers, its files, and those that its fuzzers reach in part only, with the reason.
GROUPS = {
    "formats": (["json", "ndjson", "csv", "fixed", "hl7v2", "edifact", "xml", "transport", "within"], ["formats/*.cpp"],
                {"formats/format.cpp": "wrong configurations are the mapping's", "formats/detect.cpp": "for `porta map new` alone"}),
    "fhirpath": (["fhirpath"], [f"fhirpath/{name}.cpp" for name in ("lexer", "parser", "check", "shape", "prepare", "reads", "expression")], {}),
    "mapping": (["mapping"], ["mapping/engine/loader*.cpp", "mapping/engine/check.cpp", "mapping/engine/models*.cpp", "mapping/engine/golden_file.cpp"],
                {"mapping/engine/golden_file.cpp": "comparing is no loading"}),
}


def run(*argv, **more):
    return subprocess.run([str(a) for a in argv], cwd=ROOT, check=True, **more)


def fuzz(name, profile):
    corpus = ROOT / "build/fuzz-corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    seeds, options = prepare(name, corpus)
    seconds = os.environ.get("FUZZ_SECONDS", "20")
    r = subprocess.run([BUILD / "tests/fuzz" / name, f"-max_total_time={seconds}", "-timeout=30", f"-artifact_prefix={ROOT}/build/fuzz-finds/{name}-",
                        *options, corpus, *seeds], cwd=ROOT, env={**os.environ, "LLVM_PROFILE_FILE": str(profile)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if r.returncode != 0:
        sys.exit(f"{name} ended with {r.returncode}: its input is in build/fuzz-finds; `make fuzz` says more")


def line(name, covered, count):
    return f"{name:40} {covered:5} of {count:5} lines  {100 * covered / count:5.1f} %"


def measure(group):
    names, patterns, excused = GROUPS[group]
    names = [f"{name}_fuzz" for name in names]
    run("cmake", "--build", BUILD, "--target", *names, stdout=subprocess.DEVNULL)
    files = sorted(path for pattern in patterns for path in ROOT.glob(pattern))
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            fuzz(name, Path(folder) / f"{name}.profraw")
        merged = Path(folder) / "merged.profdata"
        run("llvm-profdata-14", "merge", "-o", merged, *sorted(Path(folder).glob("*.profraw")))
        objects = [x for name in names[1:] for x in ("-object", BUILD / "tests/fuzz" / name)]
        told = run("llvm-cov-14", "export", "-summary-only", f"-instr-profile={merged}", BUILD / "tests/fuzz" / names[0], *objects,
                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    reached = {Path(f["filename"]).resolve(): f["summary"]["lines"] for f in json.loads(told.stdout)["data"][0]["files"]}
    below, covered, count = [], 0, 0
    for path in files:
        if path not in reached and str(path.relative_to(ROOT)) in excused:
            continue
        name, lines = str(path.relative_to(ROOT)), reached.get(path, {"covered": 0, "count": 1})
        covered, count = covered + lines["covered"], count + lines["count"]
        low = lines["covered"] * 100 < lines["count"] * FLOOR
        if low and name not in excused:
            below.append(name)
        print(f"  {line(name, lines['covered'], lines['count'])}" + (f"  ({excused[name]})" if low and name in excused else ""))
    print(line(group, covered, count), flush=True)
    return below + ([group] if covered * 100 < count * FLOOR else [])


def main():
    (ROOT / "build/fuzz-finds").mkdir(parents=True, exist_ok=True)
    run("cmake", "--preset", "coverage", "-Wno-dev", "--log-level=WARNING", stdout=subprocess.DEVNULL)
    below = [name for group in sys.argv[1:] or GROUPS for name in measure(group)]
    if below:
        print(f"below {FLOOR} %: {', '.join(below)}")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
