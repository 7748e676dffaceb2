"""What all benches share: a child's time and memory, the disk's fsync, medians with their spread."""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("PORTA_AS", "acceptance")
os.environ.setdefault("PORTA_PURPOSE", "verification")


def run(*argv):
    """Runs a command to its end: (seconds, peak resident MiB, stdout). A failure ends the bench."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        p = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, usage = os.wait4(p.pid, 0)
        seconds = time.monotonic() - start
        p.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0), err.seek(0)
        if p.returncode != 0:
            sys.exit(f"bench: {' '.join(map(str, argv[:3]))} ended with {p.returncode}\n{err.read()[-600:].decode(errors='replace')}")
        return seconds, usage.ru_maxrss / 1024, out.read()


def received(account):
    """Raw records of an account that balances; a figure for anything else would be a figure for nothing."""
    account = json.loads(account)
    count = sum(s["received"] for s in account["sources"])
    if not account["balanced"] or count == 0 or any(s["pending"] for s in account["sources"]):
        sys.exit("bench: the account does not balance")
    return count


def town(porta, people, directory):
    """An invented municipality; about 8.2 raw records a person, from six sources, scattered as they come."""
    run(porta, "synth", "--people", people, "--seed", "7", "--out", directory)
    return Path(directory) / "config"


def fsync_ms(directory, count=200):
    """(median, p99) of appending 4 KiB and fdatasync, in milliseconds: the disk's share in every figure beside it."""
    times, path = [], Path(directory) / "fsync-probe"
    with open(path, "wb", buffering=0) as f:
        for _ in range(count):
            f.write(bytes(4096))
            start = time.monotonic()
            os.fdatasync(f.fileno())
            times.append(1000 * (time.monotonic() - start))
    path.unlink()
    return statistics.median(times), sorted(times)[int(0.99 * count)]


def spread(values, form="{:.0f}"):
    return f"median {form.format(statistics.median(values))}, {form.format(min(values))} to {form.format(max(values))} of {len(values)} runs"
