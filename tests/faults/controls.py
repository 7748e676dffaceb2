"""Negative controls: what the checks must notice is done on purpose, and they must say so. A check that finds nothing wrong in
these runs would find nothing wrong in any."""
import json

from run_of import FallsShort, need


def noticed(what, check):
    """`check` must fall short, and for this reason."""
    try:
        check()
    except FallsShort as e:
        need(what in str(e), f"it fell short for another reason: {e}")
        return
    raise FallsShort(f"nobody noticed: {what}")


def whole(run):
    run.through([])
    run.rest()
    run.check()


def a_lost_input(run):
    """One pushed body fewer than the undisturbed run had."""
    run.pusher.bodies = run.pusher.bodies[:-1]
    run.through([])
    run.wait(lambda: run.pusher.taken == len(run.pusher.bodies) and not any(json.loads(run.porta("status", "--json"))["pending"].values())
             and sum(s["received"] for s in json.loads(run.porta("account", "--json"))["sources"]) >= run.town.received - 1, 12, "all but one are through")
    noticed("outcomes differ", run.check)


def a_lost_record(run):
    """A published record's row is gone from the database, with its outcome: acknowledged, and lost."""
    whole(run)
    run.bed.postgres.query("DELETE FROM porta.raw WHERE id = (SELECT max(id) FROM porta.raw WHERE state = 1)", run.name)
    noticed("", run.check)


def a_doubled_effect(run):
    """One more row in an outcome's count."""
    whole(run)
    run.town = type("Town", (), {**vars(run.town), "account": json.loads(json.dumps(run.town.account))})
    run.town.account["sources"][0]["published"] -= 1
    noticed("outcomes differ", run.check)


def another_view(run):
    """One byte of the yardstick is another."""
    whole(run)
    noticed("views differ", lambda: run.check(views=run.town.views[:-2] + b" \n"))


def no_refusal(run):
    """A resolver that was never stopped has refused nothing: the counter does not count by itself."""
    whole(run)
    noticed("is refused", lambda: run.wait(lambda: any(run.counter(r, "porta_resolve_refused_writes_total") for r in run.all("resolve")), 1, "a write is refused"))


CONTROLS = {f.__name__.replace("_", "-"): f for f in (a_lost_input, a_lost_record, a_doubled_effect, another_view, no_refusal)}
