#!/usr/bin/env python3
"""Power cuts: one run is recorded, what a cut at many places of it may have left on the disk is rebuilt, and porta must go on
from there with everything that it had acknowledged.

    powercut_test.py PORTA [--people N] [--states N] [--finish N] [--seed N] [--no-controls]

In every state: the owner opens it, integrity_check holds for each database, each acknowledged object is there with the bytes of
all its raw records, the account balances, the decision log verifies and has every acknowledged answer. In --finish of them
the sources are read to their end: the canonical views are byte-identical to the recorded run's, and a replay is equal.
Acknowledged is: a file that was moved away, every file of an ingest that ended well, a push that was answered, a view that was
printed.

Negative controls, on runs recorded with a fault: synchronous=OFF, and directories that are not synced. The same checks must
find something wrong in one of their states.
"""
import argparse
import collections
import contextlib
import hashlib
import http.client
import json
import os
import random
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
from powercut.journal import Disk, Journal, Writer, places  # noqa: E402
from support.process import Server, wait_until  # noqa: E402

DATABASES = ("porta.db", "keys.db", "decisions.db")
MOVED = ("clinic", "hospital", "care")       # their files are moved when they are done; the others stay
PUSHED = 8


class Refused(Exception):
    """A command that must succeed did not."""


class Service(Server):
    def __init__(self, argv, env, log):
        super().__init__(log)
        self.argv, self.env = argv, env

    def start(self):
        self.spawn(self.argv, env=self.env)


class Site:
    """A town in a directory of its own: originals of all feeds, and `site` with what porta and its sources see."""

    def __init__(self, porta, root, people, seed):
        self.porta, self.root, self.site = porta, root, root / "site"
        subprocess.run([porta, "synth", "--people", str(people), "--seed", str(seed), "--out", root], check=True, stdout=subprocess.DEVNULL)
        self.manifest = json.loads((root / "manifest.json").read_text())
        self.originals = root / "originals"
        (root / "feeds").rename(self.originals)
        self.site.mkdir()
        (root / "config").rename(self.site / "config")
        shutil.rmtree(self.site / "config/keys", ignore_errors=True)
        for source in MOVED:
            declared = self.site / f"config/sources/{source}.yaml"
            declared.write_text(declared.read_text().replace("on_done: keep", f"on_done: move:../../done/{source}"))
        last = sorted((self.originals / "desk").iterdir())[-1]
        self.facts = last.read_text().splitlines()[:PUSHED]
        self.pushed = [hashlib.sha256(f.encode()).hexdigest() for f in self.facts]
        last.unlink()
        self.files = sorted(p for p in self.originals.rglob("*") if p.is_file())
        self.place = ["-c", str(self.site / "config")]
        self.env = {**os.environ, "PORTA_AS": "acceptance", "PORTA_PURPOSE": "verification"}

    def early(self, path):
        """Files of the first half come before the service starts."""
        return path.stem.rsplit("_", 1)[-1] in ("20240301", "20240308", "0001", "0002", "20240315")

    def feed(self, original):
        return self.site / "feeds" / original.relative_to(self.originals)

    def put(self, original):
        self.feed(original).parent.mkdir(parents=True, exist_ok=True)
        os.link(original, self.feed(original))

    def __call__(self, *words, stdin=b"", env=None):
        return subprocess.run([self.porta, *words, *self.place], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**self.env, **(env or {})})

    def must(self, *words, **more):
        r = self(*words, **more)
        if r.returncode:
            raise Refused(f"porta {' '.join(words)}: exit {r.returncode}: {r.stderr.decode('utf-8', 'replace').strip()[-400:]}")
        return r.stdout

    def clear(self):
        for name in ("feeds", "done", "state", "config/keys"):
            shutil.rmtree(self.site / name, ignore_errors=True)

    def views(self):
        return self.must("view", "export", "--canonical", "--as-of", self.manifest["as_of"])

    def raws(self):
        """{object's path: {(index, digest of its bytes)}}"""
        found = collections.defaultdict(set)
        for line in self.must("raw", "list").splitlines():
            raw = json.loads(line)
            found[raw["object"]["path"]].add((raw["index"], raw["sha256"]))
        return found

    def objects(self):
        return {json.loads(line)["path"] for line in self.must("object", "list").splitlines()}

    def account(self):
        return json.loads(self.must("account", "--json"))


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def record(site, journal, fault):
    """The undisturbed run: an ingest, views that are shown, then the service with later files, pushes and views beside it."""
    site.clear()
    journal.unlink(missing_ok=True)
    writer = Writer(journal)
    recorded = {"LD_PRELOAD": str(Path(site.porta).parent / "porta_recorder.so"), "PORTA_RECORD": str(journal), "PORTA_RECORD_ROOT": str(site.site), "PORTA_RECORD_FAULT": fault}

    def arrive(files):
        for original in files:
            # Noted before anybody can read it.
            writer.note(b"F", original.stat().st_ino, str(site.feed(original)))
            site.put(original)

    def show(count):
        for n in range(count):
            site.must("view", "show", f"p{n + 1}", env=recorded)
            writer.acknowledged("answer")

    early = [f for f in site.files if site.early(f)]
    arrive(early)
    site.must("ingest", env=recorded)
    for original in early:
        writer.acknowledged(f"object {site.feed(original)}")
    show(3)
    log = site.root / "run.log"
    with Service([site.porta, "run", *site.place, "--set", "server.port=0", "--set", "poll_ms=50"], {**site.env, **recorded}, log) as service:
        wait_until((site.site / "state/owner.sock").exists, service.alive, 60, "porta run", log)
        arrive([f for f in site.files if not site.early(f)])
        for n, fact in enumerate(site.facts):
            connection = UnixConnection(site.site / "state/owner.sock")
            connection.request("POST", "/sources/desk/records", fact + "\n")
            if connection.getresponse().status >= 300:
                sys.exit("a push was refused in the undisturbed run")
            writer.acknowledged(f"push {n}")
            show(1)
        moved = [site.feed(f) for f in site.files if f.parent.name in MOVED]
        wait_until(lambda: not any(f.exists() for f in moved), service.alive, 300, "porta run with the later files", log)
    site.must("ingest", env=recorded)
    for original in site.files:
        writer.acknowledged(f"object {site.feed(original)}")


