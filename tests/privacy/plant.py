"""An invented town with marked values in every feed: in values, file names, local ids, broken rows and mis-encoded rows.

    town = Town(porta, directory)      town.config, town.feeds, town.markers
A marker is `Zq` and ten letters; it says nothing about a person and occurs nowhere by chance.
"""
import hashlib
import json
import subprocess
from pathlib import Path

# "kind" stands where a record says what it is; only FHIR and HL7 v2 do.
KINDS = ("value", "id", "file", "broken", "encoding", "code", "date", "header")
BAD_UTF8 = b"\xff\xfe"
BAD_1252 = b"\x81"          # one of the five bytes that Windows-1252 leaves undefined


def marker(source, kind):
    digits = hashlib.sha256(f"{source}/{kind}".encode()).digest()
    return "Zq" + "".join(chr(ord("a") + d % 26) for d in digits[:10])


BUNDLES = """id: bundles
kind: files
tenant: comune-nord
agency: {id: practice, name: Practice, domain: health}
files: {path: ../feeds/bundles, pattern: "*.json", compression: auto, on_done: keep}
format: {kind: json, dialect: fhir, time_zone: UTC}
object_time: {from: filename, pattern: "_(\\\\d{8})\\\\."}
feed: delta
mapping: library:fhir-r4
coverage: {area: [ITF33], from: 2015-01-01, who: residents}
no_data_means: not known to this practice since 2015
"""


