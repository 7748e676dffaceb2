#!/usr/bin/env python3
"""docs/tutorial-new-register.md as a test: its files are written, its commands run in their order, and each prints what the page says
it prints. tutorial_test.py PORTA"""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/tutorial-new-register.md"
BLOCK = re.compile(r"^```(\w+)(?: ([^\n]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(page, binary, root):
    """What does not hold, and how many commands ran."""
    problems, commands, output = [], 0, ""
    bin_dir = root / "bin"
    bin_dir.mkdir()
    (bin_dir / "porta").symlink_to(binary)
    environment = dict(os.environ, PATH=f"{bin_dir}:{os.environ['PATH']}")
    for kind, argument, body in BLOCK.findall(page):
        if kind == "file":
            (root / argument).write_text(body, encoding="utf-8")
        elif kind == "sh":
            r = subprocess.run(["bash", "-euc", body], cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            output = r.stdout.decode(errors="replace")
            commands += len(body.strip().splitlines())
            if r.returncode != 0:
                problems.append(f"{body.strip()}: exit {r.returncode}: {output[-300:]}")
        elif kind == "output":
            problems += [f"not printed: {line}" for line in body.splitlines() if line not in output]
    return problems, commands


def main():
    binary = str(Path(sys.argv[1]).resolve())
    page = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="porta-tutorial-") as a, tempfile.TemporaryDirectory(prefix="porta-tutorial-") as b:
        problems, commands = run(page, binary, Path(a))
        # The test notices a page that says something else.
        broken, _ = run(page.replace('"received":6', '"received":7'), binary, Path(b))
    if commands < 8:
        problems.append(f"only {commands} commands found")
    if not broken:
        problems.append("control: a page with a wrong output passes")
    for p in problems:
        print("  FAIL " + p)
    print(f"tutorial: {commands} commands, {len(problems)} failures")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
