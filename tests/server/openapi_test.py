#!/usr/bin/env python3
"""`schemas/openapi.yaml` against a running `porta run`: every path and status that can be had answers as it says, and nothing that
it does not name answers at all. openapi_test.py PORTA"""
import json
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import jsonschema
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = yaml.safe_load((ROOT / "schemas/openapi.yaml").read_text(encoding="utf-8"))
SOURCE, TOKEN = "pushed", "a-token-of-this-test"
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
LARGEST = 64 << 20
failures = []


def check(holds, what, detail=""):
    if not holds:
        failures.append(what)
    if not holds or not detail:
        print(("  ok   " if holds else "  FAIL ") + what + (f"  [{detail}]" if detail else ""), flush=True)
    return holds


def resolved(node):
    while "$ref" in node:
        target = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


class Answer:
    def __init__(self, data):
        head, _, self.body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = first.split()[1] if first else "none"
        self.headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        self.type = self.headers.get("content-type", "").split(";")[0]


def send(port, method, target, headers=(), body=b"", host=True, hang_up=False):
    """Byte for byte what the caller wants, on a connection of its own: a client library would not send what is wrong."""
    lines = [f"{method} {target} HTTP/1.1", *(["Host: 127.0.0.1"] if host else []), "Connection: close", *headers]
    with socket.create_connection(("127.0.0.1", port), 30) as s:
        try:
            s.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            if hang_up:
                s.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all was sent; the answer may still be there
        data = b""
        try:
            while part := s.recv(65536):
                data += part
        except ConnectionResetError:
            pass
    return Answer(data)


def as_documented(answer, response):
    """Empty, or what differs from a response object."""
    content = resolved(response)["content"]
    if answer.type not in content:
        return f"content type {answer.type or 'none'}"
    if answer.type == "application/json":
        schema = {**content[answer.type]["schema"], "components": DOCUMENT["components"]}
        try:
            jsonschema.Draft4Validator(schema).validate(json.loads(answer.body))
        except (ValueError, jsonschema.ValidationError) as e:
            return str(e).splitlines()[0]
    return ""


def expect(answer, status, path, method, what):
    responses = {**DOCUMENT["x-everywhere"], **DOCUMENT["paths"].get(path, {}).get(method.lower(), {}).get("responses", {})}
    if answer.status != status:
        return check(False, what, f"{answer.status} instead of {status}: {answer.body[:100]!r}")
    if status not in responses:
        return check(False, what, f"{status} is not documented")
    wrong = as_documented(answer, responses[status])
    return check(not wrong, f"{what}: {status}", wrong)


def configure(root):
    """A directory with one source that is pushed to, beside the keys and purposes that `porta synth` writes."""
    config = root / "town/config"
    for f in (config / "sources").iterdir():
        f.unlink()
    (config / "token").write_text(TOKEN + "\n")
    (config / "token").chmod(0o600)
    (config / f"sources/{SOURCE}.yaml").write_text(
        f"id: {SOURCE}\nkind: http\nhttp: {{token_file: ../config/token}}\ntenant: comune-nord\n"
        'agency: {id: clinic, name: "Ambulatorio Nord", domain: health}\n'
        "format: {kind: ndjson, dialect: fhir, time_zone: UTC}\nfeed: delta\nmapping: library:fhir-r4\n"
        "coverage: {area: [ITF33], from: 2015-01-01, who: residents}\nno_data_means: not known here\n")
    return config


def reads(port):
    for path, item in DOCUMENT["paths"].items():
        if "get" not in item:
            continue
        get = send(port, "GET", path)
        expect(get, "200", path, "GET", f"GET {path}")
        head = send(port, "HEAD", path + "?x=1")
        check(head.status == "200" and not head.body and head.type == get.type, f"HEAD {path}: the same without a body")


