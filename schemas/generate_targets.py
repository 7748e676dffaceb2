#!/usr/bin/env python3
"""The fields that a mapping can fill, from schemas/entities, as the table that mapping/engine/targets.cpp includes.

    generate_targets.py           writes mapping/engine/target_fields.inc
    generate_targets.py --check   exit 1 when it is not what the schemas say
"""
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TABLE = HERE.parent / "mapping" / "engine" / "target_fields.inc"
# The table's order, which messages follow. Organisations, workers and cases have a schema and no mapping yet; the
# envelope is made by the engine.
ENTITIES = ["person", "encounter", "condition", "job_seeking", "employment", "placement", "involvement", "human_fact"]
TYPES = {"text": "text", "date": "date", "instant": "instant", "coded": "coded"}


def fields(schema, path):
    """(path, type, codes) of every leaf; N stands for a place in a list, as in the path of a value."""
    while "allOf" in schema:  # a reference with a description
        schema = schema["allOf"][0]
    if "$ref" in schema:
        yield path, TYPES[schema["$ref"].rsplit("/", 1)[1]], ""
    elif schema["type"] == "object":
        for name, below in schema["properties"].items():
            yield from fields(below, f"{path}/{name}" if path else name)
    elif schema["type"] == "array":
        yield from fields(schema["items"], path + "/N")
    else:
        kind = {"string": "text", "boolean": "boolean"}[schema["type"]]
        yield path, kind, "|".join(schema.get("enum", []))


def required(schema, path):
    """The paths that must be there when what holds them is."""
    if schema.get("type") == "array":
        yield from required(schema["items"], path + "/N")
    for name in schema.get("required", []):
        yield f"{path}/{name}" if path else name
    for name, below in schema.get("properties", {}).items():
        yield from required(below, f"{path}/{name}" if path else name)


def table():
    lines = ["// Made by schemas/generate_targets.py from schemas/entities; a test compares. Included by targets.cpp."]
    for entity in ENTITIES:
        schema = json.loads((HERE / "entities" / f"{entity}.json").read_text())
        must = set(required(schema, ""))
        lines += [f'{{"{entity}", "{path}", Target::{kind}, "{codes}", {"true" if path in must else "false"}}},'
                  for path, kind, codes in fields(schema, "")]
    return "\n".join(lines) + "\n"


def main():
    if sys.argv[1:] == ["--check"]:
        if TABLE.read_text() == table():
            return 0
        print(f"{TABLE.name} is not what schemas/entities says; run schemas/generate_targets.py")
        return 1
    TABLE.write_text(table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
