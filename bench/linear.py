#!/usr/bin/env python3
"""Linear cost: a file ten and a hundred times as long costs as much a byte. Processor time, the three sizes in turn in each run.

    linear.py PORTA [RUNS]        PORTA: build/release/porta, with bench/micro beside it; default 5 runs; 1, 10 and 100 MB

FHIR Patients as NDJSON through mapping/library/fhir-r4.yaml, and one HL7 v2 file of many ADTs through hl7v2-adt.yaml. The goal is a
ratio within 15 %; exit 1 when it is missed.
"""
import json
import statistics
import sys
import tempfile
from pathlib import Path

from measure import run, spread

LIBRARY = Path(__file__).resolve().parents[1] / "mapping/library"
SIZES = (1, 10, 100)        # MB
WITHIN = 0.15
KINDS = {
    "NDJSON of Patients": ("fhir-patient-2.2kB", "fhir-r4.yaml", b"4711", b"\n"),
    "HL7 v2, many ADTs": ("adt-8.5kB", "hl7v2-adt.yaml", b"H1^", b""),
}


def write(file, record, varied, end, size):
    """The record again and again, each with an id of its own of the same length."""
    length = len(record) + len(end) + (9 - len(varied)) * record.count(varied)
    with open(file, "wb") as f:
        for n in range(size * 1_000_000 // length):
            f.write(record.replace(varied, b"%08d" % n + varied[-1:]) + end)


def main():
    porta = Path(sys.argv[1]).resolve()
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    missed = []
    with tempfile.TemporaryDirectory(prefix="porta-linear-") as directory:
        for kind, (sample, mapping, varied, end) in KINDS.items():
            record = run(porta.parent / "bench/micro", "--sample", sample)[2]
            files = {size: Path(directory) / f"{size}" for size in SIZES}
            for size, file in files.items():
                write(file, record, varied, end, size)
            cost, memory = {(size, task): [] for size in SIZES for task in ("read", "mapped", "stored")}, {}
            for _ in range(runs):
                for size, file in files.items():
                    _, memory[size], out = run(porta, "bench", "map", LIBRARY / mapping, file, "--runs", "3", "--seconds", "0.2", "--json")
                    said = json.loads(out)
                    if said["published"] != said["records"]:
                        sys.exit("bench: not every record is published")
                    for task, t in said["tasks"].items():
                        cost[size, task].append(float(t["ns_a_byte"]["median"]))
            for size in SIZES:
                print(f"{kind}, {size} MB, VmHWM {memory[size]:.0f} MiB", flush=True)
                for task in ("read", "mapped", "stored"):
                    ratio = statistics.median(a / b for a, b in zip(cost[size, task], cost[SIZES[0], task]))
                    print(f"  {task:7} {spread(cost[size, task], '{:.2f}')} ns a byte, {ratio:.2f} times 1 MB", flush=True)
                    if abs(ratio - 1) > WITHIN:
                        missed.append(f"{kind}, {size} MB, {task}: {ratio:.2f}")
    print("linear within 15 %" if not missed else "not linear: " + "; ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
