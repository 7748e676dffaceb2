"""A6 Was the log altered? The exact entry."""
import sqlite3


def story(town):
    state = town.copy()
    for _ in range(3):
        town("view", "show", "p1", state=state)
    entries = town("audit", "verify", state=state, ok=(0,)).json()["entries"]
    assert entries >= 3
    with sqlite3.connect(state / "decisions.db") as db:
        victim = entries - 1
        before = db.execute("SELECT entry FROM decision WHERE no = ?", (victim,)).fetchone()[0]
        db.execute("UPDATE decision SET entry = ? WHERE no = ?", (before.replace("acceptance", "nobody"), victim))
    db.close()
    a = town("audit", "verify", state=state)
    assert a.code == 1 and f"entry {victim}" in a.err.decode(), a.err
    with sqlite3.connect(state / "decisions.db") as db:
        db.execute("UPDATE decision SET entry = ? WHERE no = ?", (before, victim))
    db.close()
    assert town("audit", "verify", state=state).code == 0
    return f"entry {victim} of {entries}"
