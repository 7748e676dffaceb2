"""I5 What would this other mapping change: what its fields mean otherwise, and how many records and people that concerns;
and which input of a source nobody has read yet."""
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[2] / "mapping" / "library"


def story(town):
    before = LIBRARY / "hl7v2-adt.yaml"
    text = before.read_text()
    rule = "      birth_date: {expr: PID.first().f7, onMany: first}\n"
    assert text.count(rule) == 1
    after = town.root / "hl7v2-adt-without-birth.yaml"
    after.write_text(text.replace(rule, ""))
    diff = lambda a, b, *more: town("map", "diff", a, b, "--over", "hospital", "--json", *more, ok=(0,)).json()

    # Nothing changes with itself, nor with comments and places.
    moved = town.root / "hl7v2-adt-moved.yaml"
    moved.write_text("# moved\n\n" + text)
    for same in (before, moved):
        j = diff(before, same)
        assert j["changes"] == [] and j["over"]["records"] == j["over"]["people"] == 0 < j["over"]["compared"], j
    # One field less: as many records change as have it, and as many people.
    j = diff(before, after, "--last", "100000")
    assert [(c["emit"], c["path"], c["change"]) for c in j["changes"]] == [("person patch", "birth_date", "removed")], j["changes"]
    assert j["changes"][0]["before"].startswith("library/hl7v2-adt.yaml:") and j["changes"][0]["after"] is None
    hospital = [r for r in town("record", "list", ok=(0,)).lines() if r["key"].startswith("hospital|person|")]
    assert "birth_date" in [f["path"] for f in j["over"]["fields"]] and set(j["over"]["outcomes"]) <= {"quarantined to published"}, j["over"]
    assert 0 < j["over"]["people"] <= j["over"]["records"] <= len(hospital) + sum(j["over"]["outcomes"].values()), j["over"]
    few = diff(before, after, "--last", "5")
    assert few["over"]["compared"] == 5 and few["over"]["records"] <= 5
    # What nobody has read: more of the field that the other mapping leaves out, and of nothing else.
    unread = lambda mapping: {u["path"]: u for u in town("map", "unread", mapping, "hospital", "--last", "100000", "--json", ok=(0,)).lines()}
    one, other = unread(before), unread(after)
    count = lambda of, path: of[path]["count"] if path in of else 0
    more = {path for path in other if count(other, path) != count(one, path)}
    assert more == {"PID.f7"} and set(one) <= set(other), more
    raw = town("raw", "show", other["PID.f7"]["raw"], ok=(0,)).out
    at = other["PID.f7"]["example_offset"]
    assert raw[at:at + 4].isdigit() and raw[at - 1:at] == b"|"
    assert town("map", "diff", before, after, "--over", "hospitel").code == 1
    return f"{j['over']['records']} records and {j['over']['people']} people of {j['over']['compared']} raw records"
