#!/usr/bin/env python3
"""Backup and restore from outside.

    backup_test.py PORTA [--servers] [--people N]      --servers: also PostgreSQL and Kafka, which it starts and ends

Negative controls: the scanner that finds no marked name in a backup finds them in the feeds; and the checks that hold for a
backup are failed by a copy of it with one byte changed, without its manifest, without its keys, with another key file, with
older keys, into a store that is not empty.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
from privacy.scanner import Scanner  # noqa: E402
from support.kafka import Kafka  # noqa: E402
from support.postgres import Postgres  # noqa: E402
from support.roles import Roles  # noqa: E402

failed = []


def check(holds, what, detail=""):
    print(("  ok   " if holds else "  FAIL ") + what + (f"  [{detail}]" if detail and not holds else ""), flush=True)
    if not holds:
        failed.append(what)


class Town:
    """An invented municipality; `late` files come after the first backup."""

    def __init__(self, porta, root, people):
        self.porta, self.root = str(porta), root
        subprocess.run([self.porta, "synth", "--people", str(people), "--seed", "11", "--out", root / "town"], check=True, stdout=subprocess.DEVNULL)
        self.config, self.feeds = root / "town/config", root / "town/feeds"
        self.manifest = json.loads((root / "town/manifest.json").read_text())
        self.late = {f: f.read_bytes() for f in self.feeds.rglob("*_20240329.*")}
        for f in self.late:
            f.unlink()
        self.env = {**os.environ, "PORTA_AS": "acceptance", "PORTA_PURPOSE": "verification"}

    def arrive(self):
        for f, data in self.late.items():
            f.write_bytes(data)

    def at(self, *where, config=None):
        """Calls porta on one store: a function of its words."""
        place = ["-c", str(config or self.config), *map(str, where)]

        def call(*words, ok=True, env=None):
            r = subprocess.run([self.porta, *map(str, words), *place], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**self.env, **(env or {})})
            if ok and r.returncode:
                raise SystemExit(f"porta {' '.join(map(str, words))}: exit {r.returncode}: {r.stderr.decode('utf-8', 'replace').strip()[-600:]}")
            return r
        call.place = place
        return call

    def views(self, call):
        return call("view", "export", "--canonical", "--as-of", self.manifest["as_of"]).stdout

    def settled(self, call):
        return json.loads(call("status", "--json").stdout)["state"] == "quiet" and json.loads(call("account", "--json").stdout)["balanced"]


def log_entries(call):
    return json.loads(call("audit", "verify").stdout)["entries"]


def backup(call, where, *more):
    """Returns (data, keys) of a backup made here."""
    data, keys = where / "data", where / "keys"
    return call("backup", "--to", data, "--keys-to", keys, *more), data, keys


def same(town, call, views, account, what):
    check(town.views(call) == views, f"{what}: the canonical views are byte-identical")
    check(json.loads(call("account", "--json").stdout) == account, f"{what}: so is the account")
    replay = json.loads(call("audit", "replay", "--all", "--json").stdout)
    check(replay["compared"] > 100 and replay["equal"] == replay["compared"], f"{what}: a replay from its raw bytes is equal", str(replay)[:200])


def embedded(town, root):
    here = town.at("--state", root / "state")
    here("ingest")
    views, account = town.views(here), json.loads(here("account", "--json").stdout)
    entries = log_entries(here)
    _, data, keys = backup(here, root / "first")
    scanner = Scanner(town.manifest["marked_names"])
    check(not scanner.in_tree(data) and not scanner.in_tree(keys), "no marked name stands in a backup", str(scanner.in_tree(data)[:2]))
    check(scanner.in_tree(town.feeds), "negative control: they stand in the feeds")
    key = (town.config / "keys/key").read_text().strip()
    check(not Scanner([key]).in_tree(data, keys) and Scanner([key]).in_tree(town.config), "the key file is in neither part")

    elsewhere = town.at("--state", root / "elsewhere")
    elsewhere("restore", "--from", data, "--keys-from", keys)
    same(town, elsewhere, views, account, "restored to another directory")
    check(log_entries(elsewhere) >= entries, "the decision log verifies there, with every entry")

    # Both go on: later files, what was known comes again, a record of before is corrected.
    town.arrive()
    here("ingest"), elsewhere("ingest")
    later = town.views(here)
    check(later != views and town.views(elsewhere) == later and town.settled(elsewhere), "the sources go on with both: equal views again")
    return data, keys, later


def refusals(town, root, data, keys):
    def refused(what, *words, state="refused", config=None, says=""):
        r = town.at("--state", root / state, config=config)("restore", *words, ok=False)
        said = r.stderr.decode("utf-8", "replace")
        left = [p.name for p in (root / state).glob("*.db*")] if state == "refused" else []
        check(r.returncode != 0 and says in said and not left, f"refused: {what}", f"exit {r.returncode}: {said[:300]} {left}")

    refused("without keys", "--from", data, says="--keys-from")
    refused("data for keys", "--from", data, "--keys-from", data, says="keys")
    refused("a store that is not empty", "--from", data, "--keys-from", keys, state="state", says="never overwrites")
    altered = root / "altered"
    shutil.copytree(data, altered)
    with open(altered / "data.db", "r+b") as f:
        f.seek(5000)
        byte = f.read(1)
        f.seek(5000)
        f.write(bytes([byte[0] ^ 1]))
    refused("one byte altered", "--from", altered, "--keys-from", keys, says="not as the manifest says")
    unfinished = root / "unfinished"
    shutil.copytree(data, unfinished)
    (unfinished / "manifest.json").unlink()
    refused("a backup that was not finished", "--from", unfinished, "--keys-from", keys, says="not finished")
    other = root / "other-config"
    shutil.copytree(town.config, other)
    (other / "keys/key").write_text("0" * 63 + "1\n")
    refused("another key file", "--from", data, "--keys-from", keys, config=other, says="another key file")
    (other / "keys/key").unlink()
    refused("no key file", "--from", data, "--keys-from", keys, config=other, says="key file is missing")
    check(not (other / "keys/key").exists(), "no key file is made by that")
    _, newer, _ = backup(town.at("--state", root / "state"), root / "second")
    refused("keys that are older than the data", "--from", newer, "--keys-from", keys, says="older than the data")
    for what, to, keys_to in (("keys into the data's directory", "x", "x"), ("keys below it", "x", "x/keys"), ("data below the keys", "y/data", "y")):
        r = town.at("--state", root / "state")("backup", "--to", root / to, "--keys-to", root / keys_to, ok=False)
        check(r.returncode == 78 and b"never lie in the backup" in r.stderr, f"refused: {what}", r.stderr.decode()[:200])
    r = town.at("--state", root / "state")("backup", "--to", data, "--keys-to", root / "z", ok=False)
    check(r.returncode == 78 and b"never overwrites" in r.stderr, "refused: a backup over another")
    return newer, root / "second/keys"


def killed(town, root, data, keys, views):
    """kill -9 in the middle of a restore: what is left is no store yet, or one that opens nothing; never one that goes on with a part."""
    for point in ("loaded:1", "loaded:2", "loaded:3", "named:1", "named:2", "named:3"):
        state = root / f"killed-{point.replace(':', '-')}"
        call = town.at("--state", state)
        r = call("restore", "--from", data, "--keys-from", keys, ok=False, env={"PORTA_CRASH": f"restore.{point}"})
        check(r.returncode == -9, f"a restore dies at restore.{point}", f"exit {r.returncode}")
        if point == "named:3":
            call("ingest")
            check(town.views(call) == views, "killed after its last file: the store is whole")
            continue
        if point.startswith("named"):
            for words in (["account"], ["ingest"], ["view", "export"]):
                said = call(*words, ok=False)
                check(said.returncode == 78 and b"keys.db is missing" in said.stderr, f"killed between its files: `{' '.join(words)}` opens nothing and says why", said.stderr.decode()[:200])
            said = call("restore", "--from", data, "--keys-from", keys, ok=False)
            check(said.returncode == 78 and b"never overwrites" in said.stderr, "and a second restore asks for an empty place", said.stderr.decode()[:200])
            shutil.rmtree(state)
        call("restore", "--from", data, "--keys-from", keys)
        call("ingest")
        check(town.views(call) == views, f"restored again after restore.{point}: goes on to the same views")


def without_keys(town, root, data):
    """Somebody has the data of a backup and puts them where a store would be: nothing opens, nothing is lost."""
    state = root / "robbed"
    state.mkdir()
    shutil.copy(data / "data.db", state / "porta.db")
    shutil.copy(data / "decisions.db", state / "decisions.db")
    call = town.at("--state", state)
    for words in (["raw", "list"], ["view", "export"], ["account"], ["audit", "replay", "--all"], ["ingest"]):
        r = call(*words, ok=False)
        check(r.returncode == 78 and b"keys.db is missing" in r.stderr and not r.stdout, f"without its keys `{' '.join(words)}` opens nothing and says why", r.stderr.decode()[:200])
    check(not (state / "keys.db").exists(), "and no new key store takes its place")


def beside_the_owner(town, root, views):
    """A backup while the service takes everything in: whatever moment it shows, restored and read on it comes to the same."""
    state = root / "busy"
    call = town.at("--state", state)
    with open(root / "run.log", "wb") as log:
        owner = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", town.porta, "run", *call.place, "--set", "server.port=0"], stdout=subprocess.PIPE, stderr=log, env=town.env)
    try:
        owner.stdout.readline()
        made, tries = [], 0
        while len(made) < 3 and tries < 100:
            r, data, keys = backup(call, root / f"busy-{tries}")
            n = json.loads((data / "manifest.json").read_text())["files"][0]["rows"]["raw"]
            if not made or n > made[-1][0]:
                made.append((n, data, keys))
            tries += 1
            if town.settled(call) and made[-1][0] >= n and tries > 3:
                break
    finally:
        owner.terminate()
        owner.wait()
    inside = 0
    for n, data, keys in made:
        there = town.at("--state", root / f"from-{n}")
        there("restore", "--from", data, "--keys-from", keys)
        balanced = json.loads(there("account", "--json").stdout)["balanced"]
        inside += not town.settled(there) or town.views(there) != views
        there("ingest")
        check(balanced and town.views(there) == views, f"a backup beside the working owner ({n} raw records) balances and goes on to the same views")
    print(f"       {inside} of {len(made)} were taken before the owner was done")


def servers(town, root, data, keys, views):
    """From SQLite into PostgreSQL beside a new Kafka, and from there back."""
    with Kafka(root / "kafka") as kafka, Postgres(root / "postgres") as postgres:
        scaled = town.at("--state", root / "roles-state", "--set", f"log.kafka.brokers={kafka.brokers}", "--set", f"store.postgresql.dsn={postgres.dsn}")
        for part in ("1", "2"):
            r = scaled("restore", "--from", data, "--keys-from", keys, ok=False, env={"PORTA_CRASH": f"restore.loaded:{part}"})
            said = scaled("restore", "--from", data, "--keys-from", keys, ok=False)
            check(r.returncode == -9 and said.returncode == 78 and b"never overwrites" in said.stderr, f"killed after part {part}: a second restore asks for an empty database", said.stderr.decode()[:200])
            for words in (["topics", "apply"], ["account"]):
                said = scaled(*words, ok=False)
                check(said.returncode == 78 and b"without its keys" in said.stderr, f"killed after part {part}: `{' '.join(words)}` refuses data without keys", f"exit {said.returncode}: " + said.stderr.decode()[:200])
            for schema in ("porta", "porta_keys", "porta_decisions"):
                postgres.query(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        scaled("restore", "--from", data, "--keys-from", keys)
        check(town.views(scaled) == views, "restored from SQLite into PostgreSQL: the canonical views are byte-identical")
        r = scaled("restore", "--from", data, "--keys-from", keys, ok=False)
        check(r.returncode == 78 and b"never overwrites" in r.stderr, "refused: a database that is not empty", r.stderr.decode()[:200])
        scaled("topics", "apply")
        r = scaled("restore", "--from", data, "--keys-from", keys, ok=False)
        check(r.returncode == 78 and b"topic" in r.stderr, "refused: beside a log that has topics", r.stderr.decode()[:200])
        more = town.feeds / "contacts/0009.csv"
        more.write_text("client_id,surname,name,birth_date,tax_code,worker,phone,last_contact\nC900001,Nuovissimi,Anna,1955-06-12,,Verdi Carla,0815550015,2024-04-10\n")
        logs = root / "roles"
        logs.mkdir()
        with Roles(town.porta, scaled.place, logs) as roles:
            scaled("ingest")
            if roles.ended():
                raise SystemExit(roles.ended())
            grown = town.views(scaled)
            check(grown.count(b"\n") == views.count(b"\n") + 1 and town.settled(scaled), "the roles go on from there over a new log: one person more, all at rest")
            asking = ("--as", "anna", "--purpose", "care-coordination")
            received, exported = scaled("view", "receive", *asking).stdout, scaled("view", "export", *asking).stdout
            check(received == exported and received.count(b"\n") > 10, "recipients find everybody's view in the new topics", f"{received.count(10)} and {exported.count(10)}")
            _, data, keys = backup(scaled, root / "scaled")
        back = town.at("--state", root / "back")
        back("restore", "--from", data, "--keys-from", keys)
        check(town.views(back) == grown, "restored from PostgreSQL into SQLite: byte-identical")
        back("ingest")
        check(town.views(back) == grown and town.settled(back), "and the sources that are read again there change nothing")
        # An object whose records a source was told are durable, and that are in the log alone.
        postgres.query("UPDATE porta.object SET state = 0, appended = 1 WHERE no = (SELECT MAX(no) FROM porta.object)")
        r = scaled("backup", "--to", root / "never", "--keys-to", root / "never-keys", "--wait", "1", ok=False)
        check(r.returncode == 75 and b"on their way" in r.stderr and not any((root / "never").iterdir()), "refused: records that are in the log alone", r.stderr.decode()[:200])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("porta", type=Path)
    parser.add_argument("--servers", action="store_true")
    parser.add_argument("--people", type=int, default=150)
    a = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="porta-backup-") as directory:
        root = Path(directory)
        town = Town(a.porta.resolve(), root, a.people)
        data, keys, views = embedded(town, root)
        newer, newer_keys = refusals(town, root, data, keys)
        killed(town, root, data, keys, views)
        without_keys(town, root, data)
        beside_the_owner(town, root, views)
        # Older data with the newest keys: what remains after an erasure.
        mixed = town.at("--state", root / "mixed")
        mixed("restore", "--from", data, "--keys-from", newer_keys)
        mixed("ingest")
        check(town.views(mixed) == views, "older data open with newer keys, and go on to the same views")
        if a.servers:
            servers(town, root, newer, newer_keys, views)
    print(f"backup: {'holds' if not failed else str(len(failed)) + ' fall short'} in {time.monotonic() - start:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
