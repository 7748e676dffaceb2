#!/usr/bin/env python3
"""Bytes → durable and resolved through `porta ingest`, into an empty state each time: raw records a second, memory, the growth of
the cost with the size, and how long the short commands take on an empty and on the full store.

    ingest.py PORTA [PEOPLE] [RUNS]        default 12500 people (about 100,000 raw records), 3 runs
"""
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from measure import fsync_ms, received, run, spread, town


def ingest(porta, config, state):
    seconds, memory, _ = run(porta, "ingest", "-c", config, "--state", state)
    count = received(run(porta, "account", "--json", "-c", config, "--state", state)[2])
    return count, seconds, memory


def series(porta, root, people, runs):
    """Ingests the same town into `runs` empty states; returns (raw records, their rates, the last state)."""
    config, rates, memories = town(porta, people, root / f"town{people}"), [], []
    for n in range(runs):
        disk = fsync_ms(root)
        state = root / f"state{people}-{n}"
        count, seconds, memory = ingest(porta, config, state)
        rates.append(count / seconds)
        memories.append(memory)
        print(f"  run {n + 1}: {count} raw records in {seconds:.2f} s, {rates[-1]:.0f}/s, VmHWM {memory:.0f} MiB; "
              f"fdatasync {disk[0]:.2f} ms, p99 {disk[1]:.2f}", flush=True)
    print(f"ingest, {people} people, {count} raw records: {spread(rates)} raw records/s, VmHWM {max(memories):.0f} MiB", flush=True)
    return rates, config, state


def ceiling(state, root):
    """The same rows into an empty store with the same settings, in the same batches, and nothing else: what SQLite alone takes."""
    def copy(name, batches):
        old, new = sqlite3.connect(state / name), sqlite3.connect(root / name, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=4000", "cache_size=-65536"):
            new.execute(f"PRAGMA {pragma}")
        for (sql,) in old.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"):
            new.execute(sql)
        took = 0
        for tables in batches(old):
            start = time.monotonic()
            new.execute("BEGIN IMMEDIATE")
            for table, rows in tables.items():
                if rows:
                    new.executemany(f"INSERT OR REPLACE INTO {table} VALUES({','.join('?' * len(rows[0]))})", rows)
            new.execute("COMMIT")
            took += time.monotonic() - start
        old.close(), new.close()
        return took

    def data(old):
        last, = old.execute("SELECT max(id) FROM raw").fetchone()
        shares = {t: [r[0] for r in old.execute(f"SELECT count(*) FROM {t}")][0] for t in ("token", "member", "identity_log")}
        cursors = {t: old.execute(f"SELECT * FROM {t} ORDER BY {'seq' if t == 'identity_log' else 'random()'}") for t in shares}
        links = defaultdict(list)
        for row in old.execute("SELECT hash, raw FROM link"):
            links[row[1] // 1000].append(row)
        for first in range(0, last + 1, 1000):
            span = (first, first + 999)
            tables = {"raw": old.execute("SELECT * FROM raw WHERE id BETWEEN ? AND ?", span).fetchall(),
                      "operation": old.execute("SELECT * FROM operation WHERE raw BETWEEN ? AND ?", span).fetchall(),
                      "link": links[first // 1000]}
            tables |= {t: cursors[t].fetchmany(shares[t] * 1000 // last + 1) for t in shares}
            yield tables

    def keys(old):
        last, = old.execute("SELECT max(no) FROM wrapped").fetchone()
        for first in range(0, last + 1, 1000):
            yield {"wrapped": old.execute("SELECT * FROM wrapped WHERE no BETWEEN ? AND ?", (first, first + 999)).fetchall()}

    return copy("porta.db", data), copy("keys.db", keys)


def starts(porta, config, state, name, count=15):
    for command in ("status", "account"):
        times = [1000 * run(porta, command, "--json", "-c", config, "--state", state)[0] for _ in range(count)]
        print(f"start: porta {command}, {name} store: {spread(times, '{:.1f}')} ms", flush=True)


def main():
    porta = str(Path(sys.argv[1]).resolve())
    people, runs = [int(x) for x in sys.argv[2:4] + ["12500", "3"][len(sys.argv[2:4]):]]
    with tempfile.TemporaryDirectory(prefix="porta-bench-") as directory:
        root = Path(directory)
        small, config, _ = series(porta, root, people // 4, runs)
        whole, config, state = series(porta, root, people, runs)
        ratio = statistics.median(small) / statistics.median(whole)
        rows, keys = ceiling(state, root)
        count = received(run(porta, "account", "--json", "-c", config, "--state", state)[2])
        print(f"ceiling: the same rows into SQLite alone: {count / rows:.0f} raw records/s, their keys {count / keys:.0f}/s, "
              f"one after the other {count / (rows + keys):.0f}/s", flush=True)
        print(f"growth: a raw record costs {ratio:.2f} times as much in four times the records", flush=True)
        # A store that exists and holds nothing: the sources are there, their files are not.
        nothing = town(porta, 1, root / "nothing")
        for feed in (root / "nothing/feeds").rglob("*.*"):
            feed.unlink()
        run(porta, "ingest", "-c", nothing, "--state", root / "state-empty")
        starts(porta, nothing, root / "state-empty", "empty")
        starts(porta, config, state, "full")


if __name__ == "__main__":
    main()
