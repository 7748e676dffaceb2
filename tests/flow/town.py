"""An invented municipality and the porta binary, for the stories. Standard library only."""
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

EVERYTHING = ("acceptance", "verification")
CARE = ("anna", "care-coordination")
JOBS = ("bruno", "activation")

# An invented patient whom the hospital seals, and one whom it does not.
ADT = ("MSH|^~\\&|ADT|HOSP|||20240404101500||ADT^A08|{control}|P|2.5.1\r"
       "PID|1||{id}^^^HOSP^MR||{family}^{given}||{birth}|F\r"
       "PV1|1|I|WARD^1^A||||||||||||||||{visit}|||||||||||||||||||||||||20240403083000\r")


class Answer:
    def __init__(self, r):
        self.code, self.out, self.err = r.returncode, r.stdout, r.stderr

    def lines(self):
        return [json.loads(x) for x in self.out.decode("utf-8").splitlines() if x.strip()]

    def json(self):
        return json.loads(self.out)

    def text(self):
        return self.out.decode("utf-8")


class Town:
    def __init__(self, porta, people=80, seed=11):
        self.porta = str(porta)
        self.root = Path(tempfile.mkdtemp(prefix="porta-flow-"))
        self.config, self.state = self.root / "town/config", self.root / "state"
        self("synth", "--people", people, "--seed", seed, "--out", self.root / "town", plain=True, ok=(0,))
        self("ingest", ok=(0,))

    def __call__(self, *args, who=EVERYTHING, state=None, config=None, stdin="", ok=None, plain=False, clock=None, crash=None):
        argv = [self.porta, *map(str, args)]
        if not plain:
            argv += ["-c", str(config or self.config), "--state", str(state or self.state)]
        env = {k: v for k, v in os.environ.items() if not k.startswith("PORTA_")}
        if who:
            env.update(PORTA_AS=who[0], PORTA_PURPOSE=who[1])
        if crash:
            env["PORTA_CRASH"] = crash
        if clock:
            env["PORTA_CLOCK"] = clock
        a = Answer(subprocess.run(argv, input=stdin.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env))
        assert ok is None or a.code in ok, f"porta {args[0]} {args[1] if len(args) > 1 else ''}: exit {a.code}, {a.err.decode()[-300:]}"
        return a

    def copy(self):
        """A state of its own, for a story that writes."""
        to = Path(tempfile.mkdtemp(dir=self.root, prefix="state-"))
        shutil.copytree(self.state, to, dirs_exist_ok=True)
        return to

    def fresh(self, with_=None, purposes=None):
        """Another municipality of the same feeds, with one more object or other purposes: (config, state)."""
        to = Path(tempfile.mkdtemp(dir=self.root, prefix="town-"))
        shutil.copytree(self.root / "town", to, dirs_exist_ok=True)
        for path, data in (with_ or {}).items():
            (to / path).write_bytes(data if isinstance(data, bytes) else data.encode())
        if purposes:
            (to / "config/purposes.yaml").write_text(purposes, encoding="utf-8")
        state = to / "own-state"
        self("ingest", config=to / "config", state=state, ok=(0,))
        return to / "config", state

    def views(self, **more):
        return self("view", "export", ok=(0,), **more).lines()

    def persons(self, **more):
        """Record key → person."""
        rows = csv.DictReader(self("identity", "export", ok=(0,), **more).text().splitlines())
        return {r["record_key"]: r["person"] for r in rows}

    def log(self, **more):
        return self("audit", "log", ok=(0,), **more).lines()

    def close(self):
        shutil.rmtree(self.root, ignore_errors=True)


def main(story):
    """A story alone: `t1_….py PORTA`."""
    town = Town(sys.argv[1])
    try:
        story(town)
    finally:
        town.close()
