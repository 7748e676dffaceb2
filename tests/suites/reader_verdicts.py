#!/usr/bin/env python3
"""The readers' verdicts on suites of others: what a standard accepts is accepted, what it refuses is refused, for its own reason.

    reader_verdicts.py PORTA        exit 0 holds, 1 does not, 77 skipped

- JSONTestSuite (RFC 8259): each `y_` accepted, each `n_` refused.
- csv-spectrum (RFC 4180): each CSV gives exactly its JSON.
- W3C XML (XML 1.0, fifth edition, with namespaces): each `not-wf` entry refused as malformed, each well-formed document without a
  document type accepted. One with a document type may be refused for that (`xml.doctype`), since entities are never loaded.
- libxml2: each file below `errors` and each `err_` file of `namespaces` refused.
- utf8tests: each sequence is text or refused, as its line says, within a JSON string.
- EDIFACT: the sample invoices, which are written as ISO 20625 XML, turned back into interchanges: every value is read again.
- HL7 v2: the odd and malformed messages of the index; HL7 below has their verdicts.

The suites are not part of the project: they lie in ../shared/data/nasty beside it, or below $PORTA_DATA. With CI=true their
absence is a failure. FEWEST keeps a suite that shrank from passing unnoticed.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data"
DATA = Path(os.environ.get("PORTA_DATA", BESIDE)) / "nasty"
FEWEST = {"json": 140, "csv": 6, "not-wf": 190, "well-formed": 35, "libxml2": 25, "utf8": 90, "edifact": 4, "hl7v2": 24}
PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+) \((?P<offset>\d+)\): (?P<code>[a-z0-9_.]+): .+")

# Accepted by a reader without namespaces only: a prefix that nothing binds, which Namespaces in XML 1.0 (5) refuses, and the
# suite with it (namespaces/1.0/025.xml).
NO_NAMESPACES = {"oasis/p04pass1.xml", "oasis/p05pass1.xml"}

# The index says why a message is odd. Chapter 2 allows the first three; the others hold to its encoding rules too: what they get
# wrong (a field that a profile requires, a type, a code) is a matter of the mapping and its input model, not of the reader.
HL7 = {
    "unusual separators": "accepted",
    "byte order mark": "accepted",
    "mixed line ends": "accepted",
    "malformed or semantically wrong (see name)": "accepted",
    "header or segment rule broken (see name)": "accepted",
}


class Verdicts:
    def __init__(self, porta):
        self.porta, self.wrong, self.count = porta, [], {}

    def read(self, kind, files):
        """File → (verdict, code); each refusal must have told its place on stderr."""
        files = [str(f) for f in files]
        run = subprocess.run([self.porta, "read", kind, *files, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
        lines = [json.loads(line) for line in run.stdout.decode().splitlines()]
        places = {m["file"]: m for m in map(PLACE.fullmatch, run.stderr.decode().splitlines()) if m}
        if [x["file"] for x in lines] != files:
            sys.exit(f"porta read {kind}: a line for each file expected; exit {run.returncode}")
        refused = [x for x in lines if x["verdict"] == "refused"]
        if run.returncode != (1 if refused else 0):
            self.wrong.append(f"{kind}: exit {run.returncode} with {len(refused)} refused")
        for x in refused:
            place = places.get(x["file"])
            if not place or place["code"] != x["code"] or int(place["offset"]) != x["offset"]:
                self.wrong.append(f"{x['file']}: refused without file:line:column (offset): code: message")
        return {x["file"]: (x["verdict"], x["code"]) for x in lines}

    def expect(self, suite, name, right, got):
        self.count[suite] = self.count.get(suite, 0) + 1
        if not right:
            self.wrong.append(f"{suite}: {name}: {' '.join(got) if isinstance(got, tuple) else got}")


def json_suite(v):
    files = [f for f in sorted((DATA / "json").rglob("*.json")) if f.name[:2] in ("y_", "n_")]
    for file, got in v.read("json", files).items():
        name = Path(file).name
        v.expect("json", name, got[0] == ("accepted" if name[0] == "y" else "refused"), got)


def csv_suite(v):
    for file in sorted((DATA / "csv/csv-spectrum").glob("*.csv")):
        want, raw = json.loads(file.with_suffix(".json").read_bytes()), file.read_bytes()
        if file.stem.endswith("_crlf") and b"\r" not in raw:  # a checkout took the carriage returns that its JSON still has
            raw = raw.replace(b"\n", b"\r\n")
        run = subprocess.run([v.porta, "read", "csv", "/dev/stdin"], input=raw, stdout=subprocess.PIPE, timeout=60)
        rows = []
        for line in run.stdout.decode().splitlines():
            cell = re.fullmatch(r'(.*?): (".*")  @\d+\+\d+', line)
            if line.startswith("# unit "):
                rows.append({})
            elif cell:
                rows[-1][cell[1]] = json.loads(cell[2])
        # An empty cell says nothing: it is not in the tree.
        v.expect("csv", file.name, run.returncode == 0 and rows == [{k: t for k, t in row.items() if t} for row in want], rows)


def catalogue(folder):
    """Entries (file, attributes) of every catalogue of the suite whose file is there."""
    for path in sorted(folder.rglob("*.xml")):
        text = re.sub(r"<!--.*?-->", "", path.read_bytes().decode("utf-8", "replace"), flags=re.DOTALL)
        for test in re.findall(r"<TEST\b([^>]*\bURI\s*=[^>]*)>", text):
            entry = {k: a or b for k, a, b in re.findall(r"""([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""", test)}
            if (path.parent / entry["URI"]).is_file():
                yield path.parent / entry["URI"], entry


def xml_suite(v):
    folder = DATA / "xml/w3c-xmlconf"
    entries = {str(file): entry for file, entry in catalogue(folder)}
    for file, got in v.read("xml", sorted(entries)).items():
        entry, name = entries[file], str(Path(file).relative_to(folder))
        raw = Path(file).read_bytes()
        doctype = b"<!DOCTYPE" in raw.replace(b"\0", b"")
        fifth = "5" in entry.get("EDITION", "5").split()
        if entry["TYPE"] == "not-wf" and fifth:
            right = got[0] == "refused" and (got[1] in ("xml.syntax", "xml.encoding") or (doctype and got[1] == "xml.doctype"))
            v.expect("not-wf", name, right, got)
        elif entry["TYPE"] in ("valid", "invalid") and not doctype and name not in NO_NAMESPACES:
            v.expect("well-formed", name, got[0] == "accepted", got)
    files = [*sorted((DATA / "xml/libxml2/errors").iterdir()), *sorted((DATA / "xml/libxml2/namespaces").glob("err_*"))]
    for file, got in v.read("xml", files).items():
        v.expect("libxml2", Path(file).name, got[0] == "refused", got)


def utf8_suite(v):
    with tempfile.TemporaryDirectory() as t:
        want = {}
        for line in (DATA / "strings/utf8tests.txt").read_text("ascii").splitlines():
            part = line.split(":")
            if line.startswith("#") or len(part) < 3 or not part[1].endswith("hex"):
                continue
            body = bytes.fromhex(part[2])
            if any(b < 0x20 or b in b'"\\' for b in body):
                continue  # no plain part of a JSON string
            file = Path(t) / part[0].replace("/", "_")
            file.write_bytes(b'["' + body + b'"]')
            want[str(file)] = "accepted" if part[1] == "valid hex" else "refused"
        for file, got in v.read("json", sorted(want)).items():
            v.expect("utf8", Path(file).name, got[0] == want[file], got)


def edifact_suite(v):
    """Segments `S_`, composites `C_` and elements `D_` in order, wherever a group `G_` nests them; repetitions as positions."""
    def released(text):
        return re.sub("([?+:'])", r"?\1", text)

    def texts(part):
        return [(x.text or "").strip() for x in part.iter() if x.tag.startswith("D_") and (x.text or "").strip()]

    for file in sorted((DATA.parent / "invoice-eupl/edifact").rglob("*.xml")):
        segments = [x for x in ET.parse(file).getroot().iter() if x.tag.startswith("S_") and x.tag not in ("S_UNB", "S_UNZ", "S_UNT")]
        lines = ["+".join([s.tag[2:], *(":".join(map(released, texts(part))) for part in s)]) for s in segments]
        reference = texts(segments[0])[0]
        body = "'".join([*lines, f"UNT+{len(lines) + 1}+{released(reference)}", ""])
        run = subprocess.run([v.porta, "read", "edifact", "/dev/stdin"], stdout=subprocess.PIPE, timeout=60,
                             input=f"UNB+UNOY:3+S+R+240502:1015+1'{body}UNZ+1+1'".encode())
        read = [json.loads(x) for x in re.findall(r'^ +[fc]\d+: (".*")  @', run.stdout.decode(), re.MULTILINE)]
        want = [t for s in segments for t in texts(s)] + [str(len(lines) + 1), reference]
        v.expect("edifact", file.name, run.returncode == 0 and read == want, f"{len(read)} of {len(want)} values")


def hl7_suite(v):
    lines = [x.split("\t") for x in (DATA / "hl7v2-malformed.index.tsv").read_text().splitlines()[1:]]
    why = {str(DATA / name): reason for name, reason in lines if (DATA / name).is_file()}
    for file, got in v.read("hl7v2", sorted(why)).items():
        v.expect("hl7v2", Path(file).name, got[0] == HL7.get(why[file]), got)


def main():
    if not DATA.is_dir():
        print("../shared/data/nasty (the suites of others) is not beside this project")
        return 1 if os.environ.get("CI") == "true" else 77
    v = Verdicts(sys.argv[1])
    for suite in (json_suite, csv_suite, xml_suite, utf8_suite, edifact_suite, hl7_suite):
        suite(v)
    for suite, fewest in FEWEST.items():
        if v.count.get(suite, 0) < fewest:
            v.wrong.append(f"{suite}: {v.count.get(suite, 0)} verdicts, at least {fewest} expected")
    print("\n".join(v.wrong))
    print(", ".join(f"{suite} {n}" for suite, n in v.count.items()) + f" verdicts; {len(v.wrong)} wrong")
    return 1 if v.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
