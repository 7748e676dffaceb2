#!/usr/bin/env python3
"""`porta bench` from outside: its answers are those of `map run`, `read` and `ingest`, its sums agree, and it leaves nothing behind.
bench_test.py PORTA"""
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.checks import Checks  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PATIENTS = ROOT / "mapping/library/fhir-r4.yaml"
QUICK = ["--runs", "3", "--seconds", "0.01", "--json"]
check = Checks()
BINARY = str(Path(sys.argv[1]).resolve())


def porta(*args):
    return subprocess.run([BINARY, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def patient(n):
    return json.dumps({"resourceType": "Patient", "id": f"p{n}", "meta": {"lastUpdated": f"2024-03-01T08:{n % 60:02}:00Z"},
                       "name": [{"family": f"Inventi{n}", "given": ["Ada"]}], "birthDate": "1955-06-12"}) + "\n"


def sha(text):
    return hashlib.sha256(text).hexdigest()


def sums(name, task, records, size):
    """What one figure says of another; each is rounded to three digits."""
    ns = {k: float(v) for k, v in task["ns_a_record"].items()}
    near = abs(ns["median"] * task["records_a_second"] / 1e9 - 1) < 0.02
    near = near and abs(task["bytes_a_second"] / task["records_a_second"] / (size / records) - 1) < 0.02
    near = near and abs(float(task["ns_a_byte"]["median"]) * size / records / ns["median"] - 1) < 0.02
    check(0 < ns["min"] <= ns["median"] <= ns["max"] and near, f"{name}: median, spread, records and bytes a second agree", "" if near else str(task))


def mapped(root):
    """The answers are those of `map run`; what is refused is told; nothing is timed where nothing is mapped."""
    good = "".join(patient(n) for n in range(40))
    (root / "good.ndjson").write_text(good)
    r = porta("bench", "map", PATIENTS, root / "good.ndjson", *QUICK)
    said = json.loads(r.stdout)
    lines = porta("map", "run", PATIENTS, root / "good.ndjson").stdout
    check(said["answers"] == sha(lines) and lines.count(b"\n") == said["operations"] == 40, "the answers are those of map run")
    check((said["records"], said["bytes"], said["published"], said["runs"]) == (40, len(good), 40, 3), "records and bytes are counted")
    check(list(said["tasks"]) == ["read", "mapped", "stored"], "read, mapped and stored are timed")
    for name, task in said["tasks"].items():
        sums(name, task, 40, len(good))
    medians = [float(t["ns_a_record"]["median"]) for t in said["tasks"].values()]
    ratio = float(said["tasks"]["stored"]["to_read"]["median"])
    check(medians[0] < medians[1] < medians[2] and ratio > 1, "a stored record costs more than a mapped one, and that more than reading", str(medians))

    (root / "mixed.ndjson").write_text(patient(1) + '{"resourceType":"Patient","id":"Zefirelli","birthDate":"Zefirelli"}\n{"resourceType":"Zefirelli"}\n' + patient(2))
    r = porta("bench", "map", PATIENTS, root / "mixed.ndjson", *QUICK)
    said = json.loads(r.stdout)
    check([said[k] for k in ("published", "quarantined", "skipped")] == [2, 1, 1], "each record is in one place")
    check(b"1 quarantined, first record 1" in r.stderr and b"Zefirelli" not in r.stderr, "the refused one is told, without its value")
    (root / "bad.ndjson").write_text('{"resourceType":"Patient","birthDate":"Zefirelli"}\n' * 3)
    for file, why in ((root / "bad.ndjson", "none of 3 records is published"), (os.devnull, "no record in it")):
        r = porta("bench", "map", PATIENTS, file, *QUICK)
        check(r.returncode not in (0, 2) and r.stdout == b"" and why.encode() in r.stderr and b"Zefirelli" not in r.stderr, f"nothing is timed: {why}")


def read(root):
    rows = "id;cognome\n" + "".join(f"{n};Inventi{n}\n" for n in range(50))
    (root / "rows.csv").write_text(rows)
    r = porta("bench", "read", "csv", root / "rows.csv", "--delimiter", ";", *QUICK)
    said = json.loads(r.stdout)
    tree = porta("read", "csv", root / "rows.csv", "--delimiter", ";").stdout
    check(said["answers"] == sha(tree) and tree.count(b"Inventi") == 50, "the answers are those of read")
    check((said["records"], said["bytes"], said["nodes"]) == (50, len(rows), 150), "records, bytes and nodes are counted")
    sums("read", said["tasks"]["read"], 50, len(rows))
    other = json.loads(porta("bench", "read", "csv", root / "rows.csv", *QUICK).stdout)
    check(other["answers"] != said["answers"], "control: another delimiter gives other answers")
    (root / "broken.json").write_text('{"a": Zefirelli}')
    r = porta("bench", "read", "json", root / "broken.json", *QUICK)
    check(r.returncode == 1 and r.stdout == b"" and b"nothing is timed" in r.stderr and b"Zefirelli" not in r.stderr, "what the reader refuses is not timed")


def evaluated(root):
    lines = "".join(patient(n) for n in range(40))
    (root / "patients.ndjson").write_text(lines)
    asked = ["bench", "fhirpath", root / "patients.ndjson", "name.family", "name.given | id"]
    shown = porta(*asked, "--print").stdout
    said = json.loads(porta(*asked, *QUICK).stdout)
    check([json.loads(x) for x in shown.splitlines()] == [[[f"Inventi{n}"], ["Ada", f"p{n}"]] for n in range(40)], "the values of two expressions")
    check(said["answers"] == sha(shown) and list(said["tasks"]) == ["read", "evaluated"], "the answers are those that are printed")
    sums("evaluated", said["tasks"]["evaluated"], 40, len(lines))
    check(json.loads(porta(*asked[:3], "name.given", *QUICK).stdout)["answers"] != said["answers"], "control: another expression gives other answers")
    (root / "second.ndjson").write_text(patient(0) + '{"id": Zefirelli}\n')
    for what, argv in {"reader": ["second.ndjson", "id"], "evaluator": ["patients.ndjson", "(1 | 2).toString()"], "parser": ["patients.ndjson", "name..given"]}.items():
        r = porta("bench", "fhirpath", root / argv[0], argv[1], *QUICK)
        check(r.returncode != 0 and r.stdout == b"" and b"Zefirelli" not in r.stderr, f"what the {what} refuses is not timed", r.stderr.decode())


def ingested(root):
    porta("synth", "--people", "60", "--seed", "7", "--out", root / "town")
    config, place = root / "town/config", root / "place"
    place.mkdir()
    source = config / "sources/clinic.yaml"
    source.write_text(source.read_text().replace("on_done: keep", "on_done: delete"))
    check("on_done: delete" in source.read_text(), "control: a source deletes its files when they are taken in")
    before = sorted(p for p in (root / "town").rglob("*"))
    r = porta("bench", "ingest", "-c", config, "--runs", "2", "--in", place, "--json")
    check(r.returncode == 0 and list(place.iterdir()) == [], "the store of a run is gone")
    check(sorted(p for p in (root / "town").rglob("*")) == before, "sources keep their files, and the configuration's own store is not made")
    said = json.loads(r.stdout)
    account = json.loads(porta("ingest", "-c", config, "--json", "--state", root / "state").stdout)
    for of in ("received", "published", "quarantined", "skipped"):
        check(said[of] == sum(s[of] for s in account["sources"]), f"{of} as in the account of ingest")
    rate = {k: float(v) for k, v in said["records_a_second"].items()}
    check(0 < rate["min"] <= rate["median"] <= rate["max"] and float(said["fdatasync_ms"]["median"]) > 0, "the disk stands beside the rate")

    p = subprocess.Popen([BINARY, "bench", "ingest", "-c", str(config), "--runs", "1000", "--in", str(place)], stdout=subprocess.DEVNULL)
    until = time.monotonic() + 20
    while not list(place.glob("*/state-1*")) and time.monotonic() < until:
        time.sleep(0.01)
    there = list(place.iterdir())
    p.send_signal(signal.SIGTERM)
    check(p.wait(20) == 128 + signal.SIGTERM and len(there) == 1 and list(place.iterdir()) == [], "a bench that is stopped removes its store too", str(there))
    r = porta("bench", "ingest", "-c", config, "--in", root / "nowhere")
    check(r.returncode != 0 and b"--in" in r.stderr, "a place that is not there is named")


def helped():
    for verb in ([], ["map"], ["read"], ["fhirpath"], ["ingest"]):
        r = porta("bench", *verb, "--help")
        check(r.returncode == 0 and b"Example" in r.stdout and r.stderr == b"", " ".join(["help of bench", *verb]))
    r = porta("bench", "reed")
    check(r.returncode == 2 and b"did you mean `read`" in r.stderr, "a verb that is nearly right is told")


def main():
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        mapped(root)
        read(root)
        evaluated(root)
        ingested(root)
    helped()
    print(f"{len(check.failures)} failed")
    return 1 if check.failures else 0


if __name__ == "__main__":
    sys.exit(main())
