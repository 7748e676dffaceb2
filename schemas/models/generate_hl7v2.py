#!/usr/bin/env python3
"""Segments, fields, data types and message structures of HL7 v2 as the tables that mapping/engine checks paths against.

    pip install hl7apy==1.3.5
    generate_hl7v2.py           writes hl7v2_<version>.inc beside this file

Source:  HL7 v2.3.1, 2.5.1 and 2.8 as the package hl7apy 1.3.5 (PyPI, MIT, CRS4) carries them. Names and structures are
         facts of the standard.
Shape:   one line each:  type CX ST ID …        the components' types in their order
                         segment PID SI CX* …   the fields' types; `*` repeats, `!` required, `-` withdrawn
                         message ADT_A01 MSH! NK1* …   the segments; `*` may stand several times
"""
import importlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
VERSIONS = ["2.3.1", "2.5.1", "2.8"]


def mark(least, most):
    return ("!" if least else "") + ("*" if most != 1 else "")


def number(name):
    return int(name.rsplit("_", 1)[1])


def row(children):
    """Types by position: what the package leaves out was withdrawn."""
    by_number = {number(c[0]): (c[1][2] or "varies") + mark(*c[2]) for c in children}
    return [by_number.get(i, "-") for i in range(1, max(by_number, default=0) + 1)]


def segments_of(structure, repeated, found):
    """Segment -> (required, several): a segment of a repeated group may stand several times."""
    for name, below, (least, most), kind in structure[1]:
        many = repeated or most != 1
        if kind == "GRP":
            segments_of(below, many, found)
        else:
            required, several = found.get(name, (False, False))
            found[name] = (required or (least > 0 and not repeated), several or many or name in found)


def table(version):
    package = "hl7apy.v" + version.replace(".", "_")
    load = lambda part: importlib.import_module(f"{package}.{part}")
    lines = []
    for name, structure in sorted(load("datatypes").DATATYPES_STRUCTS.items()):
        lines.append(f"type {name} " + " ".join(t.rstrip("*!") or "-" for t in row(structure)))
    for name, structure in sorted(load("segments").SEGMENTS.items()):
        if len(name) != 3 or name in ("HXX", "ZXX"):  # stand for any segment
            continue
        lines.append(f"segment {name} " + " ".join(row(structure[1])))
    for name, structure in sorted(load("messages").MESSAGES.items()):
        found = {}
        segments_of(structure, False, found)
        marks = (s + ("!" if must else "") + ("*" if many else "") for s, (must, many) in found.items())
        lines.append(f"message {name} " + " ".join(marks))
    return [" ".join(line.split()) for line in lines]


def main():
    for version in VERSIONS:
        lines = table(version)
        path = HERE / f"hl7v2_{version.replace('.', '_')}.inc"
        path.write_text("// Made by generate_hl7v2.py from hl7apy 1.3.5 (MIT): facts of HL7 v" + version + ".\n" +
                        "".join(f'"{line}\\n"\n' for line in lines))
        print(path.name, len(lines), "lines")


if __name__ == "__main__":
    main()
