#!/usr/bin/env python3
"""Raw records a second through `porta ingest`: an invented municipality, each run into an empty state. ingest.py PORTA [PEOPLE] [RUNS]"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main():
    porta = str(Path(sys.argv[1]).resolve())
    people, runs = [int(x) for x in sys.argv[2:4] + ["2000", "3"][len(sys.argv[2:4]):]]
    os.environ.setdefault("PORTA_AS", "acceptance")
    os.environ.setdefault("PORTA_PURPOSE", "verification")
    with tempfile.TemporaryDirectory(prefix="porta-bench-") as tmp:
        root = Path(tmp)
        subprocess.run([porta, "synth", "--people", str(people), "--seed", "7", "--out", str(root / "m")], check=True, stdout=subprocess.DEVNULL)
        rates = []
        for n in range(runs):
            where = ["-c", str(root / "m/config"), "--state", str(root / f"state{n}")]
            start = time.monotonic()
            subprocess.run([porta, "ingest", *where], check=True, stdout=subprocess.DEVNULL)
            seconds = time.monotonic() - start
            account = json.loads(subprocess.run([porta, "account", "--json", *where], check=True, stdout=subprocess.PIPE).stdout)
            received = sum(s["received"] for s in account["sources"])
            if not account["balanced"] or received == 0:
                sys.exit("bench: the account does not balance")
            rates.append(received / seconds)
            print(f"run {n + 1}: {received} raw records in {seconds:.2f} s, {rates[-1]:.0f} a second", flush=True)
        print(f"median {statistics.median(rates):.0f} raw records a second, spread {min(rates):.0f} to {max(rates):.0f}")


if __name__ == "__main__":
    main()
