#!/usr/bin/env python3
"""No personal value outside of its place: marked values are planted in every feed, everything is run, also what goes wrong, and
none of them may stand in clear text in the state, in messages, in temporary files or beside the place of work.

    privacy_test.py [PORTA]        default: build/release/porta; the last line counts
Negative controls: the same scanner finds each marker in the feeds, and in leaks made on purpose.
"""
import base64
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from privacy.plant import KINDS, Town  # noqa: E402
from privacy.scanner import Scanner  # noqa: E402
from privacy.service import embedded, scaled_out  # noqa: E402

# What these commands print is about the gateway, not about people: their stdout is scanned too.
SILENT = ("ingest", "backup", "account", "status", "quarantine list", "quarantine show", "quarantine replay", "crashpoints", "audit log", "audit verify", "audit replay")


class Checks:
    def __init__(self):
        self.held = self.failed = 0

    def __call__(self, holds, what, detail=""):
        self.held += bool(holds)
        self.failed += not holds
        print(("  ok   " if holds else "  FAIL ") + what + (f"  [{detail}]" if detail else ""), flush=True)
        return holds


class Gateway:
    """Runs porta in an empty directory with an empty TMPDIR and remembers what it said."""

    def __init__(self, porta, root, town, state):
        self.porta, self.town, self.state = porta, town, state
        self.temp, self.work, self.backups = root / "tmp", root / "work", root / "backups"
        for d in (self.temp, self.work, state):
            d.mkdir(exist_ok=True)
        self.scanner = Scanner(town.markers)
        self.leaks, self.calls = [], 0

    def __call__(self, *args, env=None, stdin=b"", where=True):
        words = [str(a) for a in args]
        where = ["-c", str(self.town.config), "--state", str(self.state)] if where else []
        surroundings = {**os.environ, "PORTA_AS": "acceptance", "PORTA_PURPOSE": "verification", "TMPDIR": str(self.temp), **(env or {})}
        r = subprocess.run([self.porta, *words, *where], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.work, env=surroundings)
        self.calls += 1
        called = " ".join(words)
        said = [("stderr", r.stderr)] + [("stdout", r.stdout)] * called.startswith(SILENT)
        for stream, text in said:
            self.leaks += [(called.split("/")[0][:60], stream, *self.town.planted.get(m, ("town", m)), f) for m, f in self.scanner.in_bytes(text)]
        return r

    def files(self):
        return self.scanner.in_tree(self.state, self.temp, self.work, self.backups)


def everything(g, town):
    """All commands on a full store; whatever they print to stderr is scanned by the caller."""
    g("ingest")
    for words in (["account", "--json"], ["status", "--json"], ["object", "list"], ["raw", "list"], ["quarantine", "list", "--json"],
                  ["quarantine", "show", "1"], ["quarantine", "replay"], ["audit", "verify"], ["audit", "replay", "--all", "--json"], ["identity", "export"]):
        g(*words)
    views = [json.loads(v) for v in g("view", "export").stdout.splitlines()]
    g("view", "export", "--canonical")
    for v in views[:3]:
        g("view", "show", v["person"], "--format", "text")
        g("audit", "trace", v["person"], "/identity/birth_date")
    g("audit", "trace", "--all")
    a = town.markers[0]
    g("person", "find", "--name", "-", "--json", stdin=a.encode())
    g("person", "find", "--name", a, "--json")
    g("audit", "log")
    g("backup", "--to", g.backups / f"{g.calls}-data", "--keys-to", g.backups / f"{g.calls}-keys")
    return views


def mistakes(g, town):
    """Wrong usage with a personal value where none belongs: what is quoted back ends in somebody's log."""
    a, b = town.markers[0], town.markers[1]
    feed = sorted((town.feeds / "contacts").glob("Zq*"))[0]
    for words in (["person", "find", a], ["person", "find", "--birth", a], ["person", "find", "--id", f"IT-CF:{a}"], ["person", "find", "--id", a],
                  ["view", "show", a], ["view", "show", "p999999"], ["audit", "trace", a, f"/{b}"], ["audit", "trace", "p1", f"/identity/{b}"],
                  ["raw", "show", a], ["raw", "list", "--source", a], ["quarantine", "show", a], ["quarantine", "replay", "--reason", a],
                  ["identity", "check", "IT-CF", a], ["identity", "check", a, b], ["view", "export", "--as-of", a], ["record", "fold", "-"],
                  ["ingest", "--source", "contacts", "-"]):
        g(*words, stdin=f"{a}\n".encode())
    g("ingest", "--source", "hospital", feed)
    g("ingest", "--source", "clinic", feed)
    for source in town.sources:
        for feed in sorted((town.feeds / source).glob("*Zq*")):
            g("ingest", "--source", source, feed)
    for kind in ("ingest", "account", "status", "object", "raw", "quarantine", "person", "view", "audit", "identity", "record", "map", "read", "synth", "crashpoints"):
        g(kind, "--help", where=False)
        g(kind, "--no-such-option")
    # Actor and purpose of a refusal stand in the decision log as they were given: that is what it is for.
    g("view", "export", env={"PORTA_AS": "nobody"})


def crashes(g, points):
    for n, point in enumerate(points):
        g.state = g.state.parent / f"crashed-{n}"
        g.state.mkdir()
        died = g("ingest", env={"PORTA_CRASH": f"{point}:2"})
        yield point, died.returncode < 0, g.files()
        g("ingest")
        yield point, True, g.files()


