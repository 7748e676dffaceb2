#!/usr/bin/env python3
"""The readers on small inputs that a colleague can review: tests/golden/<format>/<case>/input.* gives expected.json (the node tree
with the offset and length of each node's bytes) or expected_error.json (code and place).

    golden_test.py PORTA [FORMAT[/CASE] …] [--bless]        --bless writes what the reader says now; read the difference before a commit
A file `arguments` beside the input holds further options of `porta read`. Without a FORMAT the runner first tries itself on a
changed expectation.
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
UNIT = re.compile(r"# unit \d+ @(\d+)\+(\d+)$")
PLACE = re.compile(r"(?P<file>[^:\n]+):(?P<line>\d+):(?P<column>\d+) \((?P<offset>\d+)\): (?P<code>[^:\s]+): (?P<message>.+)\n$", re.DOTALL)


def read(porta, format_name, case):
    """What the reader makes of the case's input, as (file name of the expectation, value)."""
    (source,) = case.glob("input.*")
    more = (case / "arguments").read_text().split() if (case / "arguments").exists() else []
    r = subprocess.run([porta, "read", format_name, source.name, *more], cwd=case, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20)
    said = r.stderr.decode()
    if r.returncode == 1:
        place = PLACE.match(said)
        if not place or place["file"] != source.name:
            raise ValueError(f"a refusal without a place: {said!r}")
        return "expected_error.json", {"code": place["code"], "offset": int(place["offset"]), "line": int(place["line"]), "column": int(place["column"])}
    if r.returncode != 0 or said:
        raise ValueError(f"exit {r.returncode}: {said!r}")
    units, size = [], source.stat().st_size
    for line in r.stdout.decode().splitlines():
        head = UNIT.match(line)
        if head:
            units.append({"offset": int(head[1]), "length": int(head[2]), "nodes": []})
        else:
            units[-1]["nodes"].append(line)
    if any(u["offset"] + u["length"] > size for u in units):
        raise ValueError("a unit reaches beyond the file")
    return "expected.json", {"units": units}


def cases(chosen):
    for format_folder in sorted(p for p in HERE.iterdir() if p.is_dir() and not p.name.startswith("__")):
        for case in sorted(p for p in format_folder.iterdir() if p.is_dir()):
            name = f"{format_folder.name}/{case.name}"
            if not chosen or format_folder.name in chosen or name in chosen:
                yield format_folder.name, case, name


def judge(porta, format_name, case, bless=False):
    """None when the case holds, else what is wrong with it."""
    try:
        name, value = read(porta, format_name, case)
    except (ValueError, subprocess.TimeoutExpired) as e:
        return str(e)
    other = case / ({"expected.json", "expected_error.json"} - {name}).pop()
    text = json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if bless:
        other.unlink(missing_ok=True)
        (case / name).write_text(text, encoding="utf-8")
        return None
    if other.exists():
        return f"{other.name} is there, but the reader gives {name}: {text[:200]}"
    if not (case / name).exists():
        return f"{name} is missing; --bless writes it"
    want = (case / name).read_text(encoding="utf-8")
    if want != text:
        pairs = zip(want.splitlines() + ["(end)"], text.splitlines() + ["(end)"])
        first = next((p for p in pairs if p[0] != p[1]), ("", ""))
        return f"expected {first[0].strip()}, the reader gives {first[1].strip()}"
    return None


def self_test(porta):
    """A wrong expectation must be told, one about a value and one about the verdict."""
    with tempfile.TemporaryDirectory() as t:
        case = Path(t)
        (case / "input.json").write_text('{"a":1}')
        judge(porta, "json", case, bless=True)
        right = judge(porta, "json", case)
        good = (case / "expected.json").read_text()
        (case / "expected.json").write_text(good.replace("+1", "+2"))
        value = judge(porta, "json", case)
        (case / "expected.json").rename(case / "expected_error.json")
        return right is None and "+1" in good and value and judge(porta, "json", case)


def usage_test(porta):
    """What was asked for is data and goes to stdout; a wrong command line is told on stderr."""
    def run(*args):
        return subprocess.run([porta, "read", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20)

    asked, with_format, wrong = run("--help"), run("csv", "--help"), run("csv")
    unsafe = [run(f, __file__, "--encoding", e) for f, e in (("hl7v2", "utf-16"), ("csv", "utf-32"), ("json", "utf-16le"), ("csv", "no-such"))]
    return (asked.returncode == with_format.returncode == 0 and asked.stdout == with_format.stdout and b"Examples: porta read " in asked.stdout
            and not asked.stderr and all(r.returncode == 2 and not r.stdout and b"--encoding: " in r.stderr for r in unsafe) and wrong.returncode == 2 and not wrong.stdout and wrong.stderr == asked.stdout)


def main():
    porta, *chosen = [a for a in sys.argv[1:] if a != "--bless"]
    porta = str(Path(porta).resolve())
    count = failed = 0
    for format_name, case, name in cases(chosen):
        wrong = judge(porta, format_name, case, "--bless" in sys.argv)
        count += 1
        failed += wrong is not None
        if wrong:
            print(f"{name}: {wrong}")
    if not chosen and not self_test(porta):
        print("self-test: a wrong expectation was not noticed")
        failed += 1
    if not chosen and not usage_test(porta):
        print("porta read: help goes to stdout, what is wrong with a command line (also an encoding that cannot be split) to stderr")
        failed += 1
    print(f"golden: {count} cases, {failed} failures")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
