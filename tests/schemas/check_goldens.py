#!/usr/bin/env python3
"""Every record in the mappings' goldens against the schema of its entity, and each operation against the envelope. The
negative control: for each entity a record with an unknown field, and for some a broken value, must be refused.

    check_goldens.py
"""
import json
import sys
from pathlib import Path

import jsonschema

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "schemas" / "entities"
GOLDENS = ROOT / "mapping" / "library" / "goldens"
# What draft-07 knows and our schemas use: a keyword that a validator does not know is ignored without a word.
KEYWORDS = {"$schema", "$id", "$ref", "title", "description", "type", "properties", "required", "additionalProperties", "items",
            "enum", "pattern", "minLength", "allOf", "anyOf", "definitions"}
BROKEN = {
    "person": [{"sex": "F"}, {"birth_date": "17.05.1980"}, {"birth_date": "1980-13"}, {"names": [{"given": "Ada"}]},
               {"identifiers": [{"type": "local"}]}, {"names": [{"family": ""}]}, {"birth_date": None}],
    "encounter": [{"status": "arrived"}, {"start": "2024-05-01T25:00"}, {"kind": "AMB"}, {"kind": {"equivalence": "equal"}}],
    "condition": [{}, {"code": {"code": 7}}],
    "human_fact": [{}, {"kind": "perhaps"}],
    "case": [{}, {"state": "open"}],
    "organisation": [{}],
    "worker": [{"name": 7}],
    "involvement": [{"lead": "yes"}],
}


def keywords(schema):
    """The keywords of a schema and of those inside it."""
    yield from schema
    for below in list(schema.get("properties", {}).values()) + list(schema.get("definitions", {}).values()) + \
            schema.get("allOf", []) + schema.get("anyOf", []) + [schema[k] for k in ("items",) if k in schema]:
        yield from keywords(below)


def without_deletions(value):
    """A patch says null where it deletes a value; the record then has none."""
    if isinstance(value, dict):
        return {k: without_deletions(v) for k, v in value.items() if v is not None}
    return [without_deletions(v) for v in value] if isinstance(value, list) else value


def envelope(operation):
    """A golden line has the key and the version as text."""
    source, _, local_id = operation["key"].split("|", 2)
    kept = {k: v for k, v in operation.items() if k not in ("record", "how", "key", "version")}
    return {**kept, "key": {"source": source, "local_id": local_id}, "version": {"value": operation["version"]}}


def main():
    schemas = {f.stem: json.loads(f.read_text()) for f in sorted(FOLDER.glob("*.json"))}
    store = {s["$id"]: s for s in schemas.values()}
    problems = []
    for name, schema in schemas.items():
        jsonschema.Draft7Validator.check_schema(schema)
        problems += [f"{name}: keyword {k}" for k in set(keywords(schema)) - KEYWORDS]
        if not schema.get("description"):
            problems.append(f"{name}: no description")
    validators = {name: jsonschema.Draft7Validator(s, resolver=jsonschema.RefResolver(s["$id"], s, store))
                  for name, s in schemas.items()}
    records = operations = 0
    for file in sorted(GOLDENS.glob("**/*.expected.json")):
        for n, unit in enumerate(json.loads(file.read_text()), 1):
            for operation in unit.get("operations", []):
                where = f"{file.relative_to(GOLDENS)}, unit {n}, {operation['entity']}"
                # Presence of a quarantined row in a snapshot is no operation of a record.
                if operation["op"] == "presence":
                    continue
                operations += 1
                for e in validators["envelope"].iter_errors(envelope(operation)):
                    problems.append(f"{where}: envelope /{'/'.join(map(str, e.absolute_path))}: {e.validator}")
                if operation["op"] not in ("upsert", "patch"):
                    continue
                records += 1
                record = operation["record"]
                if operation["op"] == "patch":
                    record = without_deletions(record)
                for e in validators[operation["entity"]].iter_errors(record):
                    if not (operation["op"] == "patch" and e.validator == "required" and not e.absolute_path):
                        problems.append(f"{where}: /{'/'.join(map(str, e.absolute_path))}: {e.validator}")
    broken = 0
    for name, validator in validators.items():
        if name == "types":
            continue
        for record in BROKEN.get(name, []) + [{"no_such_field": "x"}]:
            broken += 1
            if validator.is_valid(record):
                problems.append(f"{name}: accepts a broken record: {json.dumps(record)}")
    if not records:
        problems.append("no golden record was found")
    print("\n".join(problems))
    print(f"{len(schemas)} schemas, {operations} operations, {records} records, {broken} broken ones, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
