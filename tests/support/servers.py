#!/usr/bin/env python3
"""One Kafka and one PostgreSQL to try things by hand: prints the settings for porta, ends both on Ctrl-C. servers.py [DIR]"""
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.kafka import Kafka  # noqa: E402
from support.postgres import Postgres  # noqa: E402


def run(directory):
    with Kafka(directory / "kafka") as k, Postgres(directory / "postgres") as p:
        # Only now: children inherit what is blocked.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        print(f"--set log.kafka.brokers={k.brokers} --set store.postgresql.dsn='{p.dsn}'", flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


def main():
    if sys.argv[1:]:
        return run(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory(prefix="porta-servers-") as directory:
        run(Path(directory))


if __name__ == "__main__":
    main()
