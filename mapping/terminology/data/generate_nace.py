#!/usr/bin/env python3
"""Divisions, groups and classes of NACE Rev. 2.1 with their titles, from the PyPI package naceconverter (MIT; licence beside this).

    pip download --no-deps naceconverter==1.0.1
    generate_nace.py naceconverter-1.0.1-py3-none-any.whl    writes nace_2_1_titles.inc

The package's levels 1 to 4 are NACE's; its fifth is national and left out.
"""
import csv
import io
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
COUNTS = {"1": 22, "2": 87, "3": 287, "4": 651}  # Delegated Regulation (EU) 2023/137


def main():
    with zipfile.ZipFile(sys.argv[1]) as package:
        text = package.read("naceconverter/nacecodes.csv").decode("utf-8-sig")
        licence = next(n for n in package.namelist() if n.endswith("/LICENSE"))
        (HERE / "LICENSE-naceconverter.txt").write_bytes(package.read(licence))
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    for level, count in COUNTS.items():
        found = sum(r["level"] == level for r in rows)
        assert found == count, f"level {level}: {found} codes, {count} expected"
    # An apostrophe that the package has lost.
    titles = sorted((r["code"], r["name"].strip().replace("builders? ", "builders' ")) for r in rows if r["level"] in "234")
    lines = ["// Made by generate_nace.py from naceconverter 1.0.1: divisions, groups and classes of NACE Rev. 2.1."]
    for code, title in titles:
        quoted = title.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'{{"{code}", "{quoted}"}},')
    (HERE / "nace_2_1_titles.inc").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
