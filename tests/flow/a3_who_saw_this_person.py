"""A3 Who saw this person, when, why, for whom, which fields; refusals and exports too; and nothing is shown that is not logged."""
import shutil
from town import CARE, JOBS


def story(town):
    state = town.copy()
    person = town.views(state=state)[0]["person"]
    n = len(town.log(state=state))
    town("view", "show", person, who=CARE, state=state)
    town("view", "show", person, who=("bruno", "care-coordination"), state=state)
    town("raw", "show", "r1", who=JOBS, state=state)
    town("view", "export", state=state, ok=(0,))
    entries = town.log(state=state)[n:]
    entries = [e for e in entries if e["action"] != "audit.log"]
    show, refused, raw, export = entries
    assert (show["actor"], show["purpose"], show["person"], show["persons"]) == ("anna", "care-coordination", person, 1)
    assert "identity" in show["sections"] and "conditions" not in show["sections"] and "clinic" in show["sources"] and show["legal_basis"]
    assert refused["decision"] == "refused" and refused["person"] == person and raw["decision"] == "refused"
    assert export["persons"] == len(town.views(state=state))
    mine = town.log(state=state) and town("audit", "log", "--person", person, state=state).lines()
    assert {"view.show", "view.export"} <= {e["action"] for e in mine}
    other = town.views(state=state)[1]["person"]
    assert not any(e["n"] == show["n"] for e in town("audit", "log", "--person", other, state=state).lines()), "not somebody else's"
    # Without the log nothing is shown: each of these has an answer while it can be written.
    calls = [("view", "show", person), ("view", "export"), ("view", "household", person), ("person", "find"), ("raw", "list"), ("raw", "show", "r1"),
             ("object", "list"), ("record", "list"), ("quarantine", "show", town("quarantine", "list", state=state).lines()[0]["n"]),
             ("audit", "trace", "--all"), ("audit", "log"), ("identity", "export"), ("identity", "log"), ("identity", "how", person),
             ("identity", "decisions"), ("why", person, "/involved/0/source"), ("why-not", "r1")]
    for call in calls:
        assert town(*call, state=state).out, f"{call[:2]} answers"
        nobody = town(*call, state=state, who=None)
        assert nobody.code == 5 and not nobody.out, f"{call[:2]} without a user"
    for f in state.glob("decisions.db*"):
        f.unlink()
    (state / "decisions.db").mkdir()
    for call in calls:
        a = town(*call, state=state)
        assert a.code != 0 and a.out == b"", f"{call[:2]} shows without a log"
    shutil.rmtree(state / "decisions.db")
    # What needs no permission shows no personal value.
    ids = [k.split("|")[2] for k in town.persons()]
    families = {nm["family"] for v in town.views() for nm in v["identity"]["names"] if len(nm.get("family", "")) > 4}
    for call in (("account", "--json"), ("status",), ("quarantine", "list"), ("audit", "verify")):
        out = town(*call, who=None, ok=(0,)).text()
        assert not any(i in out for i in ids if len(i) > 6) and not any(f in out for f in families), call
    return f"{len(calls)} ways to look"
