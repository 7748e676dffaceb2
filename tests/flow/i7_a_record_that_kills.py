"""I7 A record that ends the process whenever it is mapped does not stop the others for ever: after three deaths it waits in
quarantine, and a replay tries it again."""


def story(town):
    config, reference = town.fresh()
    want = {k: sum(s[k] for s in town("account", "--json", config=config, state=reference, ok=(0,)).json()["sources"])
            for k in ("received", "published", "quarantined")}
    state = town.root / "killed-state"
    for _ in range(3):
        died = town("ingest", config=config, state=state, crash="map.record-in-work:1")
        assert died.code == -9, died.code
    # Two deaths are not enough, three are: the fourth run quarantines it and goes on with everything else.
    town("ingest", config=config, state=state, ok=(0,))
    acc = town("account", "--json", config=config, state=state, ok=(0,)).json()
    got = {k: sum(s[k] for s in acc["sources"]) for k in want}
    assert got["received"] == want["received"] and sum(s["pending"] for s in acc["sources"]) == 0
    waiting = [q for q in town("quarantine", "list", "--json", config=config, state=state, ok=(0,)).lines() if q["rule"] == "map.poison"]
    assert len(waiting) == 1 and got["published"] + got["quarantined"] == want["published"] + want["quarantined"], (waiting, got, want)
    assert town("audit", "replay", "--all", "--json", config=config, state=state).code == 0, "the auditor does not map it"
    # It was the kill that was at fault: tried again it is what it is without one, and the views are the same.
    town("quarantine", "replay", config=config, state=state, ok=(0,))
    view = lambda s: town("view", "export", "--canonical", config=config, state=s, ok=(0,)).out
    assert view(state) == view(reference)
    # Control: two deaths condemn nothing.
    state = town.root / "twice-state"
    for _ in range(2):
        assert town("ingest", config=config, state=state, crash="map.record-in-work:1").code == -9
    town("ingest", config=config, state=state, ok=(0,))
    assert not [q for q in town("quarantine", "list", "--json", config=config, state=state, ok=(0,)).lines() if q["rule"] == "map.poison"]
    return f"{want['received']} raw records, 5 deaths"
