"""T10 A source may keep itself to some purposes: for every other it is `not-permitted`, with and without a record there."""
import shutil

from town import ADT, CARE, EVERYTHING

NAME, KEY = "adt_20240405.hl7", "hospital|person|H99000001"
WHEN = ("--as-of", "2024-04-10")


def story(town):
    with_state = town.copy()
    extra = town.root / NAME
    extra.write_bytes(ADT.format(control="9001", id="H99000001", family="Provettini", given="Zoe", birth="19810307", visit="V99000001").encode())
    town("ingest", "--source", "hospital", extra, state=with_state, ok=(0,))
    config = town.root / "limited"
    shutil.copytree(town.config, config)
    source = config / "sources/hospital.yaml"
    as_it_was = source.read_text(encoding="utf-8")

    def lists(purposes):
        source.write_text(as_it_was + f"purposes: {purposes}\n", encoding="utf-8")

    def both(who, *args):
        return [(a.code, a.out, a.err) for a in (town(*args, who=who, config=config, state=s) for s in (town.state, with_state))]

    def states():
        return {n["state"] for v in town.views(who=CARE, config=config) for n in v["nothing"] if n["source"] == "hospital"}

    ways = (("view", "export", "--canonical", *WHEN), ("person", "find", "--name", "Provettini"), ("record", "list"), ("raw", "list", "--source", "hospital"),
            ("raw", "show", "r1"), ("record", "show", KEY), ("why-not", NAME), ("identity", "export"))
    # purposes.yaml gives the hospital to care coordination and to verification; the hospital itself does not.
    lists("[activation]")
    for who in (CARE, EVERYTHING):
        for args in ways:
            without, with_ = both(who, *args)
            assert without == with_, f"{who[1]}: {args[:2]} tells of a record that is not permitted"
    assert states() == {"not-permitted"}, states()
    assert b"hospital" not in both(EVERYTHING, "record", "list")[1][1]
    assert "hospital" not in town.log(config=config, who=EVERYTHING)[-1].get("sources", ["hospital"]), "the log names the sources that were open"
    # What a source lists is no grant: activation does not have the hospital in purposes.yaml.
    without, with_ = both(("bruno", "activation"), *ways[0])
    assert without == with_
    # Control: a purpose that the hospital lists sees the record.
    lists("[activation, care-coordination]")
    without, with_ = both(CARE, "person", "find", "--name", "Provettini")
    assert without[1] == b"" and b"Provettini" in with_[1]
    without, with_ = both(CARE, *ways[0])
    assert without[1] != with_[1] and "not-permitted" not in states()
    assert both(CARE, "record", "show", KEY)[1][0] == 0
    assert both(EVERYTHING, "record", "show", KEY)[1][0] == 5, "verification is not listed"
    # A name that purposes.yaml does not have is refused with its place; without the key there is no limit.
    lists("[activation, care-coordinaton]")
    line = len(as_it_was.splitlines()) + 1
    refused = town("view", "export", who=CARE, config=config)
    assert refused.code == 78 and f"hospital.yaml:{line}:24: ".encode() in refused.err and b"did you mean `care-coordination`" in refused.err, refused.err
    source.write_text(as_it_was, encoding="utf-8")
    assert both(EVERYTHING, "record", "show", KEY)[1][0] == 0
    return f"{len(ways)} ways in"
