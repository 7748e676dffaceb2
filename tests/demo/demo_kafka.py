#!/usr/bin/env python3
"""The story of `make demo-kafka`: the same invented people over a real Apache Kafka and a real PostgreSQL, one process per
role, and the proof that the views are the embedded ones, byte for byte. demo_kafka.py PORTA"""
import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]
from demo import Demo, account, heading, invent, lines, proofs, quarantine, trace, view  # noqa: E402
from support.kafka import Kafka  # noqa: E402
from support.postgres import Postgres  # noqa: E402
from support.roles import Roles  # noqa: E402

PATIENCE = 300


def wait_until_quiet(porta, roles, expected):
    """Until every raw record has arrived and nothing is pending, with a line that shows how far it is."""
    start, on_terminal = time.monotonic(), sys.stdout.isatty()
    while True:
        if roles.ended():
            sys.exit("demo: " + roles.ended())
        pending = json.loads(porta("status", "--json", show=False))["pending"]
        received = sum(s["received"] for s in json.loads(porta("account", "--json", show=False))["sources"])
        seconds = time.monotonic() - start
        line = f"  {seconds:5.1f} s  {received}/{expected} raw records received; pending " + " ".join(f"{k} {v}" for k, v in pending.items())
        print("\r" + line.ljust(118) if on_terminal else line, end="" if on_terminal else "\n", flush=True)
        if received >= expected and not any(pending.values()):
            print("\n" * on_terminal + "  quiet: nothing is on its way any more")
            return
        if seconds > PATIENCE:
            sys.exit(f"demo: not quiet after {PATIENCE} s\n{roles.said()}")
        time.sleep(1)


def embedded(porta):
    """The yardstick: the same feeds through one process and SQLite."""
    heading("First embedded, to compare with: one process, one file")
    porta("ingest")
    received = sum(s["received"] for s in json.loads(porta("account", "--json", show=False))["sources"])
    return received, porta("view", "export", "--canonical")


def compare(porta, reference):
    heading("The same views, byte for byte?")
    views = porta("view", "export", "--canonical")
    same = views == reference
    print(f"  {reference.count(10)} views embedded, {views.count(10)} over Kafka and PostgreSQL, byte-identical:", "yes" if same else "NO")
    if not same or not reference:
        sys.exit("demo: the two forms differ")


def receive(porta):
    heading("What left for the registered recipients of a purpose, each delivery logged before")
    asking = ("--as", "anna", "--purpose", "care-coordination")
    received, exported = porta("view", "receive", *asking), porta("view", "export", *asking)
    logged = [e for e in lines(porta("audit", "log", show=False)) if e["action"] == "view.deliver"]
    print(f"  {received.count(10)} views received, {len(logged)} deliveries in the decision log; the lines of `view export`:",
          "yes" if received == exported else "NO")
    if received != exported or not received or not logged:
        sys.exit("demo: recipients do not have what readers have")


def main():
    os.environ.setdefault("PORTA_AS", "acceptance")
    os.environ.setdefault("PORTA_PURPOSE", "verification")
    with tempfile.TemporaryDirectory(prefix="porta-demo-") as directory:
        root = Path(directory)
        porta = Demo(str(Path(sys.argv[1]).resolve()), root)
        invent(porta)
        expected, reference = embedded(porta)

        heading("A real Kafka and a real PostgreSQL, for this demo only")
        with Kafka(root / "kafka") as kafka, Postgres(root / "postgres") as postgres:
            print(f"  Kafka at {kafka.brokers}, PostgreSQL at {postgres.dsn}")
            porta.where = ["-c", str(root / "municipality/config"), "--set", f"log.kafka.brokers={kafka.brokers}",
                           "--set", f"store.postgresql.dsn={postgres.dsn}"]
            heading("Topics, then one process for each role")
            porta("topics", "apply")
            with Roles(porta.porta, porta.where, root) as roles:
                print("\n".join(f"$ porta run --role {role} …" for role in roles.names))
                heading("From the feeds to the views")
                wait_until_quiet(porta, roles, expected)
                account(porta)
                quarantine(porta)
                trace(porta, view(porta))
                compare(porta, reference)
                receive(porta)
                proofs(porta)
    heading("Where to look next")
    print("  docs/ARCHITECTURE.md     which role does what, and what holds when one is killed\n"
          "  tests/support/           the two servers, to try things by hand: python3 tests/support/servers.py\n")


if __name__ == "__main__":
    main()
