#!/usr/bin/env python3
"""HL7's FHIRPath suite through `porta fhirpath suite`: no fewer tests may hold than FLOOR, and the counts must add up.

    fhirpath_suite.py PORTA        exit 0 holds, 1 does not, 77 skipped

The suite is not part of the project: it comes from FHIR/fhir-test-cases (tests-fhir-r4 with its inputs) and lies in
../shared/data/fhirpath beside the project, or below $PORTA_DATA. With CI=true its absence is a failure.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

FLOOR = 450  # of 460: what was reached, rounded down to tens
BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data"
DATA = Path(os.environ.get("PORTA_DATA", BESIDE)) / "fhirpath"


def main():
    suite = DATA / "tests-fhir-r4.groups.xml"
    if not suite.is_file():
        print("../shared/data/fhirpath (from FHIR/fhir-test-cases) is not beside this project")
        return 1 if os.environ.get("CI") == "true" else 77
    run = subprocess.run([sys.argv[1], "fhirpath", "suite", suite, "--inputs", DATA / "inputs-r4"], stdout=subprocess.PIPE)
    print(run.stdout.decode())
    last = re.fullmatch(r"(\d+) passed, (\d+) failed", run.stdout.decode().rstrip("\n").split("\n")[-1])
    if not last:
        print(f"no closing line; exit {run.returncode}")
        return 1
    passed, failed = map(int, last.groups())
    told = len(re.findall(r"^\S+/\S+: ", run.stdout.decode(), re.MULTILINE))
    problems = []
    if passed < FLOOR:
        problems.append(f"{passed} hold, at least {FLOOR} must")
    if failed != told:
        problems.append(f"{failed} failed, {told} listed")
    if (run.returncode == 0) != (failed == 0):
        problems.append(f"exit {run.returncode} with {failed} failed")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
