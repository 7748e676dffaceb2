"""The engines of run.py: each gives the seven values of every record, and the microseconds that a record costs, warm."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PLACE = ROOT / "build/rivals"
SECONDS = 0.4          # of each engine in each run
NEEDED = {"jq": "jq", "node": "nodejs", "npm": "npm", "mvn": "maven", "javac": "openjdk-17-jdk-headless"}


def said(*argv, **more):
    return subprocess.run([str(a) for a in argv], check=True, stdout=subprocess.PIPE, **more).stdout


def install():
    """What npm and Maven know, below build/rivals; the same versions each time."""
    missing = [package for tool, package in NEEDED.items() if not shutil.which(tool)]
    if missing:
        sys.exit(f"bench: missing here: apt-get install {' '.join(missing)}")
    PLACE.mkdir(parents=True, exist_ok=True)
    for file in ("package.json", "engine.js"):
        shutil.copy(HERE / file, PLACE)
    said("npm", "install", "--no-audit", "--no-fund", cwd=PLACE)
    said("mvn", "-q", "-B", "-f", HERE / "hapi/pom.xml", "dependency:copy-dependencies", f"-DoutputDirectory={PLACE}/hapi/lib")
    said("javac", "-cp", f"{PLACE}/hapi/lib/*", "-d", PLACE / "hapi", HERE / "hapi/Parse.java")


def npm_version(name):
    return json.loads((PLACE / "node_modules" / name / "package.json").read_text())["version"]


def seven():
    """The expressions that engine.js has, too."""
    text = (HERE / "engine.js").read_text()
    return re.findall(r"'([a-zA-Z.]+)'", text[text.index("PATHS"):text.index("];")])


class Expressions:
    """Porta asked for the same as the others: the values of the expressions, and nothing made of them."""

    def __init__(self, porta, file):
        self.run = [porta, "bench", "fhirpath", file, *seven()]
        self.name, self.tasks = "evaluated", {}

    def answers(self):
        return [[found[0] for found in json.loads(line)] for line in said(*self.run, "--print").splitlines()]

    def measure(self):
        """Microseconds of `evaluated`; those of the other tasks of the same run stand in `tasks`."""
        for task, t in json.loads(said(*self.run, "--runs", "1", "--seconds", str(SECONDS), "--json"))["tasks"].items():
            self.tasks.setdefault(task, []).append(float(t["ns_a_record"]["median"]) / 1000)
        return self.tasks[self.name][-1]


class Mapping(Expressions):
    """Porta with a mapping: each record made an operation of the common schema, with the bytes that each value is from."""

    def __init__(self, porta, mapping, file, *declared):
        self.run = [porta, "bench", "map", mapping, file, *declared]
        self.shown = [porta, "map", "run", mapping, file, *declared]
        self.name, self.tasks = "mapped", {}

    def operations(self):
        return [json.loads(line) for line in said(*self.shown, stderr=subprocess.DEVNULL).splitlines()]

    def answers(self):
        out = []
        for op in self.operations():
            r = op["record"]
            identifier, name, contact = r["identifiers"][0], r["names"][0], r["contacts"][0]
            out.append([identifier["value"], identifier["issuer"], name["family"], name["given"][0], r["sex"], r["birth_date"], contact["value"]])
        return out


class Jq:
    """Its time over the file, less that over no record, both of this run."""
    FILTER = "[.identifier[0].value, .identifier[0].system, .name[0].family, .name[0].given[0], .gender, .birthDate, .telecom[0].value]"

    def __init__(self, file, records):
        self.file, self.records = file, records
        self.name = "jq " + re.sub("^jq-", "", said("jq", "--version").decode().strip())

    def answers(self):
        return [json.loads(line) for line in said("jq", "-c", self.FILTER, self.file).splitlines()]

    def seconds(self, file):
        p = subprocess.Popen(["jq", "-c", self.FILTER, file], stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        if p.returncode:
            sys.exit(f"bench: jq ended with {p.returncode}")
        return used.ru_utime + used.ru_stime

    def measure(self):
        return 1e6 * (self.seconds(self.file) - self.seconds(os.devnull)) / self.records


class Worker:
    """A process that stays warm and is asked by lines."""

    def __init__(self, name, argv, warm):
        self.name = name
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen([str(a) for a in argv], cwd=PLACE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.warm, self.alone = warm, []

    def ask(self, line, answers=1):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        lines = [self.process.stdout.readline() for _ in range(answers)]
        if not lines[-1]:
            self.errors.seek(0)
            sys.exit(f"bench: {self.name} ended: {self.errors.read()[-600:].decode(errors='replace')}")
        return lines

    def heat(self):
        self.ask(f"go {self.warm}")

    def measure(self):
        """Microseconds a record from its bytes; those of node without JSON.parse stand in `alone`."""
        whole, *alone = [float(x) / 1000 for x in self.ask(f"go {SECONDS}")[0].split()]
        self.alone += alone
        return whole

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


def node(title, name, file):
    version = npm_version(name.split("-")[0])
    return Worker(title.replace("*", version), ["node", PLACE / "engine.js", name, file], 3)


def hapi(file):
    jar = next((PLACE / "hapi/lib").glob("hapi-base-*.jar")).stem
    return Worker("HAPI HL7 v2 " + jar.rsplit("-", 1)[1] + ", parse alone", ["java", "-cp", f"{PLACE}/hapi:{PLACE}/hapi/lib/*", "Parse", file], 20)
