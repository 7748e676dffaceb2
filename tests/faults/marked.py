"""Privacy while things fail: a town with a marked value in every field, file name, local id and broken row goes through while its
connections are cut and silent, its roles and servers killed, and its disk is full; the markers may stand nowhere in clear."""
import os
import time

import bed
import strikes
from privacy import plant
from privacy.scanner import Scanner
from run_of import Run, need


class MarkedTown(bed.Town):
    """The planted feeds; what is pushed is marked, too."""

    def invent(self, porta, seed):
        self.planted = plant.Town(porta, self.root, bed.PEOPLE, seed)
        self.markers = [*self.planted.markers, *(plant.marker("door", n) for n in range(bed.PUSHED))]

    def family(self, n):
        return plant.marker("door", n)


class MarkedRun(Run):
    """Keeps what was answered; `check` looks at that, at the servers' files and at all that the roles said and left."""

    invents = MarkedTown

    def begun(self):
        self.answers = set()
        self.temp = self.root / "tmp"
        return super().begun()

    def get(self, role, path, seconds=2):
        answer = super().get(role, path, seconds)
        if hasattr(self, "answers"):
            self.answers.add(answer[1].encode())
        return answer

    def check(self, views=None):
        super().check(views)
        start = time.monotonic()
        for role in self.roles.members:
            self.get(role, "/metrics")
        quarantined = self.porta("quarantine", "list", "--json")
        self.answers |= {quarantined, self.porta("account", "--json"), self.porta("audit", "log"), self.porta("status", "--json"), *map(str.encode, self.pusher.rude)}
        scanner = Scanner(self.town.markers)
        said = [f for a in self.answers for f in scanner.in_bytes(a)]
        need(not said, f"an answer, metric or list quotes a marked value: {said[:2]}")
        found = scanner.in_tree(self.bed.root / "servers", self.root / "state", self.root / "logs", self.temp)
        need(not found, f"a marked value stands in clear in files: {found[:2]}")
        seen = {m for m, _ in scanner.in_bytes(self.porta("view", "export"))}
        need(len(seen) > 5 and len(quarantined.splitlines()) > 20, f"control: the markers did not go through: {len(seen)} shown")
        need({m for _, m, _ in scanner.in_tree(self.root / "feeds")} >= set(self.town.planted.markers), "control: the scanner misses markers in the feeds")
        self.notes.append(f"{len(self.town.markers)} markers, {len(seen)} shown")
        self.not_counted += time.monotonic() - start


def own_temp(run):
    (run.root / "tmp").mkdir()
    for role in run.roles.members:
        role.env = {"TMPDIR": str(run.root / "tmp")}


def marked(run):
    def die_in_work():
        mapper = run.all("map")[0]
        mapper.env = {**mapper.env, "PORTA_CRASH": f"map.record-in-work:{run.rng.randint(1, 5)}"}
        run.kill(mapper)
        mapper.env.pop("PORTA_CRASH")
        run.wait(lambda: not mapper.alive(), 5, "the mapper dies")
        mapper.start()
    some = [("store cut", run.bed.store_way.cut), ("broker cut", run.bed.broker_way.cut), ("store silent", run.bed.store_way.silence),
            ("map", die_in_work), ("postgres", lambda: run.kill_server(run.bed.postgres)), ("resolve", lambda: run.kill(run.all("resolve")[0])),
            ("broker", lambda: run.kill_server(run.bed.kafka))]
    run.killed = True
    run.through(run.rng.sample(some, 4))
    run.rest()
    need(not os.listdir(run.temp), "temporary files are left")


SCENARIOS = {"marked": strikes.Scenario(marked, before=own_temp, kind=MarkedRun)}
