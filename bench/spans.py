#!/usr/bin/env python3
"""What it costs a field that its source bytes are recorded: the program as it is, beside two of which that part was taken out.

    spans.py [ROUNDS]        after `make build`; default 30 rounds

The product has no switch for it. So copies of two files lose a line each, are compiled with the commands of build/release, and linked
with the rest of bench/micro:
- *sources*: the leaf's list of (offset, length, decoded text) stays empty (mapping/engine/values.cpp);
- *spans*: besides, expressions do not carry the spans of what they computed from (fhirpath/evaluator.h).
Instructions of one mapping are counted (callgrind, which no other load disturbs) and timed, the three in turn in each round. A
field is a leaf with at least one source, as `map explain` lists them. The reader's offsets stay: without them no error has a place.
"""
import json
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import run

ROOT = Path(__file__).resolve().parents[1]
BUILD, PLACE = ROOT / "build/release", ROOT / "build/spans"
WITHOUT = {
    "mapping/engine/values.cpp": ("addSources(scope, value, l.sources);", ""),
    "fhirpath/evaluator.h": ("bool tracking_ = true;", "bool tracking_ = false;"),
}
SAMPLES = {"adt-0.2kB": "hl7v2-adt.yaml", "adt-8.5kB": "hl7v2-adt.yaml", "fhir-patient-2.2kB": "fhir-r4.yaml", "csv-row-20x200B": "unemployment-register.yaml"}
GOAL_NS = 30


def patched(name):
    text, (line, instead) = (ROOT / name).read_text(), WITHOUT[name]
    if text.count(line) != 1:
        sys.exit(f"bench: {name} has `{line}` {text.count(line)} times; this script takes out the only one")
    file = PLACE / "tree" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text.replace(line, instead))
    return file


def compiled(file, source):
    """As build/release compiles `file`, but from `source`, the copies found first."""
    command = next(c["command"] for c in json.loads((BUILD / "compile_commands.json").read_text()) if c["file"] == str(ROOT / file))
    argv = shlex.split(command)
    argv = [argv[0], f"-I{PLACE}/tree", *argv[1:argv.index("-o")]]
    out = PLACE / (file.replace("/", "_") + ".o")
    subprocess.run([*argv, "-o", out, "-c", source], check=True, cwd=BUILD)
    return out


def linked(name, objects):
    command = subprocess.run(["ninja", "-C", BUILD, "-t", "commands", "bench/micro"], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
    out = PLACE / name
    subprocess.run(command.replace("-o bench/micro", " ".join(map(str, objects)) + f" -o {out}"), shell=True, check=True, cwd=BUILD)
    return out


def programs():
    values = compiled("mapping/engine/values.cpp", patched("mapping/engine/values.cpp"))
    patched("fhirpath/evaluator.h")
    evaluators = [f for f in sorted((ROOT / "fhirpath").glob("*.cpp")) if '"fhirpath/evaluator.h"' in f.read_text()]
    objects = [compiled(str(f.relative_to(ROOT)), f) for f in evaluators]
    return {"as it is": BUILD / "bench/micro", "no sources": linked("micro-sources", [values]), "no spans": linked("micro-spans", [values, *objects])}


def instructions(program, sample):
    """Of one mapping: 300 more of them against 100."""
    def count(times):
        with tempfile.NamedTemporaryFile() as out:
            r = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", program, "--repeat", sample, str(times)],
                               check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        return int(re.search(r"Collected : (\d+)", r.stderr).group(1))
    return (count(400) - count(100)) / 300


def fields(sample, mapping):
    with tempfile.NamedTemporaryFile() as file:
        file.write(run(BUILD / "bench/micro", "--sample", sample)[2])
        file.flush()
        out = run(BUILD / "porta", "map", "explain", ROOT / "mapping/library" / mapping, file.name, "--json", "--time-zone", "Europe/Rome", "--object-time", "2024-03-01")[2]
    return sum(any(s["type"] == "DIRECT" for s in f["sources"]) for f in json.loads(out)["fields"])


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    PLACE.mkdir(parents=True, exist_ok=True)
    each, worst = programs(), 0
    for sample, mapping in SAMPLES.items():
        count = fields(sample, mapping)
        counted = {name: instructions(program, sample) for name, program in each.items()}
        first = float(run(each["as it is"], "--repeat", sample, 2000)[2])
        times = {name: [] for name in each}
        for n in range(rounds):
            for name in list(each) if n % 2 else reversed(each):
                times[name].append(float(run(each[name], "--repeat", sample, int(1e8 / first))[2]))
        whole = statistics.median(times["as it is"])
        print(f"{sample}: {count} fields with sources, {whole / 1000:.2f} µs, {counted['as it is']:.0f} instructions", flush=True)
        for name in list(each)[1:]:
            share = 1 - counted[name] / counted["as it is"]
            paired = statistics.median(a - b for a, b in zip(times["as it is"], times[name])) / count
            least = (min(times["as it is"]) - min(times[name])) / count
            by_count = share * whole / count
            worst = max(worst, by_count)
            print(f"  {name}: {100 * share:.1f} % of the instructions, which is {by_count:.0f} ns a field; "
                  f"timed {paired:.0f} ns (of {rounds} pairs), {least:.0f} ns (least against least)", flush=True)
    print(f"the most by instructions: {worst:.0f} ns a field; the goal is {GOAL_NS}: {'holds' if worst <= GOAL_NS else 'missed'}")


if __name__ == "__main__":
    main()
