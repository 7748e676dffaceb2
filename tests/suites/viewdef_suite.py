#!/usr/bin/env python3
"""Tests of SQL on FHIR v2 through `porta viewdef`: our own (tests/suites/viewdef) and those of the specification; all hold, the
counts and the report add up. `porta viewdef run` gives the same rows.

    viewdef_suite.py PORTA        exit 0 holds, 1 does not, 77 the specification's are missing and ours hold

The specification's tests come from FHIR/sql-on-fhir-v2 and lie in ../shared/data/fhirpath/sql-on-fhir-v2 beside the project, or
below $PORTA_DATA. With CI=true their absence is a failure.
"""
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
BESIDE = HERE.parents[1].parent / "shared" / "data"
OFFICIAL = Path(os.environ.get("PORTA_DATA", BESIDE)) / "fhirpath" / "sql-on-fhir-v2"


def suite(porta, folder):
    tests = sum(len(json.loads(f.read_text())["tests"]) for f in folder.glob("*.json"))
    with tempfile.TemporaryDirectory() as t:
        report = Path(t) / "test_report.json"
        run = subprocess.run([porta, "viewdef", "suite", folder, "--report", report], stdout=subprocess.PIPE)
        told = run.stdout.decode()
        print(told)
        results = [r["result"]["passed"] for f in json.loads(report.read_text()).values() for r in f["tests"]]
    bad = [] if told.rstrip().split("\n")[-1] == f"{tests} passed, 0 failed" else [f"{folder.name}: not all of {tests} hold"]
    if results != [True] * tests:
        bad.append(f"{folder.name}: the report has {sum(results)} of {len(results)}")
    return bad + ([f"{folder.name}: exit {run.returncode}"] if run.returncode else [])


def rows(porta):
    """A Bundle, the same resources as lines, both forms of output."""
    people = [{"resourceType": "Patient", "id": f"p{i}", "name": [{"family": f"F{i}", "given": ["A", "B, C"]}]} for i in range(3)]
    view = {"resource": "Patient", "select": [{"column": [{"name": "id", "path": "id"}]},
                                              {"forEach": "name.given", "column": [{"name": "g", "path": "$this"}]}]}
    bad = []
    with tempfile.TemporaryDirectory() as t:
        folder = Path(t)
        (folder / "view.json").write_text(json.dumps(view))
        (folder / "b.json").write_text(json.dumps({"resourceType": "Bundle", "entry": [{"resource": p} for p in people]}))
        (folder / "p.ndjson").write_text("\n".join(map(json.dumps, people)) + "\n")
        expected = [{"id": p["id"], "g": g} for p in people for g in p["name"][0]["given"]]
        for file in ("b.json", "p.ndjson"):
            lines = subprocess.run([porta, "viewdef", "run", folder / "view.json", folder / file, "--format", "ndjson"], stdout=subprocess.PIPE).stdout
            table = subprocess.run([porta, "viewdef", "run", folder / "view.json", folder / file], stdout=subprocess.PIPE).stdout.decode()
            if [json.loads(line) for line in lines.splitlines()] != expected:
                bad.append(f"{file}: other rows as ndjson")
            if list(csv.DictReader(io.StringIO(table, newline=""))) != expected:
                bad.append(f"{file}: other rows as csv")
    return bad


def main():
    porta, missing = sys.argv[1], not OFFICIAL.is_dir()
    bad = suite(porta, HERE / "viewdef") + rows(porta)
    if missing:
        print("../shared/data/fhirpath/sql-on-fhir-v2 (from FHIR/sql-on-fhir-v2) is not beside this project")
        bad += ["the specification's tests are missing"] if os.environ.get("CI") == "true" else []
    else:
        bad += suite(porta, OFFICIAL)
    print("\n".join(bad))
    return 1 if bad else 77 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
