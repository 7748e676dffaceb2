"""T10 A sealed person is not there at all: not found, not shown, not listed; a purpose with `sealed: true` shows, and finds nobody."""
import json

PURPOSES = """purposes:
  verification: {title: Verification, legal_basis: "GDPR Art. 6(1)(e)", sections: all, sources: all}
  protection: {title: Protection, legal_basis: "GDPR Art. 6(1)(e)", sections: all, sources: all, sealed: true}
users:
  acceptance: {purposes: [verification, protection], role: auditor}
"""
SOURCE = """id: protected
kind: files
files: {path: ../feeds/protected, pattern: "*.ndjson"}
format: {kind: ndjson, time_zone: UTC}
mapping: mapping.yaml
agency: {id: protected, name: Protected register, domain: social}
coverage: {area: [ITF33], from: 2015-01-01, who: residents}
no_data_means: not known
"""
MAPPING = """mapping: protected
input: {format: ndjson}
emit:
  - record: person
    key: id
    version: {expr: at, order: instant}
    fields:
      birth_date: born
      names: [{family: family}]
      protection: {sealed: sealed}
"""


def story(town):
    def row(sealed):
        return json.dumps({"id": "S1", "at": "2024-04-01", "born": "1981-03-07", "family": "Provettini", "sealed": sealed}) + "\n"

    found = {}
    for sealed in (True, False):
        (town.root / "town/feeds/protected").mkdir(exist_ok=True)
        files = {"config/sources/protected.yaml": SOURCE, "config/sources/mapping.yaml.txt": "", "feeds/protected/a.ndjson": row(sealed)}
        files["config/sources/protected.yaml"] = SOURCE.replace("mapping.yaml", "../mappings/protected.yaml")
        (town.root / "town/config/mappings").mkdir(exist_ok=True)
        files["config/mappings/protected.yaml"] = MAPPING
        config, state = town.fresh(with_=files, purposes=PURPOSES)
        where = {"config": config, "state": state}
        open_, protection = ("acceptance", "verification"), ("acceptance", "protection")
        person = town.persons(who=protection, **where)["protected|person|S1"]
        found[sealed] = {
            "find": bool(town("person", "find", "--name", "Provettini", who=open_, **where).out),
            "find by protection": bool(town("person", "find", "--name", "Provettini", who=protection, **where).out),
            "export": any(v["person"] == person for v in town.views(who=open_, **where)),
            "show": town("view", "show", person, who=open_, **where).code,
            "identity": "protected|person|S1" in town.persons(who=open_, **where),
            "record": town("record", "show", "protected|person|S1", who=open_, **where).code,
            "records": "S1" in town("record", "list", "--source", "protected", who=open_, **where).text(),
            "raws": bool(town("raw", "list", "--source", "protected", who=open_, **where).out),
            "log": "S1" in town("identity", "log", who=open_, **where).text(),
            "how": town("identity", "how", person, who=open_, **where).code,
            "trace": town("audit", "trace", person, "/identity/birth_date", who=open_, **where).code,
        }
        assert town("view", "show", person, who=protection, **where).code == 0
        nobody = town("view", "show", "p999999", who=open_, **where)
        if sealed:
            assert town("view", "show", person, who=open_, **where).err == nobody.err, "like a person that does not exist"
    def there(answer):
        return answer if isinstance(answer, bool) else answer == 0

    assert not any(map(there, found[True].values())), found[True]
    # Negative control: the same person, not sealed, is everywhere.
    assert all(map(there, found[False].values())), found[False]
    return f"{len(found[True])} ways in"
