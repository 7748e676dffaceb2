"""Looks for marked values in bytes, however they may have got there: any case, UTF-16, hexadecimal, Base64 at each of its three
offsets, JSON escapes and percent-encoding need nothing, for markers are plain ASCII letters."""
import base64
import os
import subprocess
import tempfile
from pathlib import Path


def forms(marker):
    """{name of the form: bytes to look for}. Haystacks are lowered for the forms whose case says nothing."""
    lower = marker.lower()
    return {"plain": lower.encode(), "utf-16-le": lower.encode("utf-16-le"), "utf-16-be": lower.encode("utf-16-be")}


def base64_forms(marker):
    """The part of the Base64 text that does not depend on what stands around the marker, for each offset and usual case."""
    found = {}
    for case in (marker, marker.lower(), marker.upper()):
        data = case.encode()
        for offset in range(3):
            text = base64.b64encode(b"\0" * offset + data)
            first = -(-offset * 8 // 6)
            found[f"base64+{offset} {case[:2]}"] = text[first:(offset + len(data)) * 8 // 6]
    return found


def hex_forms(marker):
    """Hexadecimal of the usual cases; the digits themselves are looked for in lower case."""
    return {f"hex {case[:2]}": case.encode().hex().encode() for case in (marker, marker.lower(), marker.upper())}


class Scanner:
    def __init__(self, markers):
        self.markers = list(markers)
        self.lowered = [(m, name, text) for m in self.markers for name, text in {**forms(m), **hex_forms(m)}.items()]
        self.exact = [(m, name, text) for m in self.markers for name, text in base64_forms(m).items()]

    def in_bytes(self, data):
        """[(marker, form)] in `data`."""
        lower = data.lower()
        return [(m, f) for m, f, t in self.lowered if t in lower] + [(m, f) for m, f, t in self.exact if t in data]

    def in_tree(self, *roots):
        """[(file, marker, form)] in every file below, its own name included. grep says in which files to look closely."""
        found = []
        for root in map(Path, roots):
            for path in sorted(root.rglob("*")):
                found += [(str(path.relative_to(root)), m, f"name, {f}") for m, f in self.in_bytes(str(path.relative_to(root)).encode())]
            for path in self.suspects(root):
                try:
                    found += [(str(path.relative_to(root)), m, f) for m, f in self.in_bytes(path.read_bytes())]
                except FileNotFoundError:
                    continue        # a running server may have dropped it
        return found

    def suspects(self, root):
        """Files below with any form in any case: more than there are, never fewer."""
        if not root.exists():
            return []
        with tempfile.NamedTemporaryFile(prefix="porta-forms-") as forms_file:
            forms_file.write(b"\n".join(text for _, _, text in self.lowered + self.exact))
            forms_file.flush()
            r = subprocess.run(["grep", "-rlZaiF", "-f", forms_file.name, root], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"})
        # 2 is for a file that went away meanwhile.
        assert r.returncode in (0, 1, 2), f"grep: {r.returncode}"
        return [Path(os.fsdecode(name)) for name in r.stdout.split(b"\0") if name]
