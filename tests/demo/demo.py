#!/usr/bin/env python3
"""The story of `make demo`: three hundred invented people from feeds to one traced view, with the commands that a user would
type. demo.py PORTA"""
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

PEOPLE, SEED = "300", "7"


class Demo:
    def __init__(self, porta, root):
        self.porta, self.root = porta, root
        self.where = ["-c", str(root / "municipality/config"), "--state", str(root / "state")]

    def __call__(self, *args, ok=(0,), show=True, where=True):
        """Prints the command as a user types it, runs it and returns stdout."""
        if show:
            print("$ porta " + " ".join(args).replace(str(self.root), "$DIR") + (" …" if where else ""), flush=True)
        r = subprocess.run([self.porta, *args, *(self.where if where else [])], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if r.returncode not in ok:
            sys.exit(f"demo: porta {args[0]} ended with {r.returncode}\n{r.stderr.decode('utf-8', 'replace')[-800:]}")
        return r.stdout


def heading(text):
    print(f"\n── {text} " + "─" * max(0, 96 - len(text)), flush=True)


def lines(out):
    return [json.loads(x) for x in out.decode("utf-8").splitlines() if x.strip()]


def table(head, rows):
    rows = [[str(x) for x in r] for r in [head, *rows]]
    widths = [max(len(r[c]) for r in rows) for c in range(len(head))]
    for r in rows:
        print("  " + "  ".join(x.ljust(w) if c == 0 else x.rjust(w) for c, (x, w) in enumerate(zip(r, widths))))


def leaf(value, pointer=""):
    """The first text below a value, as (pointer, text)."""
    if isinstance(value, (dict, list)):
        for k, v in (value.items() if isinstance(value, dict) else enumerate(value)):
            found = leaf(v, f"{pointer}/{str(k).replace('~', '~0').replace('/', '~1')}")
            if found:
                return found
        return None
    return (pointer, value) if isinstance(value, str) and value else None


def invent(porta):
    heading(f"An invented municipality of {PEOPLE} people")
    porta("synth", "--people", PEOPLE, "--seed", SEED, "--out", str(porta.root / "municipality"), where=False)
    for source in sorted((porta.root / "municipality/feeds").iterdir()):
        files = [f for f in source.rglob("*") if f.is_file()]
        print(f"  {source.name:28} {len(files):3} files, {sum(f.stat().st_size for f in files) // 1024 + 1:6} KiB")


def account(porta):
    heading("The account: every raw record has exactly one outcome")
    acc = json.loads(porta("account", "--json"))
    columns = ["received", "published", "quarantined", "skipped", "pending"]
    rows = [[s["source"], s["objects"], *[s[c] for c in columns]] for s in acc["sources"]]
    total = [sum(s[c] for s in acc["sources"]) for c in ["objects", *columns]]
    table(["source", "objects", *columns], rows + [["together", *total]])
    print("  received = published + quarantined + skipped + pending:", "yes" if acc["balanced"] else "NO")
    if not acc["balanced"] or total[1] == 0:
        sys.exit("demo: the account does not balance")


def quarantine(porta):
    heading("The quarantine: what could not be mapped, where, and why")
    entries = lines(porta("quarantine", "list", "--json"))
    count = Counter((e["code"], e.get("rule", ""), e["source"]) for e in entries)
    table(["code", "rule", "source", "raw records"], [[*k, n] for k, n in sorted(count.items(), key=lambda x: (-x[1], x[0]))])
    if entries:
        print(f"  for example {entries[0]['raw']}: {entries[0]['message']}")
    print("  After a fix of the mapping or at the source: porta quarantine replay")


def view(porta):
    heading("One person's view: what the team sees for one purpose")
    views = lines(porta("view", "export"))
    chosen = max(views, key=lambda v: (len({i["source"] for i in v["involved"]}), len(v.get("timeline", [])), -views.index(v)))
    print(f"  {len(views)} persons have a view; this is the one with most offices involved\n")
    for line in porta("view", "show", str(chosen["person"]), "--format", "text").decode("utf-8").splitlines()[:70]:
        print("  " + line)
    return chosen


def trace(porta, chosen):
    heading("Where does a value come from? From the view back to the bytes")
    pointer = "/identity/birth_date"
    if not (isinstance(chosen["identity"].get("birth_date"), str) and chosen["identity"]["birth_date"]):
        pointer = leaf(chosen["identity"], "/identity")[0]
    t = lines(porta("audit", "trace", str(chosen["person"]), pointer))[0]
    rule = t.get("rule") or {}
    print(f"  value    {t['value']}  ({t['how']})")
    print(f"  rule     {rule.get('name', '-')}, {rule.get('file', '-')}:{rule.get('line', '-')}")
    for s in t.get("sources", []):
        start, end = s["span"]
        print(f"  bytes    raw record {s['raw']}, {start} to {end}: {s['bytes']} = {s['decoded']!r}")
    if t.get("sources") and not t["sources"][0].get("layers"):
        s = t["sources"][0]
        raw = porta("raw", "show", str(s["raw"]))
        start, end = s["span"]
        same = raw[start:end].hex() == s["bytes"].lower()
        print("  those bytes of the raw record are the ones named above:", "yes" if same else "NO")
        if not same:
            sys.exit("demo: the trace names other bytes")


def proofs(porta):
    heading("Was the decision log altered? Does everything follow from the raw bytes?")
    print("  " + porta("audit", "verify").decode("utf-8").strip()[-200:])
    r = json.loads(porta("audit", "replay", "--all", "--json"))
    print(f"  mapped again from the raw bytes: {r['compared']} compared, {r['equal']} equal, {len(r['different'])} different")


def main():
    os.environ.setdefault("PORTA_AS", "acceptance")
    os.environ.setdefault("PORTA_PURPOSE", "verification")
    with tempfile.TemporaryDirectory(prefix="porta-demo-") as directory:
        porta = Demo(str(Path(sys.argv[1]).resolve()), Path(directory))
        invent(porta)
        heading("Ingest: every file of every source")
        porta("ingest")
        account(porta)
        quarantine(porta)
        trace(porta, view(porta))
        proofs(porta)
    heading("Where to look next")
    print("  README.md                a five-minute tour that keeps its directory, command by command\n"
          "  docs/ARCHITECTURE.md     one message from its bytes to a view, function by function\n"
          "  mapping/library/         the mappings that did this; a new register is one more file\n")


if __name__ == "__main__":
    main()