def core_limit(porta, town, state):
    """The limit on core dumps of a running process that was started without one."""
    def unlimited():
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    p = subprocess.Popen([porta, "ingest", "--source", "desk", "-", "-c", town.config, "--state", state], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, preexec_fn=unlimited)
    try:
        for _ in range(100):
            limits = Path(f"/proc/{p.pid}/limits").read_text()
            line = next(x for x in limits.splitlines() if x.startswith("Max core file size"))
            if line.split()[4:6] == ["0", "0"]:
                return "0"
            time.sleep(0.05)
        return line
    finally:
        p.stdin.close()
        p.wait()


def controls(check, town, scanner, root):
    """The scanner itself: finds what is there, finds nothing where nothing is."""
    found = {m for _, m, _ in scanner.in_tree(town.feeds)}
    missed = [town.planted.get(m, m) for m in town.markers if m not in found]
    check(not missed, "control: every marker is found in the feeds", f"{len(found)} markers" if not missed else str(missed[:3]))
    planted = {(s, k) for s, k in town.planted.values()}
    check(planted >= {(s, k) for s in town.sources for k in KINDS}, "control: every feed has a marker of each kind", f"{len(town.sources)} feeds, {len(KINDS)} kinds")
    leaky, m = root / "leaky", town.markers[0]
    leaky.mkdir()
    forms = {"plain": m.encode(), "upper": m.upper().encode(), "utf-16": m.encode("utf-16"), "hex": m.encode().hex().upper().encode(),
             **{f"base64 {n}": base64.b64encode(b"x" * n + m.encode() + b"tail") for n in range(3)}}
    blind = []
    for name, data in forms.items():
        (leaky / "file").write_bytes(os.urandom(5000) + data + os.urandom(5000))
        blind += [name] if not any(x == m for _, x, _ in scanner.in_tree(leaky)) else []
    (leaky / "file").unlink()
    (leaky / f"name-{m}.tmp").touch()
    blind += ["file name"] if not scanner.in_tree(leaky) else []
    check(not blind, "control: a leak is found in each form", ", ".join(forms) + ", file name" if not blind else f"blind for {blind}")
    (leaky / f"name-{m}.tmp").unlink()
    (leaky / "noise").write_bytes(os.urandom(4 << 20))
    check(not scanner.in_tree(leaky), "control: nothing is found in four MiB of noise")


def leaky_porta(check, porta, root, town):
    """A gateway that says too much must be caught: the first bytes of a feed on stderr, and a file left in TMPDIR."""
    script = root / "leaky-porta"
    feed = sorted((town.feeds / "contacts").glob("Zq*"))[0]
    script.write_text(f'#!/bin/sh\nhead -c 400 {feed} >&2\ncp {feed} "$TMPDIR/left"\nexec {porta} "$@"\n')
    script.chmod(0o755)
    (root / "leaky-run").mkdir()
    g = Gateway(str(script), root / "leaky-run", town, root / "leaky-run/state")
    g("status", "--json")
    check(g.leaks and any(name == "left" for name, _, _ in g.files()), "control: a gateway that leaks to stderr and TMPDIR is caught")


def report(leaks, count=6):
    seen = sorted({str(leak) for leak in leaks})
    return f"{len(seen)}: " + "; ".join(seen[:count]) if seen else ""


def main():
    porta = str(Path(sys.argv[1] if sys.argv[1:] else HERE.parents[1] / "build/release/porta").resolve())
    check = Checks()
    with tempfile.TemporaryDirectory(prefix="porta-privacy-") as directory:
        root = Path(directory)
        town = Town(porta, root / "town")
        g = Gateway(porta, root, town, root / "state")
        controls(check, town, g.scanner, root)
        leaky_porta(check, porta, root, town)

        views = everything(g, town)
        shown = g.scanner.in_bytes(json.dumps(views).encode())
        account = json.loads(g("account", "--json").stdout)
        bad = [s["source"] for s in account["sources"] if s["quarantined"] == 0]
        check(shown and not bad, "the markers went through: some are shown, every source has quarantined some", f"{len(views)} views" if not bad else str(bad))
        check(not g.leaks, "no message and no operator's list quotes a value", report(g.leaks))
        check(len(list(g.backups.glob("*/manifest.json"))) == 2, "a backup was made, data and keys")
        check(not g.files(), "nothing in the state, in temporary files, the place of work or a backup", report(g.files()))

        g.leaks = []
        mistakes(g, town)
        check(not g.leaks, "no error text quotes a value", report(g.leaks))
        check(not g.files(), "nothing in files after errors", report(g.files()))
        left = [p.name for d in (g.temp, g.work) for p in d.iterdir()]
        check(not left, "no temporary file is left", ", ".join(left))

        g.leaks = []
        points = g("crashpoints", "--reached-by", "ingest").stdout.decode().split()
        results = list(crashes(g, points))
        check(all(died for _, died, _ in results) and points, "it died at each crash point", f"{len(points)} points")
        check(not any(files for _, _, files in results), "nothing in files after a crash, nor after the next start", report([f for r in results for f in r[2]]))
        check(not g.leaks, "no message of a crashed or resumed run quotes a value", report(g.leaks))
        check(core_limit(porta, town, root / "state") == "0", "no core dump can be written")
        embedded(check, porta, root, town, g.scanner)
        scaled_out(check, porta, root, town, g.scanner)
        print(f"privacy: {g.calls} calls, {len(town.markers)} markers, {check.held} hold, {check.failed} fall short")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
