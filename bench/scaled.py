#!/usr/bin/env python3
"""From bytes to quiet over a real Kafka and a real PostgreSQL on this machine, one process for each role: raw records a second.
The feeds lie ready; the clock runs from the start of the roles until nothing is pending any more. The servers stay, and each run has
topics and a database of its own: the first run, of a broker whose code is not compiled yet, is told apart. The ceiling: all rows
of the last run into an empty database of the same tables and indexes, by PostgreSQL alone, sixty-four rows to a statement.

    scaled.py PORTA [PEOPLE] [RUNS] [MAPPERS]        default 12500 people (about 100,000 raw records), 3 runs, 2 mappers
"""
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from measure import fsync_ms, received, run, spread, town  # noqa: E402
from support.kafka import Kafka  # noqa: E402
from support.postgres import Postgres  # noqa: E402
from support.roles import Roles  # noqa: E402

PATIENCE = 900


def until_quiet(porta, where, roles, expected):
    """Seconds until every raw record has an outcome and nothing is on its way; looks twice a second."""
    start = time.monotonic()
    while True:
        if roles.ended():
            sys.exit("bench: " + roles.ended())
        pending = json.loads(run(porta, "status", "--json", *where)[2])["pending"]
        if not any(pending.values()):
            sources = json.loads(run(porta, "account", "--json", *where)[2])["sources"]
            if sum(s["received"] for s in sources) >= expected:
                return time.monotonic() - start
        if time.monotonic() - start > PATIENCE:
            sys.exit(f"bench: not quiet after {PATIENCE} s; pending {pending}")
        time.sleep(0.5)


def once(porta, config, root, servers, name, mappers, expected):
    kafka, postgres = servers
    postgres.query(f"CREATE DATABASE {name}", "postgres")
    where = ["-c", config, "--set", f"log.kafka.brokers={kafka.brokers}", "--set", f"log.kafka.prefix={name}.",
             "--set", f"store.postgresql.dsn={postgres.dsn.replace('dbname=porta', 'dbname=' + name)}"]
    run(porta, "topics", "apply", *where)
    disk = fsync_ms(root)
    before = [server.cpu_seconds() for server in servers]
    with Roles(porta, where, root / name, ["connect", *["map"] * mappers, "resolve", "project"]) as roles:
        seconds = until_quiet(porta, where, roles, expected)
        memory = ", ".join(f"{r.name} {r.peak_mib():.0f}" for r in roles.members)
        cpu = [(r.name, r.cpu_seconds()) for r in roles.members]
        cpu += [(what, server.cpu_seconds() - b) for what, server, b in zip(("broker", "database"), servers, before)]
        count = received(run(porta, "account", "--json", *where)[2])
    print(f"  {name}: {count} raw records in {seconds:.1f} s, {count / seconds:.0f}/s; VmHWM in MiB: {memory}; processor s: "
          f"{', '.join(f'{what} {s:.1f}' for what, s in cpu)}; fdatasync {disk[0]:.2f} ms, p99 {disk[1]:.2f}", flush=True)
    return count, count / seconds


def ceiling(postgres, name, root):
    """Seconds in which psql writes what the run has written, in one transaction."""
    def tool(program, *args, **more):
        return subprocess.run([postgres.bin / program, "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "porta", *args], check=True, **more)
    script = root / "rows.sql"
    postgres.query("CREATE DATABASE ceiling", "postgres")
    with open(script, "w") as out:
        tool("pg_dump", "--schema-only", name, stdout=out)
    tool("psql", "-q", "-d", "ceiling", "-f", script, stdout=subprocess.DEVNULL)
    with open(script, "w") as out:
        tool("pg_dump", "--data-only", "--rows-per-insert=64", name, stdout=out)
    start = time.monotonic()
    tool("psql", "-q", "-d", "ceiling", "-v", "ON_ERROR_STOP=1", "-1", "-f", script, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    script.unlink()
    return seconds


def main():
    porta = str(Path(sys.argv[1]).resolve())
    people, runs, mappers = [int(x) for x in sys.argv[2:5] + ["12500", "3", "2"][len(sys.argv[2:5]):]]
    with tempfile.TemporaryDirectory(prefix="porta-bench-") as directory:
        root = Path(directory)
        config = town(porta, people, root / "town")
        expected = json.loads((root / "town/manifest.json").read_text())["raw"]
        with Kafka(root / "kafka") as kafka, Postgres(root / "postgres") as postgres:
            rates = []
            for name in ["cold", *(f"run{n + 1}" for n in range(runs))]:
                (root / name).mkdir()
                count, rate = once(porta, config, root, (kafka, postgres), name, mappers, expected)
                rates.append(rate)
            alone = count / ceiling(postgres, name, root)
    print(f"scaled out, {count} raw records, {mappers} mappers, broker and database on the same machine: first {rates[0]:.0f}, then {spread(rates[1:])} raw records/s; "
          f"their rows by PostgreSQL alone {alone:.0f}/s")


if __name__ == "__main__":
    main()
