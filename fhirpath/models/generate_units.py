#!/usr/bin/env python3
"""UCUM's units as the table that fhirpath/ucum.cpp includes.

    generate_units.py ucum-essence.xml VERSION     writes ucum.inc beside this script

ucum-essence.xml lies in the Maven package org.fhir:ucum (BSD-3-Clause), VERSION is that package's. UCUM's own licence, under
which the table may be used, is named in LICENSE-ucum.txt.

A row: code, takes prefixes, special (not on a ratio scale), numerator, denominator and power of ten of the factor to the base
units, exponents of metre, second, gram, radian, kelvin, coulomb, candela. Factors are exact, but for those made of pi, which are
rounded to 28 digits.
"""
import re
import sys
import xml.etree.ElementTree as ET
from fractions import Fraction
from pathlib import Path

HERE = Path(__file__).resolve().parent
NS = "{http://unitsofmeasure.org/ucum-essence}"
BASE = ["m", "s", "g", "rad", "K", "C", "cd"]
LARGEST = 10**28


def main():
    root = ET.parse(sys.argv[1]).getroot()
    prefixes = {p.get("Code"): Fraction(p.find(NS + "value").get("value")) for p in root.findall(NS + "prefix")}
    units = {u.get("Code"): u for u in root.findall(NS + "unit")}
    known = {code: (Fraction(1), tuple(int(i == k) for i in range(7))) for k, code in enumerate(BASE)}

    def power(unit, n):
        return unit[0] ** n, tuple(d * n for d in unit[1])

    def times(a, b):
        return a[0] * b[0], tuple(x + y for x, y in zip(a[1], b[1]))

    def atom(text):
        if re.fullmatch(r"\d+", text):
            return Fraction(text), (0,) * 7
        if text in BASE or text in units:
            return resolve(text)
        for prefix, factor in prefixes.items():
            rest = text[len(prefix):]
            if text.startswith(prefix) and (rest in BASE or (rest in units and units[rest].get("isMetric") == "yes")):
                return times((factor, (0,) * 7), resolve(rest))
        raise ValueError(f"no unit: {text}")

    def component(text):
        if text in BASE or text in units:
            return resolve(text)
        found = re.fullmatch(r"(.*?)([+-]?\d+)", text)
        if found and found[1]:
            return power(atom(found[1]), int(found[2]))
        return atom(text)

    def expression(text):
        parts, depth, start = [], 0, 0
        for i, c in enumerate(text):
            depth += (c in "([{") - (c in ")]}")
            if c in "./" and depth == 0:
                parts += [text[start:i], c]
                start = i + 1
        parts.append(text[start:])
        result, sign = (Fraction(1), (0,) * 7), 1
        for part in parts:
            if part in ("/", "."):
                sign = -1 if part == "/" else 1
            elif part:
                inner = expression(part[1:-1]) if part.startswith("(") else component(part)
                result = times(result, power(inner, sign))
        return result

    def resolve(code):
        if code not in known:
            value = units[code].find(NS + "value")
            if units[code].get("isSpecial") == "yes":  # no factor leads to it
                known[code] = (Fraction(1), (0,) * 7)
            else:
                known[code] = times((Fraction(value.get("value") or "1"), (0,) * 7), expression(value.get("Unit")))
        return known[code]

    def row(code, metric, special):
        factor, dimensions = resolve(code)
        n, d, e = factor.numerator, factor.denominator, 0
        for prime in (2, 5):  # a denominator of twos and fives is a power of ten
            while d % prime == 0:
                d //= prime
                n *= 10 // prime
                e -= 1
        while n % 10 == 0:
            n //= 10
            e += 1
        while n >= LARGEST:
            n, e = (n + 5) // 10, e + 1
        if d >= LARGEST:  # divided by pi
            e = 0
            while factor < LARGEST // 10:
                factor, e = factor * 10, e - 1
            n, d = round(factor), 1
        text = code.replace("\\", "\\\\").replace('"', '\\"')
        return f'{{"{text}", {str(metric).lower()}, {str(special).lower()}, "{n}", "{d}", {e}, {{{", ".join(map(str, dimensions))}}}}},'

    rows = [(code, row(code, True, False)) for code in BASE]
    rows += [(code, row(code, u.get("isMetric") == "yes", u.get("isSpecial") == "yes")) for code, u in units.items()]
    head = f"// Made by generate_units.py from the Maven package org.fhir:ucum {sys.argv[2]}, UCUM {root.get('version')} of {root.get('revision-date')}."
    # Sorted by bytes: found by halves.
    (HERE / "ucum.inc").write_text("\n".join([head] + [r for _, r in sorted(rows, key=lambda r: r[0].encode())]) + "\n")
    print(len(rows), "units,", len(prefixes), "prefixes")


if __name__ == "__main__":
    main()
