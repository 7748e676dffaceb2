#!/usr/bin/env python3
"""Runs the stories: run.py PORTA [STORY…]. One line a story; exit 1 when one fails."""
import importlib
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import town as towns  # noqa: E402


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    names = sys.argv[2:] or sorted(p.stem for p in HERE.glob("[tia][0-9]*_*.py"))
    if not names:
        sys.exit("no story was found")
    town, failed = towns.Town(sys.argv[1]), 0
    try:
        for name in names:
            start = time.monotonic()
            try:
                told = importlib.import_module(name).story(town)
                print(f"[ok] {name}  {told or ''}  {time.monotonic() - start:.1f} s", flush=True)
            except Exception as e:
                failed += 1
                where = traceback.extract_tb(e.__traceback__)[-1]
                print(f"[FAILED] {name}  {Path(where.filename).name}:{where.lineno} {where.line}  {e}", flush=True)
    finally:
        town.close()
    print(f"{len(names) - failed} stories hold, {failed} fail")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
