#!/usr/bin/env python3
"""Porta beside other engines on one core: the same records, the same values, warm, processor time, every engine in every run.

    run.py PORTA [RUNS]        PORTA: build/release/porta, with bench/micro beside it; default 10 runs

Task A: seven values of a FHIR Patient of 2.2 kB, from its bytes, by jq, fhirpath.js, JSONata and Porta; and mapped by Porta.
Task B: HAPI HL7 v2 parses an ADT of 8.5 kB and does nothing with it; Porta maps it with the mapping of its library.
"""
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

import engines
from engines import ROOT, Expressions, Jq, Mapping, hapi, node, said

PATIENTS = 4000
GOAL_A, GOAL_B = 10, 15


def patients(sample, file):
    """The record of bench/inputs.cpp, each with an identifier and a name of its own."""
    names = ["Zefirelli", "Kardelli", "Inventini", "Provetta"]
    lines = [sample.replace("4711", f"{100000 + n}").replace("Zefirelli", names[n % 4] + "abcdefgh"[n // 4 % 8]) for n in range(PATIENTS)]
    file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def same_values(mapped, others):
    expected = mapped.answers()
    if len(expected) != PATIENTS or len({tuple(v) for v in expected}) != PATIENTS:
        sys.exit("bench: Porta does not give seven values of each record")
    for other in others:
        got = other.answers() if hasattr(other, "answers") else [json.loads(x) for x in other.ask("answers", PATIENTS)]
        if got != expected:
            at = next((n for n, pair in enumerate(zip(got, expected)) if pair[0] != pair[1]), min(len(got), len(expected)))
            sys.exit(f"bench: {other.name} gives other values than Porta, first for record {at}")
    print(f"Task A: {PATIENTS} records, the same seven values of each by {1 + len(others)} engines", flush=True)


def same_message(porta, other, size):
    """HAPI keeps the whole message, and what it has in six fields is what the mapping took from them."""
    person, encounter = porta.operations()
    r = person["record"]
    digits = [r["birth_date"].replace("-", ""), encounter["record"]["start"].translate({ord(c): None for c in "-:T"})[:14]]
    expected = [person["key"].split("|")[2], r["names"][0]["family"], r["names"][0]["given"][0], digits[0], {"female": "F", "male": "M"}[r["sex"]],
                encounter["key"].split("|")[2], digits[1], str(size)]
    got = other.ask("answers")[0].rstrip("\n").split("\t")
    if got != expected:
        sys.exit(f"bench: {other.name} has other values than Porta in fields {[n for n, p in enumerate(zip(got, expected)) if p[0] != p[1]]}")
    print("\nTask B: the same values in the message of both", flush=True)


def rounds(ours, others, runs):
    """{name: [µs]}; whoever stood first in one run stands last in the next."""
    for other in others:
        if hasattr(other, "heat"):
            other.heat()
    everybody = [*ours, *others]
    times = {e.name: [] for e in everybody}
    for n in range(runs):
        for e in everybody if n % 2 else reversed(everybody):
            times[e.name].append(e.measure())
    return times


def spread(values):
    form = "{:.1f}" if statistics.median(values) < 1000 else "{:.0f}"
    return f"{form.format(statistics.median(values))} ({form.format(min(values))} to {form.format(max(values))})"


def table(ours, others, times, goal):
    """Ratios are of the same run: to the time of each of ours, with the goal against its median."""
    heads = [f"{f'times {e.name}, goal {goal}':27}" for e in ours]
    print(f"| {'engine':34} | {'µs a record, median (min to max)':32} | {' | '.join(heads)} |")
    print(f"|{'-' * 36}|{'-' * 34}|{(('-' * 29) + '|') * len(ours)}")
    for e in ours:
        for task, us in e.tasks.items():
            print(f"| {'Porta ' + VERSION + ', ' + task:34} | {spread(us):32} | {' | '.join([' ' * 27] * len(ours))} |")
    for e in others:
        cells = []
        for own in ours:
            ratios = [a / b for a, b in zip(times[e.name], times[own.name])]
            cells.append(f"{spread(ratios) + (' holds' if statistics.median(ratios) >= goal else ' missed'):27}")
        print(f"| {e.name:34} | {spread(times[e.name]):32} | {' | '.join(cells)} |")
        if getattr(e, "alone", None):
            print(f"| {'   without JSON.parse':34} | {spread(e.alone):32} | {' | '.join([' ' * 27] * len(ours))} |")
    sys.stdout.flush()


VERSION = said("git", "-c", "safe.directory=*", "-C", ROOT, "rev-parse", "--short", "HEAD").decode().strip()


def main():
    porta = Path(sys.argv[1]).resolve()
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    micro = porta.parent / "bench/micro"
    engines.install()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory(prefix="porta-rivals-") as directory:
        ndjson, adt = Path(directory) / "patients.ndjson", Path(directory) / "adt.hl7"
        patients(said(micro, "--sample", "fhir-patient-2.2kB").decode(), ndjson)
        adt.write_bytes(said(micro, "--sample", "adt-8.5kB"))

        ours = [Expressions(porta, ndjson), Mapping(porta, engines.HERE / "patient.yaml", ndjson)]
        others = [Jq(ndjson, PATIENTS), node("fhirpath.js *", "fhirpath", ndjson), node("fhirpath.js *, R4 model", "fhirpath-r4", ndjson),
                  node("JSONata *", "jsonata", ndjson), node("JSONata *, synchronous", "jsonata1", ndjson)]
        same_values(ours[1], [ours[0], *others])
        table(ours, others, rounds(ours, others, runs), GOAL_A)
        for other in others[1:]:
            other.close()

        mapped = Mapping(porta, ROOT / "mapping/library/hl7v2-adt.yaml", adt, "--time-zone", "Europe/Rome", "--object-time", "2024-03-01")
        parser = hapi(adt)
        same_message(mapped, parser, adt.stat().st_size)
        table([mapped], [parser], rounds([mapped], [parser], runs), GOAL_B)
        parser.close()


if __name__ == "__main__":
    main()
