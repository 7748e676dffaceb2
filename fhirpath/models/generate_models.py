#!/usr/bin/env python3
"""FHIR's element types as the tables that fhirpath/model.cpp includes.

    generate_models.py PACKAGE     writes fhir_r4.inc and fhir_r5.inc beside this script

PACKAGE is the unpacked npm package `fhirpath` (made from HL7's definitions; the version stands in each table): its folders
fhir-context/r4 and r5. The facts are HL7's (FHIR, CC0); the package's licence is kept in LICENSE.txt.

One line a type, `name parent`; below it, indented, its own elements: `name type` with `*` when it repeats, `name[x] a|b` for a choice.
An element with parts of its own has its path as type.
"""
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


# Elements that HL7's definitions type as FHIRPath's String; the FHIR type stands in an extension that the package leaves out.
PLAIN = {"Resource.id": "id", "Element.id": "string", "Extension.url": "uri", "Location.position.id": "string"}


def code(entry):
    return entry["code"] if isinstance(entry, dict) else entry


def table(package, release, version):
    def load(name):
        return json.loads((package / "fhir-context" / release / f"{name}.json").read_text())

    types, elsewhere, choices = load("path2Type"), load("pathsDefinedElsewhere"), load("choiceTypePaths")
    parents, repeating = load("type2Parent"), set(load("path2Repeating"))
    lower = {t[0].upper() + t[1:]: t for t in set(parents) | {"base64Binary", "boolean"} if t[0].islower()}
    known = {}  # type → (parent, {element: text})

    def inherited(type_, element):
        parent = known_parent(type_)
        return parent is not None and (f"{parent}.{element}" in types or inherited(parent, element))

    def known_parent(type_):
        if type_ in parents:
            return parents[type_]
        return code(types[type_]) if "." in type_ and type_ in types else None

    def put(owner, element, text):
        known.setdefault(owner, (known_parent(owner), {}))[1][element] = text

    # `valueQuantity` of the choice `value` stands in the choice alone.
    single = {f"{path}{kind[0].upper()}{kind[1:]}" for path, kinds in choices.items() for kind in kinds}
    for path, entry in types.items():
        owner, _, element = path.rpartition(".")
        if path.startswith("MetadataResource."):  # an interface: each resource has these elements itself
            continue
        if not owner or path in single or inherited(owner, element):
            continue
        type_ = PLAIN.get(path, code(entry))
        parts = any(p.startswith(path + ".") for p in (path + ".id", path + ".extension") if p in types)
        if type_ in ("BackboneElement", "Element") and parts:
            type_ = path
            known.setdefault(path, (code(entry), {}))
        put(owner, element, type_ + (" *" if path in repeating else ""))
    for path, target in elsewhere.items():
        owner, _, element = path.rpartition(".")
        put(owner, element, target + (" *" if path in repeating or target in repeating else ""))
    for path, kinds in choices.items():
        owner, _, element = path.rpartition(".")
        put(owner, element + "[x]", "|".join(lower.get(k, k) for k in kinds) + (" *" if path in repeating else ""))
    for type_ in parents:
        known.setdefault(type_, (parents[type_], {}))
    for type_, parent in list(parents.items()):
        known.setdefault(parent, (None, {}))

    out = [f"// Made by generate_models.py from the npm package fhirpath {version}, fhir-context/{release}: FHIR {release.upper()}'s types and elements."]
    out.append('R"MODEL(')
    for type_ in sorted(known):
        parent, elements = known[type_]
        out.append(f"{type_} {parent or '-'}")
        out += [f" {e} {elements[e]}" for e in sorted(elements)]
    out.append(')MODEL"')
    (HERE / f"fhir_{release}.inc").write_text("\n".join(out) + "\n")
    return len(known), sum(len(e) for _, e in known.values())


def main():
    package = Path(sys.argv[1])
    version = json.loads((package / "package.json").read_text())["version"]
    for release in ("r4", "r5"):
        print(release, *table(package, release, version))
    licence = (package / "LICENSE.md").read_text()
    (HERE / "LICENSE.txt").write_text(f"The tables fhir_r4.inc and fhir_r5.inc were made from the npm package fhirpath {version}:\n\n{licence}")


if __name__ == "__main__":
    main()
