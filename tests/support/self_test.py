#!/usr/bin/env python3
"""The servers of tests/support do what tests rely on: start, survive kill -9 with their data, keep their address, leave no
process behind. self_test.py kafka|postgres|all; the last line counts."""
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.kafka import Kafka  # noqa: E402
from support.postgres import Postgres  # noqa: E402

failures = []


def check(holds, what, detail=""):
    print(("  ok   " if holds else "  FAIL ") + what + (f"  [{detail}]" if detail else ""), flush=True)
    if not holds:
        failures.append(what)


def gone(pid):
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.1)
    return False


def produce(k, topic, lines):
    subprocess.run(["kcat", "-q", "-P", "-b", k.brokers, "-t", topic, "-X", "enable.idempotence=true", "-X", "acks=all"],
                   input="\n".join(lines).encode(), check=True)


def consume(k, topic):
    r = subprocess.run(["kcat", "-C", "-e", "-q", "-o", "beginning", "-b", k.brokers, "-t", topic], stdout=subprocess.PIPE, check=True)
    return r.stdout.decode().split()


def kafka(root):
    start = time.monotonic()
    with Kafka(root / "kafka") as k:
        check(True, "Kafka answers", f"{time.monotonic() - start:.1f} s at {k.brokers}")
        k.create_topic("notes", 3, {"retention.ms": "-1"})
        k.create_topic("notes", 3)
        produce(k, "notes", [f"a{i}" for i in range(1000)])
        first, address = k.process.pid, k.brokers
        k.kill()
        check(gone(first), "kill -9 ends the broker")
        k.start()
        check(k.brokers == address and k.process.pid != first, "it comes back at the same address")
        produce(k, "notes", [f"b{i}" for i in range(1000)])
        got, want = consume(k, "notes"), [f"{batch}{i}" for batch in "ab" for i in range(1000)]
        check(sorted(got) == sorted(want), "no message lost or doubled by kill -9", str(len(got)))
        refused = subprocess.run(["kcat", "-P", "-b", k.brokers, "-t", "unknown", "-X", "message.timeout.ms=3000"],
                                 input=b"x", stderr=subprocess.DEVNULL)
        check(refused.returncode != 0, "a topic that nobody created is refused")
        last = k.process.pid
    check(gone(last), "the end of the block ends the broker")


def postgres(root):
    start = time.monotonic()
    with Postgres(root / "postgres") as p:
        version = p.query("SHOW server_version")[0][0]
        check(True, "PostgreSQL answers", f"{version}, {time.monotonic() - start:.1f} s")
        check(p.query("SHOW fsync") == [["on"]], "it syncs what it commits")
        p.query("CREATE TABLE notes (n integer); INSERT INTO notes SELECT generate_series(1, 1000)")
        first, dsn = p.process.pid, p.dsn
        p.kill()
        check(gone(first), "kill -9 ends it")
        p.start()
        kept = p.query("SELECT count(*), sum(n) FROM notes")
        check(kept == [["1000", "500500"]] and p.dsn == dsn, "what was committed is there after kill -9", str(kept))
        last = p.process.pid
    check(gone(last), "the end of the block ends it")


def orphans(root, kind):
    """A test that is itself killed leaves no server behind."""
    name, package = kind.__name__, kind.__module__.rpartition(".")[0]
    program = (f"import sys, time; sys.path.insert(0, sys.argv[1]); from {package} import {name}\n"
               f"s = {name}(sys.argv[2]).start(); print(s.process.pid, flush=True); time.sleep(600)")
    tests = str(Path(__file__).resolve().parents[1])
    child = subprocess.Popen([sys.executable, "-c", program, tests, str(root / f"orphan-{name}")], stdout=subprocess.PIPE)
    pid = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    child.wait()
    check(gone(pid), f"{name} ends with a test that is killed")


def failing_block(root):
    pid = None
    try:
        with Postgres(root / "failing") as p:
            pid = p.process.pid
            raise ValueError
    except ValueError:
        pass
    check(gone(pid), "a test that fails ends its server")


def main():
    which = sys.argv[1] if sys.argv[1:] else "all"
    with tempfile.TemporaryDirectory(prefix="porta-support-") as directory:
        root = Path(directory)
        if which in ("kafka", "all"):
            kafka(root)
            orphans(root, Kafka)
        if which in ("postgres", "all"):
            postgres(root)
            failing_block(root)
            orphans(root, Postgres)
    print(f"support: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
