#!/usr/bin/env python3
"""From a pushed body to the view that its recipients have, over a real Kafka and PostgreSQL, at a pace: p50 and p99 of the time from
the first byte sent to the line of `view receive --follow`, for each raw record (a row; each a new person).

    paced.py PORTA [SECONDS] [MAPPERS] RATE…        default 20 s, 2 mappers, 500 1000 2000 raw records a second
"""
import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from measure import fsync_ms, received, run, town  # noqa: E402
from support.door import DOOR  # noqa: E402
from support.kafka import Kafka  # noqa: E402
from support.postgres import Postgres  # noqa: E402
from support.process import wait_until  # noqa: E402
from support.roles import Roles  # noqa: E402

BODIES = 20  # a second
PATIENCE = 120
HEAD = "client_id;surname;name;birth_date;tax_code;worker;phone;last_contact\n"


def family(n):
    """Letters only: no name of one row is like another's."""
    text = ""
    for _ in range(6):
        n, digit = divmod(n * 7919 + 13 if not text else n, 26)
        text += chr(97 + digit)
    return "Q" + text


class Recipient(threading.Thread):
    """The views as they come: {family name: when}."""

    def __init__(self, porta, where):
        super().__init__(daemon=True)
        self.seen = {}
        self.process = subprocess.Popen([porta, "view", "receive", "--follow", "--as", "anna", "--purpose", "care-coordination", *where],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.start()

    def run(self):
        for line in self.process.stdout:
            now = time.monotonic()
            for name in json.loads(line).get("identity", {}).get("names", []):
                self.seen.setdefault(name.get("family", ""), now)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def push(port, body):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/sources/door/records", data=body, headers={"Authorization": "Bearer sesame"})
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert answer.status == 202
                return
        except urllib.error.HTTPError as e:
            if e.code not in (429, 503):
                raise
            time.sleep(0.05)


def paced(port, rate, seconds, first):
    """Sends at the pace, whatever the answers take: {family name: when it was due}."""
    due, threads, rows = {}, [], rate // BODIES
    start = time.monotonic()
    for n in range(seconds * BODIES):
        at = start + n / BODIES
        time.sleep(max(0.0, at - time.monotonic()))
        names = [family(first + n * rows + i) for i in range(rows)]
        body = HEAD + "".join(f"L{first + n * rows + i};{name};Prova;1960-02-03;;Verdi;;2024-02-01\n" for i, name in enumerate(names))
        due.update(dict.fromkeys(names, at))
        threads.append(threading.Thread(target=push, args=(port, body.encode())))
        threads[-1].start()
    for t in threads:
        t.join()
    return due


def main():
    porta = str(Path(sys.argv[1]).resolve())
    seconds, mappers, *rates = [int(x) for x in sys.argv[2:]] + [20, 2, 500, 1000, 2000][len(sys.argv[2:]):]
    with tempfile.TemporaryDirectory(prefix="porta-bench-") as directory:
        root = Path(directory)
        config = town(porta, 20, root / "town")
        (config / "sources/door.yaml").write_text(DOOR)
        (config / "door.token").write_text("sesame\n")
        purposes = config / "purposes.yaml"
        purposes.write_text(purposes.read_text().replace("sources: [hospital,", "sources: [door, hospital,"))
        with Kafka(root / "kafka") as kafka, Postgres(root / "postgres") as postgres:
            where = ["-c", str(config), "--state", str(root / "state"), "--set", f"log.kafka.brokers={kafka.brokers}",
                     "--set", f"store.postgresql.dsn={postgres.dsn}", "--set", "poll_ms=20"]
            run(porta, "topics", "apply", *where)
            with Roles(porta, where, root, ["connect", *["map"] * mappers, "resolve", "project"]) as roles:
                log = roles.members[0].log
                wait_until(lambda: '"http":' in log.read_text(), lambda: not roles.ended(), 20, "the door", log)
                port = json.loads(log.read_text().splitlines()[0])["ports"]["http"]
                recipient = Recipient(porta, where)
                first = 0
                for rate in [500, *rates]:  # the first one warms up
                    disk = fsync_ms(root)
                    due = paced(port, rate, 5 if not first else seconds, first)
                    first += len(due)
                    deadline = time.monotonic() + PATIENCE
                    while not due.keys() <= recipient.seen.keys():
                        if roles.ended() or time.monotonic() > deadline:
                            sys.exit(f"bench: {len(due.keys() - recipient.seen.keys())} of {len(due)} views did not come {roles.ended()}")
                        time.sleep(0.05)
                    took = sorted(1000 * (recipient.seen[name] - at) for name, at in due.items())
                    if first > len(due):
                        print(f"{rate}/s for {seconds} s, {mappers} mappers: p50 {took[len(took) // 2]:.0f} ms, p99 {took[int(len(took) * 0.99)]:.0f} ms, most "
                              f"{took[-1]:.0f} ms; fdatasync {disk[0]:.2f} ms, p99 {disk[1]:.2f}", flush=True)
                recipient.stop()
                time.sleep(0.5)
                received(run(porta, "account", "--json", *where)[2])


if __name__ == "__main__":
    main()
