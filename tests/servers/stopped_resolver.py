"""A resolver that is stopped (SIGSTOP, not killed) while it holds the lease: the standby takes over and works on; when the first
comes back it has lost the lease, writes nothing, and the views are those of the embedded form, byte for byte."""
import json
import os
import re
import signal
import subprocess
import time
import urllib.request

from support.roles import Roles

PEOPLE, SEED, LEASE_MS, PATIENCE = 60, 3, 1500, 90
failures = []


def check(holds, what, detail=""):
    print(("  ok   " if holds else "  FAIL ") + what + (f"  [{detail}]" if detail else ""), flush=True)
    if not holds:
        failures.append(what)
    return holds


class Porta:
    def __init__(self, binary, where):
        self.binary, self.where = str(binary), where

    def __call__(self, *args, where=True):
        environment = {**os.environ, "PORTA_AS": "acceptance", "PORTA_PURPOSE": "verification"}
        r = subprocess.run([self.binary, *map(str, args), *(self.where if where else [])], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, env=environment, timeout=120)
        assert r.returncode == 0, f"porta {args[0]}: exit {r.returncode}\n{r.stderr.decode(errors='replace')[-500:]}"
        return r.stdout

    def received(self):
        return sum(s["received"] for s in json.loads(self("account", "--json"))["sources"])

    def quiet(self):
        return not any(json.loads(self("status", "--json"))["pending"].values())


def wait(until, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not until():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


class Resolver:
    """What one resolve process says of itself."""

    def __init__(self, role):
        self.role = role
        self.port = None

    def counters(self):
        if not self.port:
            said = re.search(r'"http":(\d+)', self.role.log.read_text(errors="replace")) if self.role.log.exists() else None
            if not said:
                return {}
            self.port = int(said[1])
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            lines = [x for x in answer.read().decode().splitlines() if not x.startswith("#")]
        return {name.split("{")[0]: int(n) for name, n in (x.rsplit(" ", 1) for x in lines)}

    def holds(self):
        c = self.counters()
        return c.get("porta_resolve_leases_total", 0) > c.get("porta_resolve_lost_leases_total", 0)

    def noticed(self):
        c = self.counters()
        return c.get("porta_resolve_refused_writes_total", 0) + c.get("porta_resolve_lost_leases_total", 0)


def town(binary, root):
    """The feeds in two halves (the second waits aside), and what the embedded form makes of both."""
    home = root / "town"
    plain = Porta(binary, [])
    plain("synth", "--people", PEOPLE, "--seed", SEED, "--out", home, where=False)
    embedded = Porta(binary, ["-c", str(home / "config"), "--state", str(root / "embedded")])
    embedded("ingest")
    as_of = json.loads((home / "manifest.json").read_text())["as_of"]
    reference = embedded("view", "export", "--canonical", "--as-of", as_of)
    later = []
    # In name order, so that a source whose order is that of arrival keeps its sequence.
    for source in sorted((home / "feeds").iterdir()):
        files = sorted(p for p in source.rglob("*") if p.is_file())
        for f in files[len(files) // 2:]:
            aside = root / "aside" / f.relative_to(home)
            aside.parent.mkdir(parents=True, exist_ok=True)
            f.rename(aside)
            later.append((aside, f))
    return home, embedded.received(), as_of, reference, later


def run(binary, kafka, postgres, root):
    home, expected, as_of, reference, later = town(binary, root)
    porta = Porta(binary, ["-c", str(home / "config"), "--set", f"log.kafka.brokers={kafka.brokers}",
                           "--set", f"store.postgresql.dsn={postgres.dsn}", "--set", f"store.postgresql.lease_ms={LEASE_MS}"])
    porta("topics", "apply")
    logs = root / "roles"
    logs.mkdir()
    with Roles(binary, porta.where, logs, ("connect", "map", "resolve", "resolve", "project")) as roles:
        both = [Resolver(r) for r in roles.members if r.name == "resolve"]
        ready = wait(lambda: porta.received() > 0 and porta.quiet() and all(r.counters() or r.port for r in both) and
                     sum(r.holds() for r in both) == 1)
        if not check(ready, "one of two resolvers holds the lease, and the first half is through", f"{porta.received()} raw records"):
            print(roles.said())
            return False
        first = next(r for r in both if r.holds())
        second = next(r for r in both if r is not first)
        half = porta.received()
        try:
            first.role.process.send_signal(signal.SIGSTOP)
            for aside, f in later:
                aside.rename(f)
            check(wait(second.holds), "the standby takes over from the stopped holder")
            came = wait(lambda: porta.received() == expected and porta.quiet())
            check(came and expected > half, "what arrives meanwhile comes to rest", f"{half}, then {porta.received()} of {expected}")
            check(porta("view", "export", "--canonical", "--as-of", as_of) == reference, "the views are the embedded ones")
        finally:
            first.role.process.send_signal(signal.SIGCONT)
        check(wait(first.noticed, 20), "the first, back again, finds its lease gone", str(first.counters()))
        check(second.holds() and not second.noticed(), "the second keeps it")
        # The first goes on as a standby: nothing it does changes what is there.
        time.sleep(2 * LEASE_MS / 1000)
        check(not first.holds(), "and the first does not take it back")
        check(porta("view", "export", "--canonical", "--as-of", as_of) == reference and porta.quiet(), "the views stay the embedded ones")
        check(not roles.ended(), "no role has ended", roles.ended())
        # Control: with the second gone it does, so it was the lease that kept it from working.
        second.role.kill()
        check(wait(first.holds, 20), "control: once the second is gone the first takes the lease")
        if failures:
            print(roles.said())
    return not failures
