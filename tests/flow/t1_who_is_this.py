"""T1 Who is this, and how sure are we? A disagreement is shown with every value, its source and date; no silent choice."""


def story(town):
    here = {"state": town.copy()}
    by_person = {}
    for key, person in town.persons(**here).items():
        by_person.setdefault(person, []).append(key)
    views = {v["person"]: v for v in town.views(**here)}
    # The first tier joins nobody whose birth dates contradict; a steward does, for two who are on their own.
    alone = [(views[p]["identity"]["birth_date"], keys[0]) for p, keys in by_person.items()
             if len(keys) == 1 and len(views[p]["identity"].get("birth_date", "")) == 10]
    (day_a, a), (day_b, b) = next((x, y) for x in alone for y in alone if x[0] != y[0] and x[1].split("|")[0] != y[1].split("|")[0])
    made = town("identity", "decide", a, b, "same", "--reason", "-", stdin="typing error in one of them", ok=(0,), **here).json()
    person = made["person_a"]
    assert person == made["person_b"]
    view = town("view", "show", person, "--format", "json", ok=(0,), **here).json()
    conflict = [c for c in view["identity"]["conflicts"] if c["field"] == "birth_date"][0]
    assert {v["value"] for v in conflict["values"]} == {day_a, day_b}
    assert {v["source"] for v in conflict["values"]} == {a.split("|")[0], b.split("|")[0]}
    assert all(v.get("stated") or v["source"] == "contacts" for v in conflict["values"]), "each with its date"
    assert view["identity"]["birth_date"] in (day_a, day_b)
    text = town("view", "show", person, ok=(0,), **here).text()
    assert "The sources disagree on the birth date" in text and day_a in text and day_b in text
    words = town("why", person, "/identity/birth_date", ok=(0,), **here).text()
    assert "The sources disagree" in words and day_a in words and day_b in words
    # Why they are one person, in words; and two others are not, with exit 1.
    why = town("identity", "why", a, b, "--json", ok=(0,), **here).json()
    assert why["conclusion"] == "one person, because it was decided" and why["decision"]["by"] == "acceptance"
    assert [e["speaks"] for e in why["evidence"] if e["about"] == "birth-date"] == ["against"]
    assert "against-evidence" in [r["review"] for r in town("identity", "review", **here).lines()]
    joined = [k for k in by_person.values() if len(k) > 1]
    told = town("identity", "why", *joined[0][:2], "--json", ok=(0,), **here).json()
    assert told["one_person"] and (told["chain"] or "merged" in told["conclusion"])
    assert town("identity", "why", joined[0][0], joined[1][0], **here).code == 1
    assert town("identity", "why-not", joined[0][0], joined[1][0], "--json", ok=(0,), **here).json()["one_person"] is False
    return "two dates, two sources, one decision"
