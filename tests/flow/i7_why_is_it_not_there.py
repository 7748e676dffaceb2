"""I7 Why is this record not in that view: one command, for each way a record can end."""


def story(town):
    told = {}
    rows = town("raw", "list", ok=(0,)).lines()
    # Every one that ended early, and every third of the others.
    for row in [r for i, r in enumerate(rows) if r["state"] != "published" or i % 3 == 0]:
        j = town("why-not", row["raw"], "--json", ok=(0,)).json()
        steps = [s["step"] for s in j["steps"]]
        assert steps[:2] == ["received", "split"], steps
        if row["state"] != "published":
            assert steps[2] == row["state"] and not j["in_view"], steps
        told[row["state"] + row["raw"]] = steps
        for s in steps:
            told.setdefault(s, row["raw"])
    for step in ("skipped", "quarantined", "superseded", "shown"):
        assert step in told, f"the municipality has a record that was {step}"
    # Linked elsewhere: a record of one person, asked for another.
    raw = told["shown"]
    shown = [s["words"] for s in town("why-not", raw, "--json").json()["steps"] if s["step"] == "shown"][0]
    owner = shown.split(" view of ")[1].split(",")[0]
    other = next(v["person"] for v in town.views() if v["person"] != owner)
    steps = [s["step"] for s in town("why-not", raw, "--person", other, "--json", ok=(0,)).json()["steps"]]
    assert "elsewhere" in steps and "shown" not in steps, steps
    # Withheld by purpose, and the same words whether it exists.
    assert town("why-not", raw, who=("bruno", "activation")).code in (0, 5)
    refused = [town("why-not", r, who=("bruno", "activation")) for r in (town("raw", "list", "--source", "hospital").lines()[0]["raw"], "r99999999")]
    assert refused[0].code == refused[1].code == 5 and refused[0].err == refused[1].err
    stuck = town("quarantine", "list", ok=(0,)).lines()[0]
    full = town("quarantine", "show", stuck["n"], ok=(0,)).json()
    data = town("raw", "show", stuck["raw"], ok=(0,)).out
    a, b = full["span"]
    assert full["object"]["path"] and bytes.fromhex(full["bytes"]) == data[a:b] and full["length"] == len(data)
    return f"{len(set(s for v in told.values() if isinstance(v, list) for s in v))} kinds of steps"
