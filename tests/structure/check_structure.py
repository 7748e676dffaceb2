#!/usr/bin/env python3
"""The picture of docs/ARCHITECTURE.md against the tree: who includes whom, a README in every folder, file names in the
documents exist, no path of a developer's machine, no large file. `--self-test` breaks each rule on purpose and expects to be told.

    check_structure.py [--self-test]
"""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

# Folder: the folders it may include, besides itself. A path narrows to what is below it.
MAY_INCLUDE = {
    "base": [],
    "schemas": ["base"],
    "formats": ["base"],
    "fhirpath": ["base", "formats/node.h"],
    "connectors": ["base", "schemas", "formats"],
    "mapping": ["base", "schemas", "formats", "fhirpath"],
    "identity": ["base", "schemas"],
    "policy": ["base", "schemas"],
    "views": ["base", "schemas", "fhirpath", "policy"],
    "lineage": ["base", "schemas", "formats"],
    "config": ["base", "schemas"],
    "synth": ["base", "schemas"],
    "pipeline": ["base", "schemas", "mapping", "identity", "policy", "views", "lineage"],
}
# Widened on purpose, each with its reason.
WIDENED = {
    "config": {"formats/format.h": "a source's settings hold its format's settings as one type",
               "policy": "purposes are read from purposes.yaml as policy's own types"},
    "formats": {"schemas/models": "message structures of HL7 v2 are generated tables"},
    "pipeline": {"formats": "map splits and reads raw records; the readers are pure functions of bytes",
                 "connectors": "connect pulls from PullSource and moves its position",
                 "config": "stages are handed typed settings",
                 "fhirpath/expression.h": "map holds compiled expressions by value"},
}
ANYTHING = {"app", "tests", "bench", "server"}
# Folders that hold no C++ of their own but still explain themselves.
README_ONLY = {"deploy", "docs", "bench", "tests", "web", "server", "app"}
LARGEST = 1 << 20
# A source file or folder of this tree as the documents name it.
NAMED = re.compile(r"`((?:[A-Za-z0-9_.-]+/)+[A-Za-z0-9_.-]*|Makefile|[A-Za-z0-9_-]+\.(?:txt|md|py))`")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
MACHINE_PATH = re.compile(rb"(?<![A-Za-z0-9_.$}-])/" + rb"work/")
DOCUMENTS = ["README.md", "docs/ARCHITECTURE.md"]


def allowed(folder, included):
    if folder in ANYTHING or included.split("/")[0] == folder:
        return True
    for entry in MAY_INCLUDE[folder] + list(WIDENED.get(folder, {})):
        if included == entry or included.startswith(entry + "/"):
            return True
    return False


def tracked(root):
    git = ["git", "-c", "safe.directory=*", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(git, stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")
    return sorted({n for n in names if n and (root / n).is_file()})


def check(root):
    """All problems as lines `file: what`."""
    problems, files = [], tracked(root)
    known = set(files)
    folders = {f.split("/")[0] for f in files if "/" in f and not f.startswith(".")}
    includes = 0
    for f in files:
        folder = f.split("/")[0]
        data = (root / f).read_bytes()
        if len(data) > LARGEST:
            problems.append(f"{f}: {len(data)} bytes, more than {LARGEST}")
        if MACHINE_PATH.search(data):
            problems.append(f"{f}: names a path of a developer's machine")
        if not f.endswith((".h", ".cpp")):
            continue
        if "/" not in f:
            problems.append(f"{f}: a source file outside of every folder")
            continue
        if folder not in MAY_INCLUDE and folder not in ANYTHING:
            problems.append(f"{f}: the folder {folder} stands in no table (tests/structure/check_structure.py)")
            continue
        for included in INCLUDE.findall(data.decode("utf-8", "replace")):
            includes += 1
            if included not in known:
                beside = os.path.normpath(os.path.join(os.path.dirname(f), included))
                problems.append(f"{f}: includes {included}, " + ("write the path from the root" if beside in known else "which does not exist"))
            elif not allowed(folder, included):
                problems.append(f"{f}: {folder} must not include {included}")
    for folder in sorted(folders & (set(MAY_INCLUDE) | README_ONLY)):
        if f"{folder}/README.md" not in known:
            problems.append(f"{folder}/: has no README.md")
    parents = {"/".join(f.split("/")[:n]) for f in files for n in range(1, f.count("/") + 1)}
    for document in DOCUMENTS:
        if document not in known:
            problems.append(f"{document}: is missing")
            continue
        for name in NAMED.findall((root / document).read_text(encoding="utf-8")):
            top = name.split("/")[0]
            source = name.endswith((".cpp", ".h", ".py"))
            if top in ("build", "..") or ("/" in name and not source and top not in folders):
                continue
            if name.rstrip("/") not in known | parents:
                problems.append(f"{document}: names {name}, which does not exist")
    if includes == 0:
        problems.append("no include line was found: nothing was checked")
    return problems


def self_test():
    """A small tree that is right, then one wrong thing at a time; each must be named."""
    right = {
        "README.md": "see `base/result.h`\n", "docs/README.md": "x\n", "docs/ARCHITECTURE.md": "`base/`, `views/view.h`\n",
        "base/README.md": "x\n", "base/result.h": "#include <string>\n",
        "views/README.md": "x\n", "views/view.h": '#include "base/result.h"\n',
        "identity/README.md": "x\n", "identity/partition.h": '#include "base/result.h"\n',
    }
    wrong = [
        ("views/view.h", '#include "identity/partition.h"\n', "views/view.h: views must not include identity/partition.h"),
        ("base/result.h", '#include "views/view.h"\n', "base/result.h: base must not include views/view.h"),
        ("base/result.h", '#include "base/gone.h"\n', "which does not exist"),
        ("views/view.h", '#include "../base/result.h"\n', "write the path from the root"),
        ("cellar/a.cpp", '#include "base/result.h"\n', "cellar stands in no table"),
        ("identity/README.md", None, "identity/: has no README.md"),
        ("docs/ARCHITECTURE.md", "`views/gone.cpp`\n", "names views/gone.cpp"),
        ("base/notes.txt", "see /" + "work/x\n", "names a path of a developer's machine"),
        ("base/table.bin", "x" * (LARGEST + 1), "more than"),
    ]

    def problems(tree):
        with tempfile.TemporaryDirectory() as t:
            root = Path(t)
            subprocess.run(["git", "init", "-q", t], check=True)
            for name, text in tree.items():
                if text is not None:
                    (root / name).parent.mkdir(parents=True, exist_ok=True)
                    (root / name).write_text(text, encoding="utf-8")
            return check(root)

    missed = [f"a tree that is right: {p}" for p in problems(right)]
    for name, text, expected in wrong:
        found = problems({**right, name: text})
        if not any(expected in p for p in found):
            missed.append(f"{name}: expected '{expected}', found {found}")
    for m in missed:
        print(f"self-test: {m}")
    print(f"self-test: {len(wrong) + 1} trees, {len(missed)} misjudged")
    return 1 if missed else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    problems = check(ROOT)
    for p in problems:
        print(p)
    print(f"structure: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
