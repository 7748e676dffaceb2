#!/usr/bin/env python3
"""What operators are given is true: each metric of the code is explained in docs/OPERATIONS.md and none besides; porta.yaml of
every configuration fits schemas/configuration.json, which refuses what porta refuses; config/production loads and is safe; the
units are understood by systemd and hardened. Each check has a control that must fail. operations_test.py PORTA"""
import copy
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jsonschema
import yaml

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = ROOT / "config/production"
UNITS = ROOT / "deploy/systemd"
EXPOSED = "25"      # tenths that systemd-analyze security may give a unit, of 100
METRIC = re.compile(r'"(porta_[a-z_]+_total)"')
failures = []


def check(holds, what, detail=""):
    print(("  ok   " if holds else "  FAIL ") + what + (f"  [{detail}]" if detail and not holds else ""))
    if not holds:
        failures.append(what)


def metrics():
    """Every name that the code counts under, and those that stand in the table of the page."""
    code = set()
    for folder in ("pipeline", "server", "app", "connectors"):
        for file in (ROOT / folder).rglob("*.cpp"):
            text = file.read_text(encoding="utf-8")
            code |= set(METRIC.findall(text))
            # A counter's name is a whole literal; another form would pass this test by.
            for call in re.findall(r'metrics_?\.add\(\s*([^,]*),', text):
                check(METRIC.fullmatch(call.strip()) is not None, f"{file.name}: a counter is named by a literal", call)
    page = (ROOT / "docs/OPERATIONS.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `(porta_[a-z_]+)` \|", page, re.MULTILINE))
    check(len(code) > 5 and code == told, "each metric is explained, and no other", f"{sorted(code ^ told)}")
    check(code != told - {"porta_role_restarts_total"}, "control: a metric without a line is seen")


def refusals(schema, value):
    return [e.message for e in jsonschema.Draft7Validator(schema).iter_errors(value)]


def paths(value, path=()):
    """Each map inside a value, by its path; free ones (librdkafka's properties, tenants) are left out."""
    if isinstance(value, dict) and path[-1:] not in (("security",), ("tenants",)):
        yield path
        for key, below in value.items():
            yield from paths(below, (*path, key))


def schema(porta, folder):
    form = json.loads((ROOT / "schemas/configuration.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(form)
    for file in sorted(ROOT.glob("config/*/porta.yaml")):
        said = refusals(form, yaml.safe_load(file.read_text(encoding="utf-8")))
        check(not said, f"{file.relative_to(ROOT)} fits its schema", str(said))

    good = yaml.safe_load((PRODUCTION / "porta.yaml").read_text(encoding="utf-8"))
    # What both refuse: a key that nobody knows, at each place, and values out of range.
    wrong = {f"an unknown key in `{'.'.join(p) or 'porta.yaml'}`": (*p, "surprise") for p in paths(good)}
    for what, path in wrong.items():
        value = copy.deepcopy(good)
        at = value
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = "x"
        check(bool(refusals(form, value)), f"the schema refuses {what}")
        check(not porta(folder, value), f"porta refuses {what}")
    for path, bad in ((("server", "port"), 70000), (("log", "kafka", "min_insync_replicas"), 0),
                      (("store", "postgresql", "lease_ms"), 10), (("store", "postgresql", "answer_ms"), 10), (("poll_ms",), 0), (("log",), "elsewhere")):
        value = copy.deepcopy(good)
        at = value
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = bad
        check(bool(refusals(form, value)) and not porta(folder, value), f"both refuse {bad} as {'.'.join(path)}")
    check(porta(folder, good), "control: config/production as it stands is taken")

    kafka = good["log"]["kafka"]
    check(len(kafka["brokers"].split(",")) == 3 and kafka["replication"] == 3 and kafka["min_insync_replicas"] == 2,
          "production has three brokers, replication 3, two in sync")
    check(kafka["security"]["security.protocol"] in ("ssl", "sasl_ssl") and "verify-full" in good["store"]["postgresql"]["dsn"],
          "production speaks TLS and checks whom it talks to")
    check("testing" not in good, "production has no test hooks")


def units(binary):
    """Copies of the units beside a program that is there; systemd says what it thinks of them."""
    if not shutil.which("systemd-analyze"):
        if os.environ.get("CI") == "true":
            check(False, "systemd-analyze is there")
        else:
            print("skipped: no systemd-analyze here (with CI=true this is a failure)")
        return

    def analyze(folder, *argv):
        r = subprocess.run(["systemd-analyze", *argv], env={**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:"},
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        # What other units of this machine are said to lack is not ours.
        return r.returncode, "\n".join(x for x in r.stdout.splitlines() if "porta" in x)

    with tempfile.TemporaryDirectory(prefix="porta-units-") as directory:
        folder = Path(directory)
        shutil.copytree(UNITS, folder, dirs_exist_ok=True)
        names = sorted(p.name for p in folder.glob("*.service"))
        for name in names:
            unit = folder / name
            unit.write_text(unit.read_text(encoding="utf-8").replace("/usr/bin/porta", binary), encoding="utf-8")
        check({f"porta-{role}.service" for role in ("connect", "map", "resolve", "project", "serve")} <= set(names), "each role has a unit")
        for name in names:
            code, said = analyze(folder, "verify", str(folder / name))
            check(code == 0 and not said, f"{name} is understood", said)
            code, said = analyze(folder, "security", "--offline=yes", f"--threshold={EXPOSED}", str(folder / name))
            check(code == 0, f"{name} is hardened", said[-200:])
        unit = folder / "porta-map.service"
        text = unit.read_text(encoding="utf-8")
        unit.write_text(text.replace("StateDirectory=", "StateDirectry="), encoding="utf-8")
        check(analyze(folder, "verify", str(unit))[1] != "", "control: a misspelt key is seen")
        unit.write_text(text, encoding="utf-8")
        shutil.rmtree(folder / "porta-.service.d")
        check(analyze(folder, "security", "--offline=yes", f"--threshold={EXPOSED}", str(unit))[0] != 0,
              "control: without the common part a unit is exposed")


def main():
    binary = str(Path(sys.argv[1]).resolve())

    def porta(folder, value):
        """Whether porta takes this porta.yaml with the sources of production: then it finds that no server is there."""
        value = copy.deepcopy(value)
        if isinstance(value.get("store", {}).get("postgresql"), dict):
            value["store"]["postgresql"].update(dsn="host=127.0.0.1 port=1 dbname=porta", password_file=str(folder / "password"))
        (folder / "password").write_text("x\n", encoding="utf-8")
        (folder / "porta.yaml").write_text(yaml.safe_dump(value, sort_keys=False), encoding="utf-8")
        r = subprocess.run([binary, "connector", "list", "--json", "-c", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return r.returncode != 78

    metrics()
    with tempfile.TemporaryDirectory(prefix="porta-production-") as directory:
        folder = Path(directory) / "production"
        shutil.copytree(PRODUCTION, folder)
        schema(porta, folder)
    units(binary)
    print(f"operations: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