class Reference:
    """What the recorded run came to."""

    def __init__(self, site):
        self.views, self.raws = site.views(), site.raws()
        self.account = self.figures(site)

    @staticmethod
    def figures(site):
        """Without the desk: a push that was not acknowledged comes again."""
        return [s for s in site.account()["sources"] if s["source"] != "desk"]


def damage(site):
    wrong = []
    for path in (site.site / "state" / name for name in DATABASES):
        if not path.exists():
            continue
        try:
            with contextlib.closing(sqlite3.connect(path)) as db:
                said = db.execute("PRAGMA integrity_check").fetchone()[0]
        except sqlite3.DatabaseError as error:
            said = str(error)
        if said != "ok":
            wrong.append(f"integrity_check of {path.name}: {said[:100]}")
    return wrong


def problems(site, reference, acknowledged):
    """What is wrong with the state that lies in the site; empty when all holds."""
    opened = site("quarantine", "replay", "--reason", "none")
    if opened.returncode:
        return [f"the owner cannot open it: {opened.stderr.decode('utf-8', 'replace').strip()[:300]}"]
    wrong = []
    answers = acknowledged.count("answer")
    verified = site("audit", "verify")
    if verified.returncode:
        wrong.append(f"the decision log: {verified.stderr.decode('utf-8', 'replace').strip()[:300]}")
    elif json.loads(verified.stdout)["entries"] < answers:
        wrong.append(f"the decision log lacks some of {answers} acknowledged answers")
    try:
        account, raws, objects = site.account(), site.raws(), site.objects()
    except Refused as refused:
        return wrong + [str(refused)]
    if not account["balanced"]:
        wrong.append("the account does not balance")
    for what in acknowledged:
        kind, _, name = what.partition(" ")
        if kind == "object":
            if name not in objects:
                wrong.append(f"an acknowledged object is gone: {name}")
            elif raws.get(name, set()) != reference.raws.get(name, set()):
                wrong.append(f"an acknowledged object's records are not the same: {name}")
        elif kind == "push" and (0, site.pushed[int(name)]) not in raws.get("push", set()):
            wrong.append(f"an acknowledged push is gone: {name}")
    return wrong + damage(site)


def finish(site, reference, acknowledged, arrived):
    """The sources go on: what had not arrived comes, who was not answered asks again. What is wrong with the end of it."""
    try:
        for original in site.files:
            if str(site.feed(original)) not in arrived:
                site.put(original)
        site.must("ingest")
        for n, fact in enumerate(site.facts):
            if f"push {n}" not in acknowledged:
                site.must("ingest", "--source", "desk", "-", stdin=fact.encode() + b"\n")
        wrong = []
        if site.views() != reference.views:
            wrong.append("the views are not those of the undisturbed run")
        if reference.figures(site) != reference.account:
            wrong.append("the account is not that of the undisturbed run")
        replay = json.loads(site.must("audit", "replay", "--all", "--json"))
        if replay["equal"] != replay["compared"] or replay["compared"] < sum(s["published"] for s in reference.account):
            wrong.append("a replay from the raw bytes differs")
        return wrong + problems(site, reference, acknowledged)
    except Refused as refused:
        return [str(refused)]


