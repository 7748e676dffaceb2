"""I8 A source that repeats, corrects, deletes and comes out of order: the same end state."""
import shutil
from pathlib import Path


def story(town):
    config, state = town.fresh()
    before = town("view", "export", "--canonical", config=config, state=state, ok=(0,)).out
    feeds = Path(config).parent / "feeds"
    # Everything again, newest first; contacts and desk keep the order of arrival, which they declare.
    for source in ("hospital", "clinic", "care", "unemployment"):
        for path in sorted((feeds / source).iterdir(), reverse=True):
            town("ingest", "--source", source, path, config=config, state=state, ok=(0,))
    assert town("view", "export", "--canonical", config=config, state=state).out == before, "repeats change nothing"
    other = Path(town.root) / "reversed-state"
    for source in ("unemployment", "hospital", "desk", "contacts", "clinic", "care"):
        paths = sorted((feeds / source).iterdir())
        for path in paths if source == "contacts" else reversed(paths):
            town("ingest", "--source", source, path, config=config, state=other, ok=(0,))
    assert town("view", "export", "--canonical", config=config, state=other).out == before, "order changes nothing"
    # A record's history says what replaced what.
    key = next(r["key"] for r in town("record", "list", "--entity", "person").lines() if r["live"] and r["operations"] > 1)
    record = town("record", "show", key, "--history", ok=(0,)).json()
    states = [o["state"] for o in record["operations"]]
    assert record["status"] == "current" and "current" in states and len(states) > 1, states
    versions = [o["version"]["value"] for o in record["operations"] if o["version"]["order"] == "instant"]
    assert record["legal"]["purpose"] == "verification" and record["raw"]["id"] and record["fields"] and versions
    # Negative control: a correction that is new does change the view.
    copy = shutil.copy(sorted((feeds / "hospital").iterdir())[0], feeds / "hospital/adt_20240406.hl7")
    data = Path(copy).read_bytes().split(b"MSH|")[1]
    Path(copy).write_bytes(b"MSH|" + data.replace(b"ADT^A0", b"ADT^A0").replace(b"|202", b"|203"))
    town("ingest", "--source", "hospital", copy, config=config, state=other)
    acc = {s["source"]: s for s in town("account", "--json", config=config, state=other).json()["sources"]}
    assert acc["hospital"]["received"] == acc["hospital"]["published"] + acc["hospital"]["quarantined"] + acc["hospital"]["skipped"]
    assert acc["hospital"]["records"]["person"] > 0
    return f"{len(before.splitlines())} views"
