#!/usr/bin/env python3
"""Checks the models with spin, exhaustively within their bounds, and that each law is broken by what should break it.

    run.py [MODEL …]        default: all of them
"""
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent

# Model: what breaks it on purpose, with the law that must be named then.
MODELS = {
    "intake": {
        "ACK_FIRST": "no_acknowledged_input_lost",
        "POSITION_FIRST": "position_moves_with_its_effect",
        "OUTCOME_TWICE": "one_outcome_each",
    },
    "resolve": {
        "NO_FENCE": "a_fenced_resolver_cannot_write",
        "SILENT_LOSS": "a_resolver_knows_the_store",
        "NO_FENCE NO_KEY": "an_id_has_one_owner",
        "POSITION_ALONE": "no_acknowledged_input_lost",
        "NO_OUTBOX": "what_was_sent_converges",
        "COUNT_REPEATS": "a_snapshot_waits_for_all_rows",
        "AS_SENT": "what_was_sent_converges",
    },
    "deliver": {
        "MARK_FIRST": "what_was_sent_converges",
        "LOG_LATER": "no_view_leaves_unlogged",
        "COMPACTED": "what_was_sent_converges",
    },
    "person_ids": {
        "NO_REVIVAL": "an_unmerge_revives_the_id",
        "SHARED_ID": "an_id_has_one_owner",
    },
}


def explore(folder, model, flags):
    """What pan says of the model with these flags."""
    defines = [f"-D{flag}" for flag in flags.split()]
    for command in (["spin", *defines, "-a", f"{model}.pml"], ["cc", "-O1", "-w", "-DSAFETY", "-DNOCLAIM", "-o", "pan", "pan.c"]):
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            return done.stdout + "\nthis model could not be built"
    # -b: a search that does not reach the end of a path is an error.
    return subprocess.run(["./pan", "-b", "-m10000", "-w22"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


def verdict(said):
    """`holds`, the name of the broken law, or what else went wrong."""
    errors = re.search(r"errors: (\d+)", said)
    for sign in ("max search depth too small", "out of memory", "Search not completed", "invalid array index", "could not be built"):
        if sign in said and not (sign == "Search not completed" and errors and errors[1] != "0"):
            return sign
    if not errors:
        return "spin gave no figures"
    if errors[1] == "0":
        return "holds"
    law = re.search(r"assertion violated .*\|\|(\w+)\)", said)
    return law[1] if law else "an error that names no law"


def main():
    chosen = sys.argv[1:] or list(MODELS)
    unknown = set(chosen) - set(MODELS)
    if unknown:
        sys.exit(f"no such model: {' '.join(sorted(unknown))}; known: {' '.join(MODELS)}")
    if not shutil.which("spin"):
        sys.exit("spin is missing; deploy/setup.sh installs it")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="porta-model-") as folder:
        for file in HERE.glob("*.pml"):
            shutil.copy(file, folder)
        for model in chosen:
            runs = [("", "holds")] + list(MODELS[model].items())
            for flags, expected in runs:
                start = time.monotonic()
                said = explore(folder, model, flags)
                got = verdict(said)
                states = re.search(r"(\S+) states, stored", said)
                ok = got == expected
                print(f"[{'ok' if ok else 'FAILED'}] {model} {flags or 'as built'}: {got}; "
                      f"{states[1] if states else '?'} states, {time.monotonic() - start:.1f} s", flush=True)
                if not ok:
                    print(f"expected: {expected}\n{said}")
                    failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
