#!/usr/bin/env python3
"""HL7's suites of FHIRPath for R4 and R5 through the program: every test holds, those that ask a terminology server are told
apart, the report and the counts add up.

    fhirpath_suite.py PORTA        exit 0 holds, 1 does not, 77 skipped

The suites are not part of the project: they come from FHIR/fhir-test-cases (tests-fhir-r4 and r5 with their inputs) and lie in
../shared/data/fhirpath beside the project, or below $PORTA_DATA. With CI=true their absence is a failure.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# Tests that are themselves wrong, each with the paragraph of the specification that says so: {"group/name": "why"}.
WRONG = {}
BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data"
DATA = Path(os.environ.get("PORTA_DATA", BESIDE)) / "fhirpath"


def problems_of(porta, release):
    suite = DATA / f"tests-fhir-{release}.groups.xml"
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "test_report.json"
        run = subprocess.run([porta, "fhirpath", "suite", suite, "--inputs", DATA / f"inputs-{release}", "--report", report],
                             stdout=subprocess.PIPE)
        told = run.stdout.decode()
        results = json.loads(report.read_text())[suite.name]["tests"] if report.is_file() else []
    print(told)
    last = re.fullmatch(r"(\d+) passed, (\d+) failed", told.rstrip("\n").split("\n")[-1])
    if not last:
        return [f"{release}: no closing line; exit {run.returncode}"]
    passed, failed = map(int, last.groups())
    text = suite.read_text(encoding="utf-8")
    tests = len(re.findall(r"<test\s", re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)))
    asked = len(re.findall(r": left out, it asks a terminology server$", told, re.MULTILINE))
    bad = [f"{release}: {name} fails" for name in re.findall(r"^(\S+/\S+): (?!left out)", told, re.MULTILINE) if name not in WRONG]
    if passed + failed + asked != tests:
        bad.append(f"{release}: {passed} + {failed} + {asked} of {tests} tests")
    if sorted([sum(t["result"]["passed"] for t in results), len(results)]) != sorted([passed, passed + failed]):
        bad.append(f"{release}: the report counts other tests than the closing line")
    if (run.returncode == 0) != (failed == 0):
        bad.append(f"{release}: exit {run.returncode} with {failed} failed")
    return bad


# What the tests of %terminologies ask (FHIR R4: AdministrativeGender, and the map of AddressUse to HL7 table 0190).
TABLES = [
    {"resourceType": "ValueSet", "url": "http://hl7.org/fhir/ValueSet/administrative-gender",
     "compose": {"include": [{"system": "http://hl7.org/fhir/administrative-gender", "concept": [{"code": c} for c in ("male", "female", "other", "unknown")]}]}},
    {"resourceType": "ConceptMap", "url": "http://hl7.org/fhir/ConceptMap/cm-address-use-v2",
     "group": [{"source": "http://hl7.org/fhir/address-use", "target": "http://terminology.hl7.org/CodeSystem/v2-0190",
                "element": [{"code": "home", "target": [{"code": "H", "equivalence": "equivalent"}]}]}]},
]


def problems_with_tables(porta):
    """With tables for them, the tests that ask a terminology server hold, too."""
    suite = DATA / "tests-fhir-r5.groups.xml"
    with tempfile.TemporaryDirectory() as folder:
        options = []
        for i, table in enumerate(TABLES):
            file = Path(folder) / f"{i}.json"
            file.write_text(json.dumps(table))
            options += ["--terms", file]
        told = subprocess.run([porta, "fhirpath", "suite", suite, "--inputs", DATA / "inputs-r5", *options], stdout=subprocess.PIPE).stdout.decode()
    bad = [f"r5 with tables: {line}" for line in told.splitlines() if line.startswith("TerminologyTests/")]
    return bad if " passed, " in told and "left out" not in told else bad + ["r5 with tables: some are left out"]


def main():
    if not (DATA / "tests-fhir-r4.groups.xml").is_file():
        print("../shared/data/fhirpath (from FHIR/fhir-test-cases) is not beside this project")
        return 1 if os.environ.get("CI") == "true" else 77
    bad = [p for release in ("r4", "r5") for p in problems_of(sys.argv[1], release)]
    bad += problems_with_tables(sys.argv[1])
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
