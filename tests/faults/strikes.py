"""The scenarios: what is struck, in which order, is drawn from the seed; what must hold after quiet is run_of.Run.check."""
import json
import os
import signal
import time

from run_of import LEASE_MS, MESSAGE_MS, NAMES, SESSION_MS, Run, need
from support.postgres.cluster import children
from support.roles import Role

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
        run.quietly(seconds)
        need(run.get(run.all("connect")[0], "/livez")[0] == 200, "connect does not answer any more")
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


def silent(run, way):
    """The connections of now are forgotten on the way: nothing comes, and nobody is told. Each is given up in its time."""
    run.through([("silent", way.silence), ("silent", way.silence)])
    run.rest()


def store_silent(run):
    silent(run, run.bed.store_way)


def broker_silent(run):
    silent(run, run.bed.broker_way)


def role_kill(run):
    roles = [run.rng.choice(run.all(n)) for n in ("connect", "map", "resolve", "project")]
    run.rng.shuffle(roles)
    run.through([(r.name, lambda r=r: run.kill(r)) for r in roles])
    run.rest()


def role_stop(run):
    """Each longer than its lease or session: another has its work when it comes back, and a resolver knows it."""
    run.ready()
    run.wait(run.holder, 5, "one resolver holds the lease")
    holder = run.holder()
    roles = [run.rng.choice(run.all(n)) for n in ("connect", "map", "project")] + [holder]
    run.rng.shuffle(roles)
    run.through([(r.name, lambda r=r: run.stop(r, run.rng.uniform(1.1, 1.4) * SESSION)) for r in roles], calm=(0.0, 0.2))
    run.rest()
    # It learns of it at a write, at its lease, or at a question in between: its connection was ended, and it begins anew.
    known = [run.counter(holder, f"porta_{what}_total") for what in ("resolve_refused_writes", "resolve_lost_leases", "role_restarts")]
    others = sum(run.counter(r, "porta_resolve_leases_total") for r in run.all("resolve") if r is not holder)
    # On a machine that is too busy for the standby, nobody took the lease; resolver-stop waits for that.
    need(sum(known) >= 1 or not others, f"a resolver that was stopped for longer than its lease went on as if it were not: {known}")


def arm_resolver(run):
    """The first resolver stops itself with the lease in hand: before its transaction, or as the last thing before its commit."""
    point = run.rng.choice(["resolve.polled", "resolve.before-commit"])
    run.all("resolve")[0].env = {"PORTA_STOP": f"{point}:{run.rng.randint(1, 2)}"}
    run.notes.append(run.all("resolve")[0].env["PORTA_STOP"])
    run.late = run.all("resolve")[1]
    run.roles.members.remove(run.late)


def resolver_stop(run):
    """Stopped in the middle of its work; the standby takes over and ends its connection; back again it writes, and is refused."""
    run.ready()
    first, second = run.all("resolve")[0], run.late
    run.wait(lambda: run.holder() is first, 5, "the first resolver holds the lease")
    backend = run.bed.postgres.query("SELECT holder FROM porta.lease", run.name)[0][0]
    run.pusher.start()
    shares = run.shares(3)
    run.bring(shares[0])

    def stopped():
        return open(f"/proc/{first.process.pid}/stat").read().rpartition(")")[2].split()[0] == "T"
    for share in shares[1:]:
        run.quietly(0.3)
        run.bring(share)
    run.wait(stopped, 5, "the first resolver stops at its point")
    run.roles.members.append(second.start())
    run.wait(lambda: run.counter(second, "porta_resolve_leases_total") > 0, 5, "the standby takes the lease")
    ended = run.bed.postgres.query(f"SELECT 1 FROM pg_stat_activity WHERE pid = {backend}", run.name) == []
    need(ended, "the successor left its predecessor's connection open")
    run.quietly(run.rng.uniform(0.0, 1.0))
    first.process.send_signal(signal.SIGCONT)
    run.struck.append("resolve")
    run.wait(lambda: run.counter(first, "porta_resolve_refused_writes_total") >= 1, 5, "a write of the stopped resolver is refused")
    need(run.counter(second, "porta_resolve_lost_leases_total") == 0, "the successor lost its lease to the one that came back")
    run.rest()


def server_kill(run):
    servers = [("postgres", run.bed.postgres), ("broker", run.bed.kafka), ("postgres", run.bed.postgres)]
    run.rng.shuffle(servers)
    run.through([(name, lambda s=s: run.kill_server(s)) for name, s in servers])
    run.rest()


