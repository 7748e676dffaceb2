"""A8 Who joined or split these records, on what evidence; undo it, and it stays undone."""


def story(town):
    state = town.copy()
    here = {"state": state}
    persons = town.persons(**here)
    by_person = {}
    for key, person in persons.items():
        by_person.setdefault(person, []).append(key)
    alone = [k[0] for k in by_person.values() if len(k) == 1][:3]
    a, b, c = alone

    def decide(x, y, verdict, clock, *more, why="seen together"):
        return town("identity", "decide", x, y, verdict, "--reason", "-", *more, stdin=why, clock=clock, **here)

    def one(x, y):
        p = town.persons(**here)
        return p[x] == p[y]

    assert not one(a, b)
    made = decide(a, b, "same", "2024-05-01T10:00:00Z").json()
    assert one(a, b) and made["person_a"] == made["person_b"] and made["by"] == "acceptance"
    assert made["fact"] in town("identity", "how", made["person_a"], **here).text(), "the cause names the decision"
    why = town("identity", "why", a, b, "--json", ok=(0,), **here).json()
    assert why["decision"]["reason"] == "seen together" and why["one_person"]
    # A contradiction is refused and names its chain.
    second = decide(b, c, "same", "2024-05-01T11:00:00Z").json()
    refused = decide(a, c, "different", "2024-05-01T12:00:00Z")
    assert refused.code == 1 and made["fact"] in refused.err.decode() and second["fact"] in refused.err.decode() and one(a, c)
    # The log says who decided, and no record key.
    entry = [e for e in town.log(**here) if e["action"] == "identity.decide"][-1]
    assert entry["actor"] == "acceptance" and entry["rule"] == "identity.contradiction"
    assert not any(k in str(town.log(**here)) for k in alone)
    # Undone, it stays undone: also after everything came again.
    assert town("identity", "withdraw", made["fact"], "--reason", "mistake", clock="2024-05-02T10:00:00Z", ok=(0,), **here).json()["kind"] == "withdraw"
    assert not one(a, b) and one(b, c)
    town("ingest", **here, ok=(0,))
    town("quarantine", "replay", **here, ok=(0,))
    assert not one(a, b)
    assert decide(a, c, "different", "2024-05-03T10:00:00Z").code == 0, "nothing contradicts it now"
    # A decision before its record arrived waits; an older clock would not count and is refused; a second must be somebody else.
    early = decide(a, "hospital|person|H99999999", "same", "2024-05-04T10:00:00Z")
    assert early.code == 0 and early.json()["person_b"] is None
    assert "waiting" in [r.get("review") for r in town("identity", "review", **here).lines()]
    assert decide(a, c, "same", "2024-05-03T09:00:00Z").code == 1
    assert decide(b, c, "same", "2024-05-05T10:00:00Z", "--second", "acceptance").code == 5
    # Who may not see the sources may not decide.
    r = town("identity", "decide", "hospital|person|1", "clinic|person|1", "same", "--reason", "x", who=("bruno", "activation"), **here)
    assert r.code == 5
    acc = town("account", "--json", **here).json()
    assert acc["balanced"]
    return "decided, refused, withdrawn"
