#!/usr/bin/env python3
"""Porta beside others at the same work: where the answers differ, differences.txt says who follows the specification, and why.

    peers_test.py PORTA [SHARE]      SHARE of the expressions, 0.1 in CI; `make test-peers` takes all

fhirpath.js (npm) evaluates some 4,000 expressions over one Patient, and so does `porta fhirpath eval`. A difference that the file does not list
fails the test, and so does a listed one that is none.
"""
import json
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import expressions

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PLACE = ROOT / "build/peers"
DIFFERENCES = HERE / "differences.txt"


def install():
    PLACE.mkdir(parents=True, exist_ok=True)
    for file in ("package.json", "fhirpath.js"):
        shutil.copy(HERE / file, PLACE)
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=PLACE, check=True)


def theirs(file, asked):
    r = subprocess.run(["node", PLACE / "fhirpath.js", file], input=json.dumps(asked), text=True, stdout=subprocess.PIPE, check=True)
    return json.loads(r.stdout)


def ours(porta, file, asked):
    def one(expression):
        r = subprocess.run([porta, "fhirpath", "eval", expression, file], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return r.stdout.splitlines() if r.returncode == 0 else None

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, asked))


def plain(text):
    """Without what only says the kind: quotes, `@`, zeros at the end of a number or of its amount."""
    text = text.strip().removeprefix("@")
    if len(text) > 1 and text[0] == text[-1] == "'":
        text = text[1:-1].replace("\\'", "'")
    text = re.sub(r"^T(?=\d)", "", text)
    number, unit = re.fullmatch(r"(-?\d+(?:\.\d+)?(?:e-?\d+)?)( .*)?", text, re.S).groups() if re.match(r"-?\d+(\.\d+)?(e-?\d+)?( |$)", text) else (None, None)
    return text if number is None else f"{float(number):.8g}{unit or ''}"


def same(a, b):
    return a is None and b is None or (a is not None and b is not None and [plain(x) for x in a] == [plain(x) for x in b])


def known():
    """The expressions of differences.txt; a reason stands above each group."""
    return {line[4:] for line in DIFFERENCES.read_text(encoding="utf-8").splitlines() if line.startswith("    ")}


def main():
    porta, share = Path(sys.argv[1]).resolve(), float(sys.argv[2]) if len(sys.argv) > 2 else 0.1
    install()
    asked = expressions.expressions()[:: max(1, round(1 / share))]
    with tempfile.TemporaryDirectory(prefix="porta-peers-") as directory:
        file = Path(directory) / "patient.json"
        file.write_text(expressions.patient(), encoding="utf-8")
        a, b = theirs(file, asked), ours(porta, file, asked)
    answers = sum(x is not None and y is not None and len(x) > 0 for x, y in zip(a, b))
    differ = {e for e, x, y in zip(asked, a, b) if not same(x, y)}
    listed = known() & set(asked)
    for e in sorted(differ - listed):
        at = asked.index(e)
        print(f"  FAIL {e}: fhirpath.js {a[at]}, porta {b[at]}")
    for e in sorted(listed - differ):
        print(f"  FAIL listed, and no difference: {e}")
    good = differ == listed and answers > len(asked) / 3
    print(f"peers: {len(asked)} expressions, {answers} with values from both, {len(differ)} differ, {len(differ - listed)} unexplained")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
