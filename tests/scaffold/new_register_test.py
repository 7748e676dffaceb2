#!/usr/bin/env python3
"""`porta map new` on registers that nobody has seen: a configuration that runs as it is, 99 % of the rows published, the people
with the names, birth dates and sexes that the files give them. new_register_test.py PORTA"""
import json
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import registers  # noqa: E402
from support.checks import Checks  # noqa: E402

check = Checks()
BINARY = str(Path(sys.argv[1]).resolve())


def porta(*args):
    return subprocess.run([BINARY, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def account(config, source):
    r = porta("ingest", "-c", config)
    if r.returncode != 0:
        return None, r.stderr.decode(errors="replace")[-300:]
    return next(s for s in json.loads(r.stdout)["sources"] if s["source"] == source), ""


def scaffolded(sample, config, what):
    r = porta("map", "new", sample, "-o", config)
    check(r.returncode == 0, f"{what}: map new", (r.stdout + r.stderr).decode(errors="replace")[-300:] if r.returncode else "")
    if r.returncode:
        return None
    source = next((config / "sources").glob("*.yaml")).stem
    for mapping in (config / "mappings").glob("*.yaml"):
        r = porta("map", "check", mapping)
        check(r.returncode == 0, f"{what}: the mapping passes the check", r.stderr.decode(errors="replace")[-300:] if r.returncode else "")
    return source


def people(config):
    r = porta("view", "export", "-c", config, "--as", "admin", "--purpose", "care-coordination")
    return [json.loads(line)["identity"] for line in r.stdout.splitlines()]


def register(name, root):
    sample, table, facts = registers.write(name, root)
    config = root / ("config-" + name)
    source = scaffolded(sample, config, name)
    if not source:
        return
    mapping = (config / "mappings" / f"{source}.yaml").read_text(encoding="utf-8")
    if "encoding" in facts:
        check(f"encoding: {facts['encoding']}  #" in mapping, f"{name}: the encoding is {facts['encoding']}")
    counts, problem = account(config, source)
    check(counts and counts["received"] == len(table) and counts["published"] >= 0.99 * counts["received"], f"{name}: 99 % of the rows are published",
          problem or f"{counts['published']} of {counts['received']}")
    if not counts:
        return
    check(counts["records"].get(facts["entity"], 0) >= 0.99 * counts["received"], f"{name}: a row is one {facts['entity']}", str(counts["records"]))
    shown = people(config)
    check(len(shown) >= 0.97 * len(table), f"{name}: the people are shown", str(len(shown)))
    born, form = facts["born"]
    expected = Counter(datetime.strptime(row[born], form).date().isoformat() for row in table)
    if "%y" in form:      # nobody of this register is born after its files were written
        expected = Counter((d if d < "2024" else f"19{d[2:]}") for d in expected.elements())
    found = Counter(p.get("birth_date") for p in shown)
    check((expected & found).total() >= 0.97 * len(table), f"{name}: birth dates", f"{(expected & found).total()} of {len(table)}")
    families = {row[facts["family"]] for row in table}
    words = {w for family in families for w in family.replace(",", " ").split()} | families
    right = sum(any(n.get("family", "").split()[-1:] and (n["family"] in families or set(n["family"].split()) & words) and n.get("given") for n in p["names"]) for p in shown)
    check(right >= 0.97 * len(table), f"{name}: names", f"{right} of {len(shown)}")
    sexes = {p.get("sex") for p in shown} - {None}
    check(sexes == facts["sexes"], f"{name}: sexes", str(sexes))


OTHERS = {
    "people.json": '{"exported": "2024-01-01", "records": [' + ",".join(
        json.dumps({"clientId": f"c{i}", "name": {"family": "Sample", "given": ["Ada", "Eve"]}, "birthDate": f"19{50 + i}-02-03", "gender": "female", "address": {"city": "Sampleton", "postCode": "12345"}}) for i in range(20)) + "]}",
    "people.ndjson": "".join(json.dumps({"id": i, "lastName": "Sample", "firstName": "Ada", "dob": f"0{1 + i % 9}/11/19{50 + i}", "sex": "F", "caseWorker": "W. Model"}) + "\n" for i in range(20)),
    "people.xml": "<people>" + "".join(f'<person id="p{i}"><nom>Exemple</nom><prenom>Zoé</prenom><dateNaissance>19{50 + i}-02-03</dateNaissance><sexe>F</sexe></person>' for i in range(20)) + "</people>",
}
XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="people"><xs:complexType><xs:sequence>
<xs:element name="person" maxOccurs="unbounded"><xs:complexType><xs:sequence><xs:element name="nom" type="xs:string"/><xs:element name="prenom" type="xs:string"/>
<xs:element name="dateNaissance" type="xs:date"/></xs:sequence><xs:attribute name="matricule" type="xs:string"/></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element></xs:schema>"""
SCHEMA = json.dumps({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {
    "clientId": {"type": "string"}, "surname": {"type": "string"}, "forename": {"type": "string"}, "birthDate": {"type": "string", "format": "date"}}})
HL7 = "MSH|^~\\&|LAB|H|P|H|202401020930||ORU^R01|m1|P|2.5.1\rPID|1||77^^^H^MR||Sample^Ada||19500203|F\rOBX|1|NM|1^x||5\r"


def other_formats(root):
    for name, text in OTHERS.items():
        folder = root / name.replace(".", "-")
        folder.mkdir()
        (folder / name).write_text(text, encoding="utf-8")
        config = folder / "config"
        source = scaffolded(folder / name, config, name)
        counts, problem = account(config, source) if source else (None, "")
        check(counts and counts["published"] == counts["received"] > 0, f"{name}: published", problem or str(counts))
        shown = people(config) if counts else []
        check(len(shown) == 20 and all(p.get("birth_date", "").startswith("19") and p["names"][0].get("given") and p.get("sex") == "female" for p in shown), f"{name}: twenty people", str(shown[:1])[:200])
    # A schema has no records: what it describes is taken from a file that comes later.
    for name, text, sample, record in (("register.xsd", XSD, "later.xml", '<people><person matricule="1"><nom>Exemple</nom><prenom>Zoé</prenom><dateNaissance>1950-02-03</dateNaissance></person></people>'),
                                       ("client.schema.json", SCHEMA, "later.ndjson", '{"clientId": "1", "surname": "Sample", "forename": "Ada", "birthDate": "1950-02-03"}\n')):
        folder = root / name.replace(".", "-")
        folder.mkdir()
        (folder / name).write_text(text, encoding="utf-8")
        (folder / sample).write_text(record, encoding="utf-8")
        source = scaffolded(folder / name, folder / "config", name)
        if source:
            r = porta("ingest", "-c", folder / "config", "--source", source, folder / sample)
            counts = next(s for s in json.loads(r.stdout)["sources"] if s["source"] == source) if r.returncode == 0 else None
            check(counts and counts["records"].get("person") == 1, f"{name}: a record of the schema is published", r.stderr.decode()[-200:] or str(counts))
    folder = root / "hl7"
    folder.mkdir()
    (folder / "lab.hl7").write_text(HL7, encoding="utf-8")
    source = scaffolded(folder / "lab.hl7", folder / "config", "lab.hl7")
    counts, problem = account(folder / "config", source) if source else (None, "")
    check(counts and counts["published"] == 1, "lab.hl7: the person of a message that no mapping knows", problem or str(counts))


def quirks(root):
    """What else the same registers may come as."""
    for name, encoding, text in (("italian_jobs", "cp850", "ibm-850"), ("french_benefits", "mac_roman", "macintosh"), ("dutch_care", "utf-16-be", "utf-16be"),
                                 ("italian_jobs", "utf-16-le", "utf-16le"), ("polish_benefits", "iso-8859-2", "iso-8859-2"), ("english_visits", "ascii", "utf-8")):
        folder = root / f"{name}-{encoding}"
        folder.mkdir()
        sample, table, facts = registers.write(name, folder)
        text_of = sample.read_bytes().decode(registers.REGISTERS[name][1])
        sample.write_bytes(text_of.encode(encoding, errors="replace").replace(b"?", b"e") if encoding in ("ascii", "cp850", "mac_roman", "iso-8859-2") else text_of.encode(encoding))
        source = scaffolded(sample, folder / "config", f"{name} in {encoding}")
        mapping = (folder / "config/mappings" / f"{source}.yaml").read_text(encoding="utf-8")
        counts, problem = account(folder / "config", source)
        check(f"encoding: {text}  #" in mapping and counts and counts["published"] >= 0.99 * len(table), f"{name} in {encoding}: read as {text}, 99 % published", problem or str(counts["published"]))
    # Rows that leave out what is empty at their end.
    folder = root / "ragged"
    folder.mkdir()
    sample, table, _ = registers.write("dutch_care", folder)
    lines = sample.read_text(encoding="utf-8").split("\n")
    sample.write_text("\n".join(line.rsplit(";", 3)[0] if i and i % 3 == 0 and i != 200 else line for i, line in enumerate(lines)), encoding="utf-8")
    source = scaffolded(sample, folder / "config", "ragged rows")
    counts, problem = account(folder / "config", source)
    check(counts and counts["published"] >= 0.99 * len(table), "ragged rows: 99 % published", problem or str(counts["published"]))
    # Old people and two digits of the year: nobody is born after the file.
    folder = root / "old"
    folder.mkdir()
    rows = ["Identifiant;Nom et prénom;Né(e) le;Sexe;Entrée"] + [f"R{i};Exemple Zoé;{1 + i % 28:02d}/0{1 + i % 9}/{25 + i % 26};Femme;01/0{1 + i % 9}/2023" for i in range(60)]
    (folder / "residents.csv").write_bytes(("\r".join(rows) + "\r").encode("mac_roman"))
    source = scaffolded(folder / "residents.csv", folder / "config", "old people")
    counts, problem = account(folder / "config", source)
    shown = people(folder / "config")
    check(len(shown) == 60 and all(p.get("birth_date", "").startswith("19") and p["names"][0] == {"family": "Exemple", "given": ["Zoé"], "source": source} for p in shown),
          "old people: born in the last century, the family's name first", problem or str(shown[:1])[:300])
    # No number of the person in any column, and one of something else that happens to be different in each row.
    folder = root / "nameless"
    folder.mkdir()
    rows = ["First name;Surname;Date of birth;Gender;Points"] + [f"Ada{i % 7};Inventi{i % 50};{1 + i % 28:02d}/0{1 + i % 9}/1970;F;{i}" for i in range(300)]
    (folder / "tenancies.csv").write_text("\n".join(rows) + "\n")
    source = scaffolded(folder / "tenancies.csv", folder / "config", "no key")
    mapping = (folder / "config/mappings" / f"{source}.yaml").read_text()
    counts, problem = account(folder / "config", source)
    check("key: Points" not in mapping and counts and counts["published"] == 300, "no key: the person is named by name and birth date", problem)


def refusals(root):
    (root / "nothing.csv").write_bytes(b"")
    check(porta("map", "new", root / "nothing.csv", "-o", root / "c-nothing").returncode != 0, "control: an empty file is refused")
    sample, _, _ = registers.write("dutch_care", root, rows=20)
    porta("map", "new", sample, "-o", root / "c-twice")
    check(porta("map", "new", sample, "-o", root / "c-twice").returncode != 0, "control: a configuration is not overwritten")
    # The gate notices rows that do not publish.
    mapping = next((root / "c-twice" / "mappings").glob("*.yaml"))
    mapping.write_text(mapping.read_text().replace("key: BSN", "key: Opmerking", 1))
    counts, _ = account(root / "c-twice", mapping.stem)
    check(counts and counts["published"] == 0, "control: a key that is empty publishes nothing")


def main():
    with tempfile.TemporaryDirectory(prefix="porta-new-") as directory:
        root = Path(directory)
        for name in registers.REGISTERS:
            register(name, root)
        quirks(root)
        other_formats(root)
        refusals(root)
    print(f"new registers: {len(check.failures)} failures")
    return 1 if check.failures else 0


if __name__ == "__main__":
    sys.exit(main())
