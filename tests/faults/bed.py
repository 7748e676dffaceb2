"""What all runs share: one Kafka, one PostgreSQL, a proxy before each, and towns whose embedded run is the yardstick."""
import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from support.door import DOOR
from support.kafka import Kafka
from support.postgres import Postgres
from support.process import free_ports
from support.proxy import Proxy, kafka_produce, postgres_commit

PEOPLE, TOWNS, PUSHED = 15, 4, 6
ENVIRONMENT = {"PORTA_AS": "acceptance", "PORTA_PURPOSE": "verification"}


def call(porta, *args, where=(), env=None, seconds=60):
    return subprocess.run([str(porta), *map(str, args), *map(str, where)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, **ENVIRONMENT, **(env or {})}, timeout=seconds)


def must(porta, *args, **more):
    r = call(porta, *args, **more)
    assert r.returncode == 0, f"porta {' '.join(map(str, args[:2]))}: exit {r.returncode}: {r.stderr.decode(errors='replace')[-300:]}"
    return r.stdout


def outcomes(account):
    """What must be equal, whatever happened on the way: {source: {…}}. A second delivery of an object is counted and skipped,
    so repeats are taken off."""
    kept = {}
    for s in account["sources"]:
        skipped = {rule: n for rule, n in s["skipped_by"].items() if rule != "duplicate"}
        kept[s["source"]] = {**{k: s[k] for k in ("published", "quarantined", "records")}, "skipped": skipped}
    return kept


def mount(at, mib):
    """A disk of this size, in memory. False where we may not: there is a plain directory then. It goes with the mount
    namespace of the test (run.py), however that ends."""
    at.mkdir(parents=True, exist_ok=True)
    return os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0777", "tmpfs", at], stderr=subprocess.DEVNULL).returncode == 0


class Town:
    """Invented feeds, bodies to push, and what one undisturbed process makes of them."""

    def __init__(self, porta, root, seed):
        self.root = root
        self.invent(porta, seed)
        (root / "config/sources/door.yaml").write_text(DOOR)
        (root / "config/door.token").write_text("sesame\n")
        self.manifest = json.loads((root / "manifest.json").read_text())
        self.as_of = self.manifest["as_of"]
        head = "client_id;surname;name;birth_date;tax_code;worker;phone;last_contact\n"
        self.pushed = [f"{head}D{seed}-{n};{self.family(n)};Prova {n};19{60 + n}-02-03;;W{n};;2024-02-0{n + 1}\n".encode() for n in range(PUSHED)]
        state = ["-c", root / "config", "--state", root / "state"]
        must(porta, "ingest", where=state)
        for n, body in enumerate(self.pushed):
            (root / f"pushed-{n}.csv").write_bytes(body)
            must(porta, "ingest", "--source", "door", root / f"pushed-{n}.csv", where=state)
        self.account = json.loads(must(porta, "account", "--json", where=state))
        self.received = sum(s["received"] for s in self.account["sources"])
        self.views = must(porta, "view", "export", "--canonical", "--as-of", self.as_of, where=state)

    def invent(self, porta, seed):
        must(porta, "synth", "--people", PEOPLE, "--seed", seed, "--out", self.root)

    def family(self, n):
        return "Portone"

    def copy(self, to):
        """The configuration, and the feeds aside: the run brings them in share by share. Returns the files, in name order."""
        shutil.copytree(self.root / "config", to / "config")
        shutil.copytree(self.root / "feeds", to / "aside")
        for d in sorted((to / "aside").iterdir()):
            (to / "feeds" / d.name).mkdir(parents=True)
        return sorted(p.relative_to(to / "aside") for p in (to / "aside").rglob("*") if p.is_file())


class Bed:
    def __init__(self, porta, root):
        self.porta, self.root = Path(porta).resolve(), Path(root)
        self.towns = {}
        self.stack = contextlib.ExitStack()
        # Servers in memory where that may be: what is tried here is not the power cut, and a slow disk makes runs long.
        self.may_mount = mount(self.root / "servers", 1000) and mount(self.root / "servers/kafka", 600)

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            (front,) = free_ports(1)
            # The broker's own floor of six seconds would make each run longer than it may be.
            self.kafka = stack.enter_context(Kafka(self.root / "servers/kafka", seen_at=front, settings={"group.min.session.timeout.ms": "500"}))
            self.postgres = stack.enter_context(Postgres(self.root / "servers/postgres"))
            self.broker_way = stack.enter_context(Proxy(self.kafka.behind, front, kafka_produce))
            self.store_way = stack.enter_context(Proxy(self.postgres.port, 0, postgres_commit))
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()
        if self.may_mount:
            subprocess.run(["umount", "-l", self.root / "servers/kafka", self.root / "servers"], check=True)

    def town(self, seed, kind=Town):
        of = (kind, seed % TOWNS)
        if of not in self.towns:
            self.towns[of] = kind(self.porta, self.root / f"{kind.__name__}-{of[1]}", of[1] + 1)
        return self.towns[of]
