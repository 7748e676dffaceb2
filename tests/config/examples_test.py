#!/usr/bin/env python3
"""config/examples is what people copy from: it loads as it stands, every source publishes all of its small file, every kind of
format that porta reads has an example, and a wrong key in a copy is refused with its place. examples_test.py PORTA"""
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