def server_stop(run):
    """SIGSTOP of all processes of a server: connections stay, and nothing answers."""
    def stop(server):
        family = [server.process.pid, *children(server.process.pid)]
        for pid in family:
            os.kill(pid, signal.SIGSTOP)
        try:
            run.quietly(run.rng.uniform(1.0, 2.0) * LEASE)
        finally:
            for pid in family:
                os.kill(pid, signal.SIGCONT)
    servers = [("postgres", run.bed.postgres), ("broker", run.bed.kafka)]
    run.rng.shuffle(servers)
    run.through([(name, lambda s=s: stop(s)) for name, s in servers])
    run.rest()


def rebalance(run):
    """Mappers come and go, in good order and killed: each time partitions change hands with records in them."""
    run.killed = True

    def come():
        role = Role(str(run.bed.porta), "map", run.behind, run.root / "logs" / f"{len(run.roles.members)}-map.log")
        run.roles.members.append(role.start())

    def go(end):
        here = [r for r in run.all("map") if r.alive()]
        if len(here) > 1:
            end(run.rng.choice(here))
    moves = [("come", come), ("go", lambda: go(Role.stop)), ("killed", lambda: go(Role.kill))]
    run.through([("come", come)] + [run.rng.choice(moves) for _ in range(6)], calm=(0.2, 0.5))
    run.rest()


def poison(run):
    """A mapper that dies in the middle of a record, three times in a row; what was condemned for it is tried again later."""
    mapper = run.all("map")[0]

    def die():
        mapper.env = {"PORTA_CRASH": f"map.record-in-work:{run.rng.randint(1, 5)}"}
        for _ in range(3):
            run.kill(mapper)
            run.wait(lambda: not mapper.alive(), 5, "the mapper dies")
        mapper.env = {}
        mapper.start()
    run.killed = True
    run.through([("poison", die)])
    run.rest()
    waiting = [json.loads(q) for q in run.porta("quarantine", "list", "--json").splitlines()]
    condemned = [q for q in waiting if q["rule"] == "map.poison"]
    run.notes.append(f"{len(condemned)} condemned")
    if condemned:
        run.porta("quarantine", "replay", "--reason", condemned[0]["code"])


def backlog(run):
    """Nothing is mapped, or nothing projected, while sources go on: their bytes are taken, and later the rest catches up."""
    asleep = run.all(run.rng.choice(["map", "project"]))
    run.ready()
    for r in asleep:
        r.process.send_signal(signal.SIGSTOP)
    run.struck.append(asleep[0].name)
    run.pusher.start()
    run.bring(run.files)
    run.wait(lambda: run.pusher.taken == len(run.pusher.bodies), 8, "pushed bodies are taken while nobody works on them")
    left = json.loads(run.porta("status", "--json"))["pending"]
    need(sum(left.values()) > 0, "nothing was left behind")
    run.notes.append(f"{sum(left.values())} waited")
    for r in asleep:
        r.process.send_signal(signal.SIGCONT)
    run.rest()


def clock(run):
    """Roles come back with clocks decades apart, before and after all data (PORTA_CLOCK): no decision may know."""
    def jump(role):
        role.env = {"PORTA_CLOCK": f"{run.rng.choice([1971, 1999, 2023, 2038, 2099])}-0{run.rng.randint(1, 9)}-01T00:00:00Z"}
        run.kill(role)
    roles = [run.rng.choice(run.all(n)) for n in ("connect", "map", "resolve", "project", "connect")]
    run.through([(r.name, lambda r=r: jump(r)) for r in roles])
    run.rest()


def undisturbed(run):
    """Nothing is struck: what a run takes by itself."""
    run.through([])
    run.rest()


class Scenario:
    """`kind`: the form that runs, run_of.Run or one made from it."""

    def __init__(self, strike, names=NAMES, before=None, kind=Run):
        self.strike, self.names, self.before, self.kind = strike, names, before, kind


SCENARIOS = {f.__name__.replace("_", "-"): Scenario(f) for f in (
    undisturbed, store_cut, store_slow, store_away, store_silent, broker_cut, broker_slow, broker_away, broker_silent, role_kill, role_stop, server_kill, server_stop, rebalance, backlog, clock)}
SCENARIOS["resolver-stop"] = Scenario(resolver_stop, before=arm_resolver)
SCENARIOS["poison"] = Scenario(poison, names=("connect", "map", "resolve", "project"))
