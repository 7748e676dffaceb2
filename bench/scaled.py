#!/usr/bin/env python3
"""From bytes to quiet over a real Kafka and a real PostgreSQL on this machine, one process for each role: raw records a second.
The feeds lie ready; the clock runs from the start of the roles until nothing is pending any more.

    scaled.py PORTA [PEOPLE] [RUNS] [MAPPERS]        default 12500 people (about 100,000 raw records), 3 runs, 2 mappers
"""
import json
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


def once(porta, config, root, mappers, expected):
    names = ["connect", *["map"] * mappers, "resolve", "project"]
    with Kafka(root / "kafka") as kafka, Postgres(root / "postgres") as postgres:
        where = ["-c", config, "--set", f"log.kafka.brokers={kafka.brokers}", "--set", f"store.postgresql.dsn={postgres.dsn}"]
        run(porta, "topics", "apply", *where)
        disk = fsync_ms(root)
        with Roles(porta, where, root, names) as roles:
            seconds = until_quiet(porta, where, roles, expected)
            memory = ", ".join(f"{r.name} {r.peak_mib():.0f}" for r in roles.members)
            cpu = ", ".join(f"{name} {server.cpu_seconds():.1f}" for name, server in
                            [*((r.name, r) for r in roles.members), ("broker", kafka), ("database", postgres)])
            count = received(run(porta, "account", "--json", *where)[2])
    print(f"  {count} raw records in {seconds:.1f} s, {count / seconds:.0f}/s; VmHWM in MiB: {memory}; processor s: {cpu}; fdatasync {disk[0]:.2f} ms, p99 {disk[1]:.2f}", flush=True)
    return count, count / seconds


def main():
    porta = str(Path(sys.argv[1]).resolve())
    people, runs, mappers = [int(x) for x in sys.argv[2:5] + ["12500", "3", "2"][len(sys.argv[2:5]):]]
    with tempfile.TemporaryDirectory(prefix="porta-bench-") as directory:
        root = Path(directory)
        config = town(porta, people, root / "town")
        expected = json.loads((root / "town/manifest.json").read_text())["raw"]
        rates = []
        for n in range(runs):
            (root / f"run{n}").mkdir()
            count, rate = once(porta, config, root / f"run{n}", mappers, expected)
            rates.append(rate)
    print(f"scaled out, {count} raw records, {mappers} mappers, broker and database on the same machine: {spread(rates)} raw records/s")


if __name__ == "__main__":
    main()
