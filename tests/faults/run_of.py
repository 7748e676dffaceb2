"""One run: a database and a prefix of its own on the shared servers, one process for each role, feeds brought in shares while a
scenario strikes, and the laws checked after quiet."""
import json
import random
import re
import shutil
import signal
import threading
import time
import urllib.error
import urllib.request

from bed import Town, call, must, outcomes
from support.roles import Roles

LIMIT = 15.0  # seconds from the first role's start to the last check
LEASE_MS, ANSWER_MS, SESSION_MS, MESSAGE_MS, POLL_MS = 1000, 2000, 1500, 1500, 50
NAMES = ("connect", "map", "map", "resolve", "resolve", "project")
# Resident memory of a role over these feeds, whatever is away (docs/changes/0013).
CAP_MIB = 128


class FallsShort(Exception):
    """A law does not hold, in one line."""


def need(holds, what):
    if not holds:
        raise FallsShort(what)


class Pusher(threading.Thread):
    """A sender that obeys: one body after the other, each again until it is taken."""

    def __init__(self, run, bodies):
        super().__init__(daemon=True)
        self.run_of, self.bodies = run, bodies
        self.taken, self.refusals, self.rude, self.stopping = 0, 0, [], False

    def run(self):
        for body in self.bodies:
            while not self.stopping and not self.push(body):
                time.sleep(0.1)
            time.sleep(self.run_of.rng.uniform(0.1, 0.5))

    def push(self, body):
        port = self.run_of.port("connect")
        if not port:
            return False
        request = urllib.request.Request(f"http://127.0.0.1:{port}/sources/door/records", data=body,
                                         headers={"Authorization": "Bearer sesame"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                taken = answer.status == 202
                self.taken += taken
                return taken
        except urllib.error.HTTPError as e:
            self.refusals += 1
            if e.code not in (429, 503) or not e.headers.get("Retry-After"):
                self.rude.append(f"{e.code} {e.read()[:120]}")
        except (OSError, ValueError):
            pass  # killed, stopped or starting
        return False


class Run:
    """`names`: the roles; `before`: called with the run before they start."""

    invents = Town

    def __init__(self, bed, scenario, seed, names=NAMES, before=None):
        self.names, self.before = names, before
        self.bed, self.seed, self.label = bed, seed, f"{scenario}-{seed}"
        self.rng = random.Random(f"{scenario} {seed}")
        self.town = bed.town(seed, self.invents)
        self.name = re.sub(r"\W", "_", self.label)
        self.root = bed.root / self.label
        self.started, self.not_counted = 0.0, 0.0
        self.struck, self.notes, self.readied, self.rested = [], [], 0.0, 0.0
        self.killed = False
        self.after = []
        self.peaks = {}

    def __enter__(self):
        bed = self.bed
        self.root.mkdir()
        self.files = self.town.copy(self.root)
        bed.postgres.query(f"CREATE DATABASE {self.name}", "postgres")
        more = {"log.kafka.prefix": self.name + ".", "log.kafka.partitions": 2, "log.kafka.session_timeout_ms": SESSION_MS,
                "log.kafka.message_timeout_ms": MESSAGE_MS, "store.postgresql.lease_ms": LEASE_MS,
                "store.postgresql.answer_ms": ANSWER_MS, "poll_ms": POLL_MS}
        self.settings = [x for k, v in more.items() for x in ("--set", f"{k}={v}")]
        self.direct = self.where(bed.kafka.port, bed.postgres.port)
        # Through the proxies go the roles only; the test asks the servers themselves.
        self.behind = self.where(bed.broker_way.port, bed.store_way.port)
        must(bed.porta, "topics", "apply", where=self.direct)
        (self.root / "logs").mkdir()
        self.roles = Roles(str(bed.porta), self.behind, self.root / "logs", self.names)
        if self.before:
            self.before(self)
        self.started = time.monotonic()
        self.roles.__enter__()
        return self.begun()

    def begun(self):
        self.pusher = Pusher(self, self.town.pushed)
        return self

    def __exit__(self, kind, *_):
        self.pusher.stopping = True
        self.heal()
        for r in self.roles.members:
            if r.alive():
                r.process.send_signal(signal.SIGCONT)
        # At once, since a role that hangs is what a run may be looking for; orderly ends are tested elsewhere.
        for r in self.roles.members:
            r.kill()
        if self.pusher.is_alive():
            self.pusher.join(11)
        self.clean()
        for step in self.after:
            step()
        if kind is None:
            shutil.rmtree(self.root)

    def clean(self):
        self.bed.kafka.delete_topics([line.split()[0] for line in must(self.bed.porta, "topics", "plan", where=self.direct).decode().splitlines()])
        self.bed.postgres.query(f"DROP DATABASE {self.name} WITH (FORCE)", "postgres")

    def where(self, broker, database):
        return ["-c", self.root / "config", "--state", self.root / "state", "--set", f"log.kafka.brokers=127.0.0.1:{broker}", "--set",
                f"store.postgresql.dsn=host=127.0.0.1 port={database} user=porta dbname={self.name}", *self.settings]

    def porta(self, *args, **more):
        return must(self.bed.porta, *args, where=self.direct, **more)

    def ask(self, *args, **more):
        return call(self.bed.porta, *args, where=self.direct, **more)

    # What the roles say

    def port(self, name, nth=0):
        role = self.all(name)[nth]
        said = re.findall(r'"http":(\d+)', role.log.read_text(errors="replace")) if role.log.exists() else []
        return int(said[-1]) if said and role.alive() else None

    def all(self, name):
        return [r for r in self.roles.members if r.name == name]

    def get(self, role, path, seconds=2):
        """Status and body of a role's port; 0 while it says nothing."""
        said = re.findall(r'"http":(\d+)', role.log.read_text(errors="replace")) if role.log.exists() else []
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{said[-1]}{path}", timeout=seconds) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()
        except (OSError, IndexError):
            return 0, ""

    def counter(self, role, name):
        """The sum over its labels."""
        lines = self.get(role, "/metrics")[1].splitlines()
        return sum(int(line.rsplit(" ", 1)[1]) for line in lines if re.split(r"[{ ]", line)[0] == name)

    def holder(self):
        """The resolver that has the lease."""
        for r in self.all("resolve"):
            if self.counter(r, "porta_resolve_leases_total") > self.counter(r, "porta_resolve_lost_leases_total"):
                return r
        return None

    def seconds(self):
        """Since the first role's start; the start of a server of the bed is not the run's."""
        return time.monotonic() - self.started - self.not_counted

    # What happens to them

    def shares(self, count):
        """The files in `count` shares, at random; those of a source whose order is that of arrival in their sequence."""
        files = list(self.files)
        self.rng.shuffle(files)
        share_of = {f: i % count for i, f in enumerate(files)}
        for source in self.town.manifest["arrival"]:
            own = sorted(f for f in files if f.parts[0] == source)
            for f, i in zip(own, sorted(share_of[f] for f in own)):
                share_of[f] = i
        return [sorted(f for f in files if share_of[f] == i) for i in range(count)]

    def bring(self, share):
        for f in share:
            (self.root / "aside" / f).rename(self.root / "feeds" / f)

    def ready(self):
        """All roles have announced their port: a strike before that would be one at the start only."""
        while not all(self.get(r, "/readyz")[0] == 200 for r in self.roles.members):
            self.watch()
            need(time.monotonic() - self.started < LIMIT / 2, "the roles are not ready")
            time.sleep(0.05)
        self.readied = self.seconds()

    def through(self, strikes, calm=(0.1, 0.5)):
        """Brings the feeds in one share more than there are strikes, and strikes in between."""
        self.ready()
        self.pusher.start()
        shares = self.shares(len(strikes) + 1)
        for share, (what, strike) in zip(shares, strikes):
            self.bring(share)
            self.quietly(self.rng.uniform(*calm))
            self.struck.append(what)
            strike()
        self.bring(shares[-1])

    def kill(self, role):
        """kill -9, and another process in its place, as its supervisor would start one."""
        self.killed = True
        role.kill()
        role.start()

    def kill_server(self, server):
        """kill -9, and the same again on the same data."""
        server.kill()
        start = time.monotonic()
        server.start()
        self.not_counted += time.monotonic() - start

    def stop(self, role, seconds):
        role.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        role.process.send_signal(signal.SIGCONT)

    def heal(self):
        self.bed.broker_way.heal()
        self.bed.store_way.heal()

    # What must hold

    def at_rest(self):
        if self.pusher.taken < len(self.pusher.bodies):
            return False
        r = self.ask("status", "--json")
        if r.returncode != 0 or any(json.loads(r.stdout)["pending"].values()):
            return False
        self.last = json.loads(self.porta("account", "--json"))
        return sum(s["received"] for s in self.last["sources"]) >= self.town.received

    def rest(self, limit=LIMIT):
        """Until nothing is on its way; what the limit leaves is for the checks."""
        while not self.at_rest():
            self.watch()
            if self.seconds() > limit - 1.0:
                status = self.ask("status", "--json").stdout.decode()
                got = {s["source"]: s["received"] for s in json.loads(self.porta("account", "--json"))["sources"]}
                fewer = {s["source"]: (got.get(s["source"], 0), s["received"]) for s in self.town.account["sources"] if got.get(s["source"], 0) < s["received"]}
                raise FallsShort(f"not quiet after {self.seconds():.1f} s; {self.pusher.taken} of {len(self.pusher.bodies)} pushed; received {fewer}; {status[:160]}")
            time.sleep(0.1)
        self.watch()
        self.rested = self.seconds()

    def quietly(self, seconds):
        """Waits, watching."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.watch()
            time.sleep(0.05)

    def wait(self, until, seconds, what):
        deadline = time.monotonic() + seconds
        while not until():
            self.watch()
            need(time.monotonic() < deadline, f"it did not happen in {seconds} s: {what}")
            time.sleep(0.05)

    def watch(self):
        """Memory, and that no role ends by itself."""
        for r in self.roles.members:
            if r.alive():
                self.peaks[r.name] = max(self.peaks.get(r.name, 0), r.peak_mib())
            elif not self.killed:
                raise FallsShort(self.roles.ended())

    def check(self, views=None):
        """No input that was acknowledged is lost, no effect doubled, and the views are those of the undisturbed run."""
        account = json.loads(self.porta("account", "--json"))
        need(account["balanced"], "the account does not balance")
        got, want = outcomes(account), outcomes(self.town.account)
        need(got == want, "outcomes differ: " + "; ".join(f"{s}: {got.get(s)} for {want[s]}" for s in want if got.get(s) != want[s])[:300])
        need(self.porta("view", "export", "--canonical", "--as-of", self.town.as_of) == (views or self.town.views), "views differ from the undisturbed run")
        self.check_delivered()
        need(self.ask("audit", "verify").returncode == 0, "the decision log does not verify")
        need(not self.pusher.rude, f"a push was answered {self.pusher.rude[:1]}")
        over = {n: round(m) for n, m in self.peaks.items() if m > CAP_MIB}
        need(not over, f"resident memory above {CAP_MIB} MiB: {over}")

    def check_delivered(self):
        anna = {"PORTA_AS": "anna", "PORTA_PURPOSE": "care-coordination"}
        received, exported = self.porta("view", "receive", env=anna), self.porta("view", "export", env=anna)
        need(received and received == exported, "what recipients have differs from what readers have")
