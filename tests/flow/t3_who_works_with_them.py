"""T3 Who works with them now? At least one row for each agency with a live record, with the last contact, on the first screen."""


def story(town):
    rows = 0
    for view in town.views(who=CARE):
        sources = {r["source"] for r in view["involved"]}
        named = {n["source"] for n in view["identity"]["names"]}
        assert named <= sources, "a source with a record of the person is involved"
        assert all(r["agency"] for r in view["involved"])
        rows += len(view["involved"])
    assert rows and any("last_contact" in r for v in town.views(who=CARE) for r in v["involved"])
    person = max(town.views(who=CARE), key=lambda v: len(v["involved"]))
    text = town("view", "show", person["person"], who=CARE, ok=(0,)).text()
    first = text.splitlines()[:40]
    assert any("Who is involved" in line for line in first), "on the first screen"
    # What no purpose of hers shows is not there either.
    assert "conditions" not in person
    return f"{rows} rows"


from town import CARE  # noqa: E402
