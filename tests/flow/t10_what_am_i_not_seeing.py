"""T10 What am I not seeing, and why? Not permitted looks the same with and without a record there; a sealed person is not there."""
from town import ADT, CARE, JOBS

NAME = "adt_20240405.hl7"


def message(**values):
    return ADT.format(**{"control": "9001", "id": "H99000001", "family": "Provettini", "given": "Zoe", "birth": "19810307",
                         "visit": "V99000001", **values})


def story(town):
    # One more patient in a source that the counsellor's purpose does not have: equal bytes for it.
    config, state, with_state = town.config, town.state, town.copy()
    extra = town.root / NAME
    extra.write_bytes(message().encode())
    town("ingest", "--source", "hospital", extra, state=with_state, ok=(0,))

    def bytes_for(who, *args):
        return (town(*args, who=who, state=state).out, town(*args, who=who, state=with_state).out)

    when = ("--as-of", "2024-04-10")
    for args in (("view", "export", "--canonical", *when), ("person", "find", "--name", "Provettini"), ("record", "list"),
                 ("raw", "show", "r1"), ("record", "show", "hospital|person|H99000001"), ("why-not", "adt_20240405.hl7")):
        without, with_ = bytes_for(JOBS, *args)
        assert without == with_, f"{args[:2]} tells of a record that is not permitted"
    a = town("record", "show", "hospital|person|H99000001", who=JOBS, config=config, state=state)
    b = town("record", "show", "hospital|person|H99000001", who=JOBS, config=config, state=with_state)
    assert a.code == b.code == 5 and a.err == b.err
    # Negative control: a purpose that has the source sees the difference.
    without, with_ = bytes_for(CARE, "person", "find", "--name", "Provettini")
    assert without == b"" and b"Provettini" in with_
    without, with_ = bytes_for(CARE, "view", "export", "--canonical", *when)
    assert without != with_
    # The four kinds of nothing, each with its date where it has one.
    nothing = [n for v in town.views(who=JOBS) for n in v["nothing"]]
    states = {n["state"] for n in nothing}
    assert "not-permitted" in states and "no-record" in states, states
    assert all("since" in n for n in nothing if n["state"] in ("silent", "outside-coverage"))
    assert {n["source"] for n in nothing if n["state"] == "not-permitted"} == {"hospital", "clinic", "care"}
    return f"{len(nothing)} rows of nothing: {', '.join(sorted(states))}"
