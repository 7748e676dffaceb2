"""The service under the same scanner: what a running process answers and says, and what lies in Kafka, in PostgreSQL and in the
logs of the roles."""
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from support.door import DOOR  # noqa: E402
from support.kafka import Kafka  # noqa: E402
from support.postgres import Postgres  # noqa: E402
from support.roles import Roles  # noqa: E402



def ask(port, path, body=None, token="sesame"):
    """Status and body, also of a refusal."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=60) as r:
            return r.status, r.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def embedded(check, porta, root, town, scanner):
    """`porta run` over the planted feeds, records and broken records pushed to it."""
    (town.config / "sources/door.yaml").write_text(DOOR)
    (town.config / "door.token").write_text("sesame\n")
    state, said = root / "service-state", root / "service.log"
    with open(said, "wb") as log:
        p = subprocess.Popen([porta, "run", "-c", town.config, "--state", state, "--set", "server.port=0"], stdout=subprocess.PIPE, stderr=log)
    try:
        port = json.loads(p.stdout.readline())["ports"]["http"]
        a, b = town.markers[0], town.markers[1]
        row = "client_id;surname;name;birth_date;tax_code;worker;phone;last_contact\n"
        good = ask(port, "/sources/door/records", f"{row}{b};{a};{a};1980-01-01;;{a};;2024-01-01\n".encode())
        broken = ask(port, "/sources/door/records", f"{row}{b};{a};{a};{a};;{a};;{a}\n".encode())
        answers = [ask(port, f"/{path}") for path in ("livez", "readyz", "metrics", "account", "status", a)]
        answers += [good, broken, ask(port, f"/sources/{a}/records", a.encode()), ask(port, "/sources/door/records", a.encode(), token=a)]
        for _ in range(200):
            if json.loads(ask(port, "/status")[1])["state"] == "quiet":
                break
            time.sleep(0.1)
        answers += [ask(port, path) for path in ("/metrics", "/account", "/status")]
    finally:
        p.terminate()
        p.wait()
    account = {s["source"]: s for s in json.loads(answers[-2][1])["sources"]}
    check(good[0] == broken[0] == 202 and account["door"]["quarantined"] == 1 and account["door"]["published"] == 1,
          "pushed records were durable, a broken one is quarantined", str(account["door"]))
    leaks = [f for _, body in answers for f in scanner.in_bytes(body)]
    check(not leaks, "no answer, metric or error of the service quotes a value", str(leaks[:3]))
    found = scanner.in_tree(state) + scanner.in_bytes(said.read_bytes())
    check(not found, "nothing in the service's state or log", str(found[:3]))
    (town.config / "sources/door.yaml").unlink()


def scaled_out(check, porta, root, town, scanner):
    """The same feeds over a real Kafka and PostgreSQL."""
    with Kafka(root / "kafka") as k, Postgres(root / "postgres") as pg:
        where = ["-c", str(town.config), "--state", str(root / "roles-state"), "--set", f"log.kafka.brokers={k.brokers}",
                 "--set", f"store.postgresql.dsn={pg.dsn}"]

        def call(*args):
            return subprocess.run([porta, *args, *where], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = [call("topics", "apply")]
        logs = root / "roles"
        logs.mkdir()
        with Roles(porta, where, logs):
            said.append(call("ingest"))
            said += [call(*words) for words in (["quarantine", "replay"], ["account", "--json"], ["status"], ["topics", "plan"])]
        saved = root / "saved"
        said.append(call("backup", "--to", str(saved / "data"), "--keys-to", str(saved / "keys")))
        account = json.loads(said[3].stdout)
        check(all(r.returncode == 0 for r in said) and sum(s["published"] for s in account["sources"]) > 100,
              "the feeds went through Kafka and PostgreSQL", f"{sum(s['published'] for s in account['sources'])} published")
        leaks = [f for r in said for f in scanner.in_bytes(r.stdout + r.stderr)]
        found = scanner.in_tree(root / "kafka", root / "postgres", root / "roles-state", logs, saved)
        check(not leaks and not found, "nothing in topics, database, state, a backup or logs of the roles", str((leaks + found)[:3]))