def pushes(port):
    path = "/sources/{source}/records"
    target, bearer = path.replace("{source}", SOURCE), f"Authorization: Bearer {TOKEN}"
    patient = json.dumps({"resourceType": "Patient", "id": "p1", "meta": {"lastUpdated": "2024-01-01T00:00:00Z", "versionId": "1"},
                          "name": [{"family": "Zxtestino", "given": ["Uno"]}], "birthDate": "1980-01-01"}).encode() + b"\n"
    length = f"Content-Length: {len(patient)}"

    def post(what, status, headers, body=patient, to=target, **more):
        answer = send(port, "POST", to, headers, body, **more)
        expect(answer, status, path, "POST", what)
        return answer

    first = post("a push with its token", "202", [bearer, length])
    check(b'"raw_records":1' in first.body, "it brought one raw record", "" if first.status == "202" else first.status)
    again = post("the same again", "202", [bearer, length])
    check(b'"raw_records":0' in again.body, "it was known")
    chunked = f"{len(patient):x}\r\n".encode() + patient + b"\r\n0\r\n\r\n"
    post("a chunked push", "411", [bearer, "Transfer-Encoding: chunked"], chunked)
    post("a chunked push that breaks off", "411", [bearer, "Transfer-Encoding: chunked"], chunked[:40], hang_up=True)
    post("no length at all", "411", [bearer], b"")
    post("a body that breaks off", "400", [bearer, length], patient[:40], hang_up=True)
    for what, header in (("another token", ["Authorization: Bearer other"]), ("no token", []), ("an empty token", ["Authorization: Bearer "]),
                         ("the token under another scheme", [f"Authorization: Basic {TOKEN}"])):
        answer = post(what, "403", [*header, length])
        check(TOKEN.encode() not in answer.body, f"{what}: the answer does not tell the token")
    post("a source that nobody has", "404", [bearer, length], to="/sources/nobody/records")
    post("the desk over HTTP", "404", [bearer, length], to="/sources/desk/records")
    post("a declared length above the limit", "413", [bearer, f"Content-Length: {LARGEST + 1}"], b"x" * (1 << 20))
    post("length and transfer coding", "400", [bearer, length, "Transfer-Encoding: chunked"], chunked)
    post("two lengths", "400", [bearer, length, length])
    post("a length that is no number", "400", [bearer, "Content-Length: +5"], b"12345")
    expect(send(port, "POST", target, [bearer, length], patient, host=False), "400", path, "POST", "no host")
    expect(send(port, "POST", target, [bearer, length, "Host: other"], patient), "400", path, "POST", "two hosts")
    account = json.loads(send(port, "GET", "/account").body)
    check(account["balanced"] and sum(s["received"] - s["duplicates"] for s in account["sources"]) == 1, "what was refused is nowhere in the account", "")


def others(port):
    """Methods and targets that the document does not name."""
    for path, item in DOCUMENT["paths"].items():
        known = {m.upper() for m in item} | ({"HEAD"} if "get" in item else set())
        for method in METHODS:
            if method not in known:
                answer = send(port, method, path.replace("{source}", SOURCE), ["Content-Length: 0"])
                allow = {m.strip() for m in answer.headers.get("allow", "").split(",")}
                expect(answer, "405", path, method, f"{method} {path}")
                check(allow == known, f"{method} {path}: Allow names its methods")
    for target in ("/", "/livez/", "/LIVEZ", "//livez", "/health", "/healthz", "/ready", "/metricsx", "/account/x", "/sources", "/sources/",
                   f"/sources/{SOURCE}", f"/sources/{SOURCE}/records/", "/sources//records", "/views", "/persons", "/records", "/view",
                   "/openapi.yaml", "/admin", "/debug", "/../etc/passwd", "/%2e%2e/keys", "*"):
        for method in ("GET", "POST"):
            expect(send(port, method, target, ["Content-Length: 0"]), "404", target, method, f"{method} {target}")


def literals(source):
    """The targets that the server's source compares with; `/sources/` and `/records` are one."""
    found = set(re.findall(r'"(/[a-z]+/?)"', source))
    return found - {"/sources/", "/records"} | ({"/sources/{source}/records"} if {"/sources/", "/records"} <= found else set())


def complete():
    source = (ROOT / "server/http_server.cpp").read_text(encoding="utf-8")
    found, named = literals(source), set(DOCUMENT["paths"])
    check(found == named, "every target in the server's source is documented", str(sorted(found ^ named)) if found != named else "")
    check(literals(source + '"/hidden"') != named, "control: a target that is not documented is seen")
    check(as_documented(Answer(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"state\":\"quiet\"}"),
                        DOCUMENT["paths"]["/status"]["get"]["responses"]["200"]), "control: an answer without a required field is seen")


def main():
    porta = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory(prefix="porta-openapi-") as directory:
        root = Path(directory)
        subprocess.run([porta, "synth", "--people", "5", "--seed", "1", "--out", root / "town"], check=True, stdout=subprocess.DEVNULL)
        config = configure(root)
        process = subprocess.Popen([porta, "run", "-c", config, "--state", root / "state", "--set", "server.port=0"], stdout=subprocess.PIPE)
        try:
            port = json.loads(process.stdout.readline())["ports"]["http"]
            reads(port)
            pushes(port)
            others(port)
            complete()
        finally:
            process.terminate()
            process.wait(30)
        check(process.returncode == 0, "it ends when asked")
    print(f"openapi: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
