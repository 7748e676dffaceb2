#!/usr/bin/env python3
"""Code maps from the command line: what is missing is counted, a map is imported, what waited is published. terms_test.py PORTA"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.checks import Checks  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT.parent / "shared/data/terminology"
check = Checks()
BINARY = str(Path(sys.argv[1]).resolve())


def porta(*args):
    return subprocess.run([BINARY, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def lines(r):
    return [json.loads(x) for x in r.stdout.splitlines()]


REGISTER = "id;cognome;nome;data_nascita;azienda;qualifica;assunzione\n" + "".join(
    f"{i};Inventi;Ada;01/02/19{50 + i};Azienda Prova;{code};0{1 + i % 9}/03/2020\n" for i, code in enumerate(["2221"] * 3 + ["K7"] * 6 + ["PÀ"] * 2 + ["F1"]))
CODES = "source,code,display,equivalence,from,to\nK7,5322,Home-based personal care workers,equal,,\nF1,4110,General office clerks,wider,,2010-12-31\nF1,4120,Secretaries (general),equal,2011-01-01,\n2,2,Professionals,equal,,\n"


def story(root):
    (root / "rapporti.csv").write_text(REGISTER, encoding="utf-8")
    config = root / "config"
    r = porta("map", "new", root / "rapporti.csv", "-o", config, "--id", "jobs")
    mapping = config / "mappings/jobs.yaml"
    text = mapping.read_text(encoding="utf-8")
    check(r.returncode == 0 and "record: employment" in text and "{expr: qualifica, unmapped: keep}" in text, "the register is one of employments")
    # Its codes are to be ISCO-08; the map is empty but for one.
    text = text.replace("{expr: qualifica, unmapped: keep}", "{expr: qualifica, translate: isco, at: \"assunzione.pattern('dd/MM/yyyy')\"}").replace("partial: allow", "partial: refuse")
    mapping.write_text(text.replace("emit:", "terms: {isco: isco.yaml}\nemit:", 1), encoding="utf-8")
    r = porta("map", "check", mapping)
    check(r.returncode != 0 and b"error: terms: " in r.stderr, "a code map that is not there is refused", r.stderr.decode()[-200:])
    (root / "first.csv").write_text("source,code\nnobody,1\n", encoding="utf-8")
    check(porta("terms", "import", root / "first.csv", "--from", "csv", "-o", config / "mappings/isco.yaml").returncode == 0, "a CSV is imported")
    digest = porta("map", "check", mapping).stdout.split()[-1]
    porta("ingest", "-c", config)
    counts = lines(porta("terms", "missing", "-c", config))
    check(counts == [{"source": "jobs", "table": "isco", "count": 12}], "without a user: how many, not which", str(counts))
    shown = lines(porta("terms", "missing", "-c", config, "--as", "admin", "--purpose", "verification"))
    check([(x["code"], x["count"]) for x in shown] == [("K7", 6), ("2221", 3), ("PÀ", 2), ("F1", 1)], "with one: the codes, the most frequent first", str(shown))
    check(porta("terms", "missing", "-c", config, "--as", "nobody", "--purpose", "verification").returncode != 0, "control: who may not see records sees no codes")
    (root / "codes.csv").write_text(CODES, encoding="utf-8")
    porta("terms", "import", root / "codes.csv", "--from", "csv", "-o", config / "mappings/isco.yaml")
    file = config / "mappings/isco.yaml"
    file.write_text(file.read_text().replace("rows:", "hierarchy: isco-08\nrows:", 1))
    check(porta("map", "check", mapping).stdout.split()[-1] != digest, "the code map is part of the mapping's digest")
    r = porta("quarantine", "replay", "--reason", "unmapped", "-c", config)
    check(r.returncode == 0 and json.loads(r.stdout)["published"] == 10, "the replay publishes those that have a row now", r.stdout.decode())
    listed = {x["name"]: x for x in lines(porta("terms", "list", mapping))}
    check(listed["isco"] == {"kind": "code map", "name": "isco", "codes": 3} and listed["nace-2.1"]["codes"] == 1047 and not listed["isco-08"]["complete"],
          "the tables that expressions may ask are listed, the mapping's among them", str(listed))
    left = lines(porta("terms", "missing", "-c", config, "--as", "admin", "--purpose", "verification"))
    check([(x["code"], x["count"]) for x in left] == [("PÀ", 2)], "the others still wait", str(left))
    recent = ["terms", "missing", "-c", config, "--last", "100"]
    counts = lines(porta(*recent))
    check({"source": "jobs", "table": "isco", "taken": "group", "count": 3} in counts and len(counts) == 2, "with --last: what a group stood in for, too", str(counts))
    shown = lines(porta(*recent, "--as", "admin", "--purpose", "verification"))
    check({"source": "jobs", "table": "isco", "code": "2221", "taken": "group", "count": 3} in shown and len(shown) == 2, "and which, to who may see it", str(shown))
    last = lines(porta("terms", "missing", "-c", config, "--last", "1"))
    check(len(last) == 1 and "taken" not in last[0], "control: the newest record has a row of its own", str(last))
    check(porta("terms", "missing", "-c", config, "--last", "some").returncode == 78, "control: --last is a number")
    views = lines(porta("view", "export", "-c", config, "--as", "admin", "--purpose", "care-coordination"))
    codes = sorted(json.dumps(w.get("occupation") or w.get("category") or {}, sort_keys=True, ensure_ascii=False) for v in views for w in v["work"])
    found = "\n".join(codes)
    check('"4120"' in found and '"4110"' not in found, "the row of the day is taken", found[-300:])
    check('"wider"' in found and '"2221"' in found and '"5322"' in found, "a code without a row takes that of its group, wider")


def imports(root):
    if not SAMPLES.is_dir():
        if os.environ.get("CI") == "true":
            check(False, f"the samples are not there: {SAMPLES}")
        print(f"  skipped: published maps would be read in {SAMPLES}")
        return
    maps = [("conceptmap", p) for p in sorted(SAMPLES.glob("conceptmaps-*/*.json")) + sorted(SAMPLES.glob("fhir-examples/conceptmap*.json"))]
    maps += [("v2-to-fhir", p) for p in sorted(SAMPLES.glob("v2-to-fhir-ig/codesystems/*.csv"))]
    made = empty = 0
    for origin, path in maps:
        r = porta("terms", "import", path, "--from", origin, "-o", root / "map.yaml")
        if r.returncode != 0 and b"no code with a target" in r.stderr:   # a sheet of the guide that has no target yet
            empty += 1
            continue
        (root / "m.yaml").write_text("mapping: m\ninput: {format: csv, model: {columns: [id, code]}}\nterms: {t: map.yaml}\nemit:\n"
                                     "  - {record: condition, key: id, subjects: [{id: id}], fields: {code: {expr: code, translate: t}}}\n")
        c = porta("map", "check", root / "m.yaml")
        made += r.returncode == 0 and c.returncode == 0
        if r.returncode or c.returncode:
            check(False, f"{path.name} is imported and loads", (r.stderr + c.stderr).decode()[-200:])
    check(made >= 85 and made + empty == len(maps), "published maps are imported and load", f"{made} of {len(maps)}, {empty} without any target")


def resources(root):
    (root / "vs.json").write_text(json.dumps({"resourceType": "ValueSet", "url": "http://example.org/vs", "compose": {"include": [{"system": "nace-2.1"}]}}))
    listed = {x["name"]: x for x in lines(porta("terms", "list", root / "vs.json"))}
    check(listed["http://example.org/vs"]["complete"] and listed["http://example.org/vs"]["codes"] == 1047, "a value set of a file is listed", str(listed))
    def asked(text):
        return porta("fhirpath", "eval", text, "--terms", root / "vs.json")
    check(asked("'62.10'.memberOf('http://example.org/vs')").stdout == b"true\n", "an expression asks it")
    check(asked("'62.99'.memberOf('http://example.org/vs')").stdout == b"false\n", "control: a code that it does not have")
    check(b"did you mean `http://example.org/vs`" in asked("'62.10'.memberOf('http://example.org/vz')").stderr, "a value set that is not there is told with the nearest")
    (root / "vs.json").write_text("{}")
    r = asked("1")
    check(r.returncode == 1 and b"vs.json: the resource has no `url`" in r.stderr, "a file that is no such resource is refused", r.stderr.decode())


def main():
    with tempfile.TemporaryDirectory(prefix="porta-terms-") as directory:
        story(Path(directory))
        imports(Path(directory))
        resources(Path(directory))
    print(f"terms: {len(check.failures)} failures")
    return 1 if check.failures else 0


if __name__ == "__main__":
    sys.exit(main())