def digests(site):
    """{path: digest} of what porta left; what is mapped into memory is no file to anybody."""
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in site.site.rglob("*")
            if p.is_file() and not p.name.endswith("-shm") and not p.name.startswith("work.") and p.parent.name != "sources" and p.suffix != ".yaml"}


class Recorded:
    def __init__(self, site, fault=""):
        path, self.images, self.site = site.root / "journal", site.root / "images", site
        start = time.monotonic()
        record(site, path, fault)
        seconds, self.left = time.monotonic() - start, digests(site)
        self.reference, self.journal = Reference(site), Journal(path)
        count = collections.Counter(e.kind.decode() for e in self.journal.entries)
        print(f"  recorded{' with ' + fault if fault else ''}: {sum(s['received'] for s in self.reference.account)} raw records in {seconds:.1f} s; {count['W']} writes, "
              f"{count['S']} syncs of files, {count['D']} of directories, {sum(count[k] for k in 'CMRUL')} names made or taken away", flush=True)

    def missed(self):
        """Paths at which all effects of the journal together do not give what porta left."""
        disk = Disk(self.journal, self.site.site, self.images, self.site.originals)
        disk.go(len(self.journal.entries))
        self.site.clear()
        disk.leave()
        rebuilt = digests(self.site)
        return sorted(p for p in set(self.left) | set(rebuilt) if self.left.get(p) != rebuilt.get(p))

    def states(self, count, rnd):
        """Lays `count` states into the site, one after the other, each with something dropped or torn."""
        disk = Disk(self.journal, self.site.site, self.images, self.site.originals)
        for place in places(self.journal, count, rnd):
            disk.go(place)
            while not disk.unsynced():
                disk.go(disk.place + 1)
            dropped = torn = 0
            while not dropped + torn:
                self.site.clear()
                dropped, torn = disk.leave(rnd)
            self.turn_page(rnd)
            yield disk, dropped, torn

    def turn_page(self, rnd):
        """The page of the record in work is mapped, so no journal has it: it may name any record."""
        page = self.site.site / "state/work.0"
        if page.exists() and rnd.random() < 0.5:
            page.write_bytes(rnd.randint(1, 10000).to_bytes(8, "little").ljust(4096, b"\0"))


def cut(recorded, count, finished, rnd, first=False):
    """Returns (states with something wrong, effects dropped, writes torn). `first`: the first wrong one is enough."""
    wrong, dropped, torn = [], 0, 0
    chosen = set(rnd.sample(range(count), finished))
    for n, (disk, d, t) in enumerate(recorded.states(count, rnd)):
        dropped, torn = dropped + d, torn + t
        if n and n % 20 == 0:
            print(f"  {n} of {count} states", flush=True)
        found = problems(recorded.site, recorded.reference, disk.acknowledged)
        if not found and n in chosen:
            found = finish(recorded.site, recorded.reference, disk.acknowledged, disk.arrived)
        if found:
            wrong.append(n)
            said = "; ".join(found[:3]).replace(f"{recorded.site.site}/", "")
            print(f"  state {n} at entry {disk.place} ({d} dropped, {t} torn, {len(disk.acknowledged)} acknowledged): {said}", flush=True)
            if first:
                break
    return wrong, dropped, torn


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("porta", type=Path)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--states", type=int, default=10)
    parser.add_argument("--finish", type=int, default=10)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--no-controls", action="store_true")
    a = parser.parse_args()
    failed = []

    def check(holds, what):
        print(("  ok   " if holds else "  FAIL ") + what, flush=True)
        if not holds:
            failed.append(what)

    with tempfile.TemporaryDirectory(prefix="porta-powercut-") as directory:
        site = Site(a.porta.resolve(), Path(directory) / "town", a.people, a.seed)
        recorded = Recorded(site)
        differ = recorded.missed()
        check(not differ, f"the journal gives the files that porta left{': not ' + ', '.join(differ[:3]) if differ else ''}")
        wrong, dropped, torn = cut(recorded, a.states, min(a.finish, a.states), random.Random(a.seed))
        check(not wrong, f"{a.states} states, {dropped} effects dropped and {torn} writes torn: all acknowledged is there, every law holds; {min(a.finish, a.states)} read to their end")
        for fault in () if a.no_controls else ("synchronous-off", "directory-sync-off"):
            small = Site(a.porta.resolve(), Path(directory) / fault, 60, a.seed)
            wrong, *_ = cut(Recorded(small, fault), 10, 0, random.Random(a.seed), first=True)
            check(wrong, f"negative control: with {fault} " + (f"state {wrong[0]} is found out" if wrong else "none of 10 states is found out"))
    print(f"powercut: {'holds' if not failed else str(len(failed)) + ' fall short'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
