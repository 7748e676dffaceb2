"""Checks of a script: each prints a line, and the script ends with 1 when one does not hold."""


class Checks:
    def __init__(self):
        self.failures = []

    def __call__(self, holds, what, detail=""):
        print(("  ok   " if holds else "  FAIL ") + what + (f"  [{detail}]" if detail else ""), flush=True)
        if not holds:
            self.failures.append(what)
        return bool(holds)
