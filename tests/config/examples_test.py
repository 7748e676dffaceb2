#!/usr/bin/env python3
"""config/examples is what people copy from: it loads as it stands, every source publishes all of its small file, every kind of
format that porta reads has an example, and a wrong key in a copy is refused with its place. examples_test.py PORTA"""
import base64
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "config/examples"
failures = []


def check(holds, what, detail=""):
    print(("  ok   " if holds else "  FAIL ") + what + (f"  [{detail}]" if detail else ""))
    if not holds:
        failures.append(what)


def main():
    binary = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory(prefix="porta-examples-") as directory:
        root = Path(directory)
        config = root / "config/examples"           # its own relative paths lead to root/build
        shutil.copytree(EXAMPLES, config)

        def porta(*args):
            return subprocess.run([binary, *args, "-c", str(config)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

        r = porta("ingest")
        check(r.returncode == 0, "the examples load and ingest", r.stderr.decode(errors="replace")[-200:])
        sources = json.loads(r.stdout)["sources"] if r.returncode == 0 else []
        short = [s["source"] for s in sources if not s["received"] or s["published"] != s["received"]]
        files = sorted(p.stem for p in (EXAMPLES / "sources").glob("*.yaml"))
        check(files and [s["source"] for s in sources] == files and not short, "every source publishes its file", str(short or files))

        usage = subprocess.run([binary, "read", "--help"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode()
        known = set(re.search(r"^Formats: ([a-z0-9 ]+)\.", usage, re.MULTILINE)[1].split())
        text = {p.name: p.read_text(encoding="utf-8") for p in (EXAMPLES / "sources").glob("*.yaml")}
        shown = {re.search(r"format: \{kind: (\w+)", t)[1] for t in text.values()}
        check(shown == known, "every format that is read has an example", f"{sorted(known ^ shown) or sorted(shown)}")

        views = subprocess.run([binary, "view", "export", "-c", str(config), "--as", "bruno", "--purpose", "activation"], stdout=subprocess.PIPE)
        lines = [json.loads(x) for x in views.stdout.splitlines()]
        check(lines and not any("conditions" in v or "encounters" in v for v in lines), "the narrow purpose shows no health data", f"{len(lines)} views")

        # A value of a document in base64 is traced to the characters of OBX-5 that its bits are in.
        feed = (config / "feeds/reports/oru_20240318.hl7").read_text()
        value = re.search(r"Base64\^([A-Za-z0-9+/=]+)", feed)
        traces = subprocess.run([binary, "audit", "trace", "--all", "-c", str(config), "--as", "anna", "--purpose", "care-coordination"], stdout=subprocess.PIPE)
        inside = [t for t in map(json.loads, traces.stdout.splitlines()) if t["pointer"].endswith("/code") and t.get("record") == "reports|condition|F-1"]
        places = []
        for span in (t["sources"][0]["span"] for t in inside):
            first, last = (span[0] - value.start(1)) // 4 * 4, -(-(span[1] - value.start(1)) // 4) * 4
            places.append(base64.b64decode(value[1][first:last]).decode())
            check(feed[span[0]:span[1]] == bytes.fromhex(inside[0]["sources"][0]["bytes"]).decode(), "the bytes that are told stand in the feed")
        check(places and all("E11" in p and len(p) < 10 for p in places), "a value inside of a report leads to its base64", str(places))

        for name, old, new in (("hospital.yaml", "feed: delta", "feeed: delta"), ("register.yaml", 'object_time: {', 'object_tim: {'),
                               ("contacts.yaml", "no_data_means:", "# no_data_means:")):
            path = config / "sources" / name
            good = path.read_text()
            path.write_text(good.replace(old, new, 1))
            r = porta("account", "--json")
            check(r.returncode == 78 and f"{name}:".encode() in r.stderr, f"control: {name} with `{new}` is refused with its place", r.stderr.decode().strip()[-120:])
            path.write_text(good)
    print(f"examples: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
