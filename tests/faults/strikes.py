"""The scenarios: what is struck, in which order, is drawn from the seed; what must hold after quiet is run_of.Run.check."""
import time

from run_of import LEASE_MS, MESSAGE_MS, SESSION_MS, need

LEASE, SESSION, MESSAGE = LEASE_MS / 1000, SESSION_MS / 1000, MESSAGE_MS / 1000


def connection_cut(run, way):
    """Cut at any moment, and cut with the answer swallowed: nobody knows whether the append, or the commit, was done."""
    before = way.swallowed

    def swallow():
        way.swallow(run.rng.randint(1, 3))
    strikes = [("cut", way.cut), ("swallow", swallow), ("cut", way.cut), ("swallow", swallow)]
    run.rng.shuffle(strikes)
    run.through(strikes)
    run.rest()
    run.notes.append(f"{way.swallowed - before} answers swallowed")


def connection_slow(run, way):
    """Every piece late; then one direction stands still for longer than a lease."""
    def late():
        way.delay(run.rng.uniform(0.005, 0.03))

    def stall():
        way.stall(run.rng.choice(["up", "down"]))
        time.sleep(run.rng.uniform(1.0, 1.5) * LEASE)
        way.heal()
    run.through([("late", late), ("stall", stall), ("stall", stall)])
    way.heal()
    run.rest()


def away(run, way, seconds):
    """Nothing comes through: senders are told to come again, files stay, no role ends."""
    def strike():
        way.away()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            run.watch()
            time.sleep(0.1)
        connect = run.all("connect")[0]
        run.unready = run.get(connect, "/readyz")[0]
        way.heal()
    run.through([("away", strike)], calm=(0.0, 0.3))
    run.rest()
    need(run.pusher.refusals > 0, "nobody was told to come again")
    run.notes.append(f"{run.pusher.refusals} pushes refused")


def store_cut(run):
    connection_cut(run, run.bed.store_way)


def store_slow(run):
    connection_slow(run, run.bed.store_way)


def store_away(run):
    away(run, run.bed.store_way, run.rng.uniform(1.5, 3.0))


def broker_cut(run):
    connection_cut(run, run.bed.broker_way)


def broker_slow(run):
    connection_slow(run, run.bed.broker_way)


def broker_away(run):
    """Longer than an append may take: it ends in a failure, and is done again."""
    away(run, run.bed.broker_way, run.rng.uniform(1.5, 2.0) * MESSAGE + 0.5)


def role_kill(run):
    roles = [run.rng.choice(run.all(n)) for n in ("connect", "map", "resolve", "project")]
    run.rng.shuffle(roles)
    run.through([(r.name, lambda r=r: run.kill(r)) for r in roles])
    run.rest()


def role_stop(run):
    """Each longer than its lease or session: another has its work when it comes back."""
    roles = [run.rng.choice(run.all(n)) for n in ("connect", "map", "project")]
    run.rng.shuffle(roles)
    run.through([(r.name, lambda r=r: run.stop(r, run.rng.uniform(1.1, 1.4) * SESSION)) for r in roles])
    run.rest()


SCENARIOS = {f.__name__.replace("_", "-"): f for f in (
    store_cut, store_slow, store_away, broker_cut, broker_slow, broker_away, role_kill, role_stop)}
