"""Disks without room: for the store, the key store and the decision log, scaled out and embedded, and for the broker. Each is a
small disk in memory; a ballast file fills it, and its removal is all that anybody does."""
import errno
import os
import shutil
import subprocess
import time
from pathlib import Path

from bed import mount
from run_of import Run, need
from strikes import Scenario
from support.roles import Role, Roles

MIB = 24


class Ballast:
    def __init__(self, disk):
        self.path = Path(disk) / "ballast"

    def fill(self):
        """To the last block."""
        with open(self.path, "wb") as f:
            size = 0
            for step in (256 << 20, 16 << 20, 1 << 20, 64 << 10, 4 << 10):
                while True:
                    try:
                        os.posix_fallocate(f.fileno(), size, step)
                        size += step
                    except OSError as e:
                        if e.errno != errno.ENOSPC:
                            raise
                        break

    def free(self):
        self.path.unlink(missing_ok=True)


def drop(disk):
    subprocess.run(["umount", "-l", disk], check=True)


def small_tablespace(run, schema):
    """This schema's tables on a small disk of PostgreSQL."""
    postgres, disk = run.bed.postgres, run.bed.root / "servers" / f"disk-{run.name}"
    assert mount(disk, MIB)
    # The decision log's table comes with its first use.
    run.porta("audit", "verify")
    (disk / "tables").mkdir()
    if postgres.user:
        shutil.chown(disk / "tables", postgres.user, postgres.user)
    postgres.query(f"CREATE TABLESPACE {run.name} LOCATION '{disk}/tables'", "postgres")
    for kind, of in (("TABLE", "tablename FROM pg_tables"), ("INDEX", "indexname FROM pg_indexes")):
        for (name,) in postgres.query(f"SELECT {of} WHERE schemaname = '{schema}'", run.name):
            postgres.query(f"ALTER {kind} {schema}.{name} SET TABLESPACE {run.name}", run.name)
    run.ballast = Ballast(disk)

    def after():
        postgres.query(f"DROP TABLESPACE {run.name}", "postgres")
        drop(disk)
    run.after.append(after)


def alarmed(run):
    """A role says in its log and in a counter that a disk is full, and is not ready."""
    for r in run.roles.members:
        if run.counter(r, "porta_store_full_total") and run.get(r, "/readyz")[0] == 503:
            need("full; make room" in r.log.read_text(errors="replace"), f"{r.name} counts a full disk and does not say so")
            return True
    return False


def until_alarm(run):
    def strike():
        run.ballast.fill()
        run.bring(run.rest_of_feeds)
        run.wait(lambda: alarmed(run), 6, "a role raises the alarm: log line, counter, not ready")
        run.ballast.free()
    half = run.shares(2)
    run.rest_of_feeds = half[1]
    run.ready()
    run.pusher.start()
    run.bring(half[0])
    run.quietly(run.rng.uniform(0.0, 0.5))
    run.struck.append("no room")
    strike()
    run.rest()
    run.wait(lambda: all(run.get(r, "/readyz")[0] == 200 for r in run.roles.members), 3, "every role is ready again")


def nothing_is_shown(run):
    """Views are asked for until the log has no room for the entry: then nothing is printed."""
    run.ready()
    run.pusher.start()
    run.bring(run.files)
    run.rest(limit=10)
    run.ballast.fill()
    run.struck.append("no room")
    for n in range(200):
        r = run.ask("view", "export")
        if r.returncode != 0:
            break
    need(r.returncode != 0, "the decision log was never full")
    need(not r.stdout, "values were printed though their disclosure could not be logged")
    need(b"full" in r.stderr, f"the refusal does not say why: {r.stderr[:120]}")
    run.ballast.free()
    need(run.ask("view", "export").returncode == 0, "with room again it shows nothing")
    run.notes.append(f"refused at the {n + 1}. time")


def broker_full(run):
    """The broker has no room: it fails, nothing is acknowledged; with room, and started again by its supervisor, all goes on."""
    run.ready()
    half = run.shares(2)
    run.bring(half[0])
    ballast = Ballast(run.bed.root / "servers/kafka")
    ballast.fill()
    run.struck.append("no room")
    run.pusher.start()
    run.bring(half[1])
    try:
        run.wait(lambda: not run.bed.kafka.alive() or run.get(run.all("connect")[0], "/readyz")[0] == 503, 6, "the broker fails, or connect is not ready")
    finally:
        ballast.free()
        run.kill_server(run.bed.kafka)
    run.rest()


class Embedded(Run):
    """One process with every stage; one of its files, or all, on a small disk."""

    def __enter__(self):
        self.root.mkdir()
        self.files = self.town.copy(self.root)
        state, disk = self.root / "state", self.root / "disk"
        assert mount(disk, MIB)
        part = self.before
        more = []
        if part == "all":
            state = disk
        state.mkdir(exist_ok=True)
        if part in ("keys", "decisions"):
            (state / f"{part}.db").symlink_to(disk / f"{part}.db")
        if part == "store":
            more = ["--set", f"store.sqlite.path={disk}/porta.db"]
        self.direct = ["-c", self.root / "config", "--state", state, *more]
        (self.root / "logs").mkdir()
        role = Role(str(self.bed.porta), "connect", self.direct, self.root / "logs/porta.log")
        role.argv = [str(self.bed.porta), "run", *self.direct, "--set", "server.port=0"]
        self.roles = Roles(str(self.bed.porta), self.direct, self.root / "logs", ())
        self.roles.members.append(role)
        self.ballast = Ballast(disk)
        self.after.append(lambda: drop(disk))
        self.started = time.monotonic()
        role.start()
        return self.begun()

    def clean(self):
        pass

    def check_delivered(self):
        """Views leave for recipients through Kafka only."""


def scaled(part, strike):
    return Scenario(strike, before=lambda run: small_tablespace(run, part))


def embedded(part, strike):
    return Scenario(strike, before=part, kind=Embedded)


SCENARIOS = {
    "full-store": scaled("porta", until_alarm),
    "full-keys": scaled("porta_keys", until_alarm),
    "full-decisions": scaled("porta_decisions", nothing_is_shown),
    "full-broker": Scenario(broker_full),
    "full-state": embedded("all", until_alarm),
    "full-sqlite": embedded("store", until_alarm),
    "full-sqlite-keys": embedded("keys", until_alarm),
    "full-sqlite-decisions": embedded("decisions", nothing_is_shown),
}
