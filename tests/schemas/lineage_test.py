#!/usr/bin/env python3
"""`porta map lineage` and `porta map explain` over every mapping of the library.

    lineage_test.py PORTA        exit 0 holds, 1 does not, 77 skipped

Each OpenLineage event is valid against the published schemas, and says the same as the lines of `--json`. What `explain`
calls a field's DIRECT source in a golden is one of the mapping's DIRECT sources of that field; its spans are the bytes that
it prints. Negative control: an event without its job, and one with a facet that lacks its fields, are refused.

The schemas are not part of the project: they come from OpenLineage/OpenLineage (spec, Apache-2.0) and lie in
../shared/data/lineage/openlineage beside the project, or below $PORTA_DATA. With CI=true their absence is a failure.
"""
import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import referencing

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "mapping" / "library"
DATA = Path(os.environ.get("PORTA_DATA", ROOT.parent / "shared" / "data")) / "lineage" / "openlineage"


def validators():
    schemas = [json.loads(p.read_text()) for p in [DATA / "OpenLineage.json", *(DATA / "facets").glob("*.json")]]
    registry = referencing.Registry().with_resources(
        (s["$id"], referencing.Resource.from_contents(s)) for s in schemas)
    checker = jsonschema.FormatChecker()
    make = lambda ref: jsonschema.Draft202012Validator({"$ref": ref}, registry=registry, format_checker=checker)
    return make("https://openlineage.io/spec/2-0-2/OpenLineage.json"), \
        make("https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json")


def porta(*arguments):
    done = subprocess.run([sys.argv[1], *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise SystemExit(f"porta {' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stderr.decode()}")
    return done.stdout.decode()


def triples(event):
    """(entity, field, source, type, subtype) of an event."""
    for output in event["outputs"]:
        for field, entry in output["facets"]["columnLineage"]["fields"].items():
            for source in entry["inputFields"]:
                for t in source["transformations"]:
                    yield output["name"], field, source["field"], t["type"], t["subtype"]


def within(found, known):
    """An HL7 v2 component may be the field itself, and a path may end above its leaves."""
    return any(found == k or found.startswith(k + ".") or k.startswith(found + ".") for k in known)


def explained(mapping, lines, problems):
    direct = {}
    for line in lines:
        key = line["entity"], line["path"]
        direct.setdefault(key, set()).update(s["path"] for s in line["sources"] if s["type"] == "DIRECT")
    fields = 0
    for golden in sorted((LIBRARY / "goldens" / mapping.stem).iterdir()):
        if golden.name.endswith(".expected.json"):
            continue
        raw = golden.read_bytes()
        for record in map(json.loads, porta("map", "explain", mapping, golden, "--json").splitlines()):
            for f in record["fields"]:
                fields += 1
                path = re.sub(r"/\d+(?=/|$)", "", f["path"])
                for s in f["sources"]:
                    start = record["offset"] + s["span"][0]
                    if raw[start:record["offset"] + s["span"][1]].hex() != s["bytes"]:
                        problems.append(f"{golden.name}: {f['path']}: the span of {s['path']} holds other bytes")
                    plain = re.sub(r"\[\d+\]", "", s["path"])
                    if s["type"] == "DIRECT" and not within(plain, direct[f["record"].split("|")[1], path]):
                        problems.append(f"{golden.name}: {f['path']}: {plain} is no DIRECT source by the rules")
    return fields


def main():
    if not (DATA / "OpenLineage.json").is_file():
        print("../shared/data/lineage/openlineage (from OpenLineage/OpenLineage) is not beside this project")
        return 1 if os.environ.get("CI") == "true" else 77
    event_schema, facet_schema = validators()
    problems, events, sources, fields = [], 0, 0, 0
    for mapping in sorted(LIBRARY.glob("*.yaml")):
        event = json.loads(porta("map", "lineage", mapping, "--openlineage", "--event-time", "2024-05-01T00:00:00Z"))
        for error in event_schema.iter_errors(event):
            problems.append(f"{mapping.name}: {error.json_path}: {error.message[:200]}")
        for output in event["outputs"]:
            for error in facet_schema.iter_errors(output["facets"]):
                problems.append(f"{mapping.name}: {output['name']}: {error.json_path}: {error.message[:200]}")
        lines = [json.loads(line) for line in porta("map", "lineage", mapping, "--json").splitlines()]
        told = {(l["entity"], l["path"], s["path"], s["type"], s["subtype"]) for l in lines for s in l["sources"]}
        if told != set(triples(event)):
            problems.append(f"{mapping.name}: the event and the lines differ")
        events += 1
        sources += len(told)
        fields += explained(mapping, lines, problems)
        jobless, fieldless = copy.deepcopy(event), copy.deepcopy(event)
        del jobless["job"]
        del fieldless["outputs"][0]["facets"]["columnLineage"]["fields"]
        if event_schema.is_valid(jobless) or facet_schema.is_valid(fieldless["outputs"][0]["facets"]):
            problems.append(f"{mapping.name}: a broken event is valid")
    print(f"{events} events, {sources} sources, {fields} explained fields, {len(problems)} problems")
    print("\n".join(problems[:20]))
    return 1 if problems or events < 7 or fields < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
