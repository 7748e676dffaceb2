"""One real PostgreSQL on 127.0.0.1, a cluster of its own with fsync on, as Debian's package brings it.

    with Postgres(directory) as p:
        p.dsn                  "host=127.0.0.1 port=… user=porta dbname=porta", the same after every restart
        p.query("SELECT 1")    rows as lists of text, through psql
        p.kill(); p.start()    kill -9 of all its processes, then again on the same data (crash recovery)

As root the server runs as user postgres, which PostgreSQL insists on.
"""
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from ..process import Server, StartError, free_ports, wait_until


def programs():
    """Debian keeps each major version in a folder of its own, outside of PATH; the newest counts."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(re.sub(r"\D", "", p.parts[-3]) or 0))
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    if not on_path:
        raise StartError("PostgreSQL is not installed (deploy/packages.txt)")
    return Path(on_path).resolve().parent


def children(pid):
    try:
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


class Postgres(Server):
    # For the main process: immediate shutdown if the test dies, fast shutdown when it ends well.
    death_signal = "QUIT"
    stop_signal = signal.SIGINT

    def __init__(self, directory):
        self.directory = Path(directory).resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        super().__init__(self.directory / "postgres.log")
        self.data = self.directory / "data"
        self.bin = programs()
        (self.port,) = free_ports(1)
        self.dsn = f"host=127.0.0.1 port={self.port} user=porta dbname=porta"
        if os.geteuid() == 0:
            self.user = "postgres"
            shutil.chown(self.directory, "postgres", "postgres")
            self.open_the_way()

    def open_the_way(self):
        """Temporary directories are closed to others; user postgres must be able to walk through those above ours."""
        temp = Path(tempfile.gettempdir()).resolve()
        for parent in self.directory.parents:
            if temp in parent.parents and not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)

    def initialise(self):
        as_user = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"] if self.user else []
        # --no-sync concerns this one call; the running server syncs as usual.
        initdb = [*as_user, self.bin / "initdb", "-D", self.data, "-A", "trust", "-U", "porta", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        r = subprocess.run(initdb, cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if r.returncode != 0:
            raise StartError("initdb failed\n" + r.stdout[-800:])

    def psql(self, sql, database="porta"):
        plain = ["-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1"]
        return subprocess.run([self.bin / "psql", *plain, "-h", "127.0.0.1", "-p", str(self.port), "-U", "porta", "-d", database, "-c", sql],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def query(self, sql, database="porta"):
        r = self.psql(sql, database)
        if r.returncode != 0:
            raise RuntimeError("psql: " + r.stderr.strip()[-400:])
        return [line.split("\t") for line in r.stdout.splitlines()]

    def start(self):
        if self.alive():
            return self
        if not (self.data / "PG_VERSION").exists():
            self.initialise()
        only_loopback = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        self.spawn([self.bin / "postgres", "-D", self.data, "-p", self.port, *only_loopback], cwd=self.directory)
        wait_until(lambda: self.psql("SELECT 1", "postgres").returncode == 0, self.alive, 60, "PostgreSQL", self.log)
        if not self.query("SELECT 1 FROM pg_database WHERE datname = 'porta'", "postgres"):
            self.query("CREATE DATABASE porta", "postgres")
        return self

    def kill(self):
        """All processes of the cluster at once; a main process alone would leave its children to end by themselves, and a
        successor refuses to start beside them."""
        if not self.alive():
            return
        family = children(self.process.pid)
        super().kill()
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        ended = lambda: not any(Path(f"/proc/{pid}").exists() for pid in family)  # noqa: E731
        wait_until(ended, lambda: True, 20, "the end of PostgreSQL's processes", self.log)
