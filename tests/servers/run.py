#!/usr/bin/env python3
"""The scaled-out form against one real Kafka and one real PostgreSQL, which it starts and ends.

    run.py BUILD [unit] [stopped]      BUILD: a build directory; default: both parts
    run.py BUILD unit --gtest_filter=KafkaLog.*

unit: the program servers_test; it asks for kills and restarts over a socket. stopped: stopped_resolver.py.
"""
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import stopped_resolver  # noqa: E402
from support.kafka import Kafka  # noqa: E402
from support.postgres import Postgres  # noqa: E402

PATIENCE = 400


def italian(postgres):
    """A database that sorts text by a language, so that an ORDER BY that leans on bytes is found out."""
    postgres.query("CREATE DATABASE trial TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'it'", "postgres")
    return postgres.dsn.replace("dbname=porta", "dbname=trial")


def unit(build, kafka, postgres, arguments):
    """Serves the program's orders, one line each, until it ends."""
    ours, theirs = socket.socketpair()
    servers = {"kafka": kafka, "postgres": postgres}
    environment = {**os.environ, "PORTA_TEST_POSTGRES": italian(postgres), "PORTA_TEST_KAFKA": kafka.brokers,
                   "PORTA_TEST_CONTROL": str(theirs.fileno())}
    program = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", build / "tests/unit/pipeline/servers_test", *arguments],
                               env=environment, pass_fds=[theirs.fileno()])
    theirs.close()
    ours.settimeout(1)
    deadline, line = time.monotonic() + PATIENCE, b""
    while program.poll() is None:
        if time.monotonic() > deadline:
            program.kill()
            print(f"servers_test did not end in {PATIENCE} s")
        try:
            line += ours.recv(1)
        except TimeoutError:
            continue
        except ConnectionResetError:
            break
        if line.endswith(b"\n"):
            order, which = line.decode().split()
            {"kill": servers[which].kill, "start": servers[which].start}[order]()
            ours.sendall(b"ok\n")
            line = b""
    return program.wait() == 0


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = Path(sys.argv[1]).resolve()
    parts = [a for a in sys.argv[2:] if not a.startswith("-")] or ["unit", "stopped"]
    if set(parts) - {"unit", "stopped"}:
        sys.exit(__doc__)
    failed = []
    with tempfile.TemporaryDirectory(prefix="porta-servers-") as directory:
        root = Path(directory)
        with Kafka(root / "kafka") as kafka, Postgres(root / "postgres") as postgres:
            for part in parts:
                start = time.monotonic()
                if part == "unit":
                    held = unit(build, kafka, postgres, [a for a in sys.argv[2:] if a.startswith("-")])
                else:
                    held = stopped_resolver.run(build / "porta", kafka, postgres, root)
                print(f"[{'ok' if held else 'FAILED'}] servers {part}  {time.monotonic() - start:.1f} s", flush=True)
                failed += [] if held else [part]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