class Town:
    def __init__(self, porta, directory, people=30, seed=11):
        self.root = Path(directory)
        subprocess.run([porta, "synth", "--people", str(people), "--seed", str(seed), "--out", str(self.root)], check=True, stdout=subprocess.DEVNULL)
        self.config, self.feeds = self.root / "config", self.root / "feeds"
        (self.config / "sources/bundles.yaml").write_text(BUNDLES)
        self.sources = sorted(p.stem for p in (self.config / "sources").glob("*.yaml"))
        self.planted = {}
        for source in self.sources:
            (self.feeds / source).mkdir(exist_ok=True)
            getattr(self, source)(lambda kind, s=source: self.mark(s, kind))
        manifest = json.loads((self.root / "manifest.json").read_text())
        self.markers = sorted(self.planted) + manifest.get("marked_names", [])

    def mark(self, source, kind):
        m = marker(source, kind)
        self.planted[m] = (source, kind)
        return m

    def write(self, source, name, *parts):
        data = b"".join(p if isinstance(p, bytes) else p.encode() for p in parts)
        (self.feeds / source / name).write_bytes(data)

    def hospital(self, m):
        def message(family, local, sex="F", born="19550612", control="MK1"):
            return (f"MSH|^~\\&|HIS|OSPEDALE|PORTA|COMUNE|20240410031500||ADT^A28|{control}|P|2.5||||||UNICODE UTF-8\rEVN|A28|20240410031500\r"
                    f"PID|1||{local}^^^HOSP^MR||{family}^Anna||{born}|{sex}\r\n")
        broken = f"MSH|^~\\&|HIS|OSPEDALE|PORTA|COMUNE|20240410031500||ADT^A28|MK5|P|2.5\rEVN|A28|20240410031500\rP{m('broken')}\r\n"
        self.write("hospital", f"{m('file')}_20240410.hl7", message(m("value"), m("id")), message("Verdi", "H1", sex=m("code"), control="MK2"),
                   message("Verdi", "H2", born=m("date"), control="MK3"), message(m("encoding") + "@", "H3", control="MK4").encode().replace(b"@", BAD_UTF8),
                   broken, message("Verdi", "H6", control="MK6").replace("ADT^A28", m("kind") + "^Z01"), f"MSH|{m('header')}\r\n")

    def fhir(self, m):
        def patient(family, local, **more):
            return {"resourceType": "Patient", "id": local, "meta": {"lastUpdated": "2024-04-10T10:00:00Z"}, "name": [{"family": family, "given": ["Anna"]}],
                    "gender": "female", "birthDate": "1955-06-12", **more}
        encoded = json.dumps(patient(m("encoding") + "@", "x3")).encode().replace(b"@", BAD_UTF8)
        return [json.dumps(patient(m("value"), m("id"))).encode(), json.dumps(patient("Verdi", "x1", gender=m("code"))).encode(),
                json.dumps(patient("Verdi", "x2", birthDate=m("date"))).encode(), encoded, f'{{"resourceType":"Patient","id":"x4","name":"{m("broken")}'.encode(),
                f'{{"resourceType":"Patient","id":"x5","{m("header")}":[{{"a":1}}]}}'.encode(), f'{{"resourceType":"{m("kind")}","id":"x6"}}'.encode()]

    def clinic(self, m):
        self.write("clinic", f"{m('file')}_20240410.ndjson", b"\n".join(self.fhir(m)) + b"\n")

    def bundles(self, m):
        for n, resource in enumerate(self.fhir(m)):
            self.write("bundles", f"{m('file')}-{n}_20240410.json", b'{"resourceType":"Bundle","type":"collection","entry":[{"resource":', resource, b"}]}")

    def contacts(self, m):
        head = "client_id,surname,name,birth_date,tax_code,worker,phone,last_contact\n"
        row = "{},{},Anna,{},,Verdi Carla,0815550015,2024-04-10\n".format
        self.write("contacts", f"{m('file')}0001.csv", head, row(m("id"), m("value"), "1955-06-12"), row("C1", "Verdi", m("date")),
                   row("C2", m("encoding") + "@", "1955-06-12").encode().replace(b"@", BAD_UTF8), f"C3,{m('broken')}\n", row("C4", m("code"), "1955-06-12,9,9"))
        self.write("contacts", f"{m('file')}0002.csv", f"C5,{m('header')},Anna,1955-06-12,,Verdi Carla,0815550015,2024-04-10\n", f'C6,"{m("broken")}\n')

    def care(self, m):
        head = "CHILD,SEX,DOB,ETHNIC,UPN,MOTHER,MC_DOB\n"
        self.write("care", f"header{m('file')}_20240410.csv", head, f"{m('id')},2,18/11/2008,WBRI,{m('value')},,\n", f"81000001,{m('code')},18/11/2008,WBRI,,,\n",
                   f"81000002,2,{m('date')},WBRI,,,\n", f"81000003,2,18/11/2008,{m('encoding')}", BAD_UTF8, ",,,\n", f"81000004,{m('broken')}\n")
        self.write("care", f"episodes{m('file')}_20240410.csv", f"81000005,{m('header')},2,18/11/2008\n", f'81000006,"{m("broken")}\n')

    def unemployment(self, m):
        newest = sorted((self.feeds / "unemployment").iterdir())[-1]
        row = "{};;{};Anna;{};F;Napoli;01/01/2023;;{};Verdi Carla\n".format
        # A full register: the newest one and more, so that nobody is deleted by it.
        self.write("unemployment", f"{m('file')}_20240412.csv", newest.read_bytes(), row(m("id"), m("value"), "12/06/1955", "D03"),
                   row("NR1", "Verdi", m("date"), "D03"), row("NR2", "Verdi", "12/06/1955", m("code")),
                   row("NR3", m("encoding") + "@", "12/06/1955", "D03").encode().replace(b"@", BAD_1252), f"NR4;{m('broken')}\n")
        # And one that looks as if nearly everyone had left: refused as a whole.
        self.write("unemployment", f"{m('file')}_20240413.csv", newest.read_bytes().split(b"\n")[0], b"\n", row("NR5", m("header"), "12/06/1955", "D03"))

    def desk(self, m):
        def fact(n, **more):
            return json.dumps({"fact": f"dm-{n}", "kind": "same", "a": "clinic|person|x1", "b": "hospital|person|H1", "by": "steward", "reason": "seen together",
                               "at": "2024-04-10T08:00:00Z", **more}) + "\n"
        self.write("desk", f"{m('file')}_0009.ndjson", fact(1, reason=m("value"), a=f"clinic|person|{m('id')}"), fact(2, kind=m("code")), fact(3, at=m("date")),
                   fact(4, by=m("encoding") + "@").encode().replace(b"@", BAD_UTF8), f'{{"fact":"dm-5","a":"{m("broken")}\n', fact(6, object=m("header")))
