#!/usr/bin/env python3
"""The threads of the shipped binary under valgrind's helgrind: whatever two of them touch must be ordered by a lock or a join.

    race_test.py PORTA [PEOPLE]     20 in CI, `make race` takes 400

Two runs: files into a store, and `porta run` with its roles in one process, pushed to by eight clients while others read its health and
its metrics, until it is asked to end. Control: a program with a race, in which helgrind must find it.
"""
import json
import random
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.checks import Checks  # noqa: E402
from support.door import DOOR  # noqa: E402

HERE = Path(__file__).resolve().parent
CLIENTS, TOKEN = 8, "a-token-of-this-test"
FOUND = 99  # the exit code when helgrind has something to say
check = Checks()

RACY = """#include <thread>
#include <iostream>
int main() { long n = 0; auto add = [&n] { for (int i = 0; i < 1000; ++i) ++n; }; std::thread a(add), b(add); a.join(); b.join(); std::cout << n; }
"""


def watched(log, *argv):
    return ["valgrind", "--tool=helgrind", "-q", f"--error-exitcode={FOUND}", f"--suppressions={HERE / 'libraries.supp'}", f"--log-file={log}", *map(str, argv)]


def said(log):
    """What helgrind found, without who made the threads, and two frames of each place."""
    lines = [x.partition("== ")[2] for x in log.read_text(errors="replace").splitlines()] if log.exists() else ["no log"]
    shown, depth = [], 0
    for line in lines:
        depth = depth + 1 if line.strip().startswith("by ") else 0
        if line.strip() and depth < 3:
            shown.append(line)
    found = [i for i, x in enumerate(shown) if x.startswith("-----------") and "Announcement" not in x]
    return "\n".join(shown[found[0]:] if found else shown)


def control(root):
    (root / "racy.cpp").write_text(RACY)
    subprocess.run(["g++", "-O0", "-g", "-pthread", root / "racy.cpp", "-o", root / "racy"], check=True)
    code = subprocess.run(watched(root / "racy.log", root / "racy"), stdout=subprocess.DEVNULL).returncode
    check(code == FOUND and "Possible data race" in said(root / "racy.log"), "control: a race is found", f"exit {code}")


def town(porta, root, people):
    subprocess.run([porta, "synth", "--people", str(people), "--seed", "7", "--out", root / "town"], check=True, stdout=subprocess.DEVNULL)
    return root / "town/config"


def files(porta, root, config):
    log = root / "ingest.log"
    run = subprocess.run(watched(log, porta, "ingest", "-c", config, "--state", root / "state"), stdout=subprocess.PIPE)
    account = json.loads(run.stdout or "{}")
    received = sum(s["received"] for s in account.get("sources", []))
    check(run.returncode == 0 and not said(log), "files into a store: no race", said(log))
    check(account.get("balanced") is True and received > 100, "and every record is accounted for", str(received))


def asked(port, path, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"Authorization": f"Bearer {TOKEN}"} if body else {})
    with urllib.request.urlopen(request, timeout=300) as answer:
        return answer.read()


def client(port, number, rounds, results):
    """Every other one pushes rows of its own, the others look."""
    turn = random.Random(number)
    try:
        for n in range(rounds):
            if number % 2:
                asked(port, turn.choice(["/livez", "/readyz", "/metrics"]))
            else:
                rows = "".join(f"{number}-{n}-{i};Inventi;Ada;1955-06-12\n" for i in range(5))
                asked(port, "/sources/door/records", ("id;family;given;born\n" + rows).encode())
        results.append("")
    except (OSError, urllib.error.URLError) as e:
        results.append(f"client {number}: {e}")


def pushed(porta, root, config, rounds):
    (config / "sources/door.yaml").write_text(DOOR)
    (config / "door.token").write_text(TOKEN + "\n")
    (config / "door.token").chmod(0o600)
    log = root / "run.log"
    process = subprocess.Popen(watched(log, porta, "run", "-c", config, "--state", root / "running", "--set", "server.port=0"),
                               stdout=subprocess.PIPE)
    results = []
    try:
        port = json.loads(process.stdout.readline())["ports"]["http"]
        clients = [threading.Thread(target=client, args=(port, n, rounds, results)) for n in range(CLIENTS)]
        for c in clients:
            c.start()
        for c in clients:
            c.join()
    finally:
        process.terminate()
        code = process.wait(300)
    wrong = [r for r in results if r]
    check(len(results) == CLIENTS and not wrong, f"{CLIENTS} clients beside the roles are answered", "; ".join(wrong)[:300])
    check(code == 0 and not said(log), "pushed to while its roles work: no race", said(log))


def main():
    porta = Path(sys.argv[1]).resolve()
    people = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with tempfile.TemporaryDirectory(prefix="porta-race-") as directory:
        root = Path(directory)
        control(root)
        config = town(porta, root, people)
        files(porta, root, config)
        pushed(porta, root, config, max(4, people // 5))
    print(f"race: {len(check.failures)} failures")
    return 1 if check.failures else 0


if __name__ == "__main__":
    sys.exit(main())
