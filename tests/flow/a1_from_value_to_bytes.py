"""A1 From any value of a view to its bytes, rule and versions in one call."""


def leaves(value, at=""):
    if isinstance(value, (dict, list)):
        for k, v in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(v, f"{at}/{k}")
    else:
        yield at, value


def story(town):
    view = town.views()[0]
    checked, read = 0, {}
    for pointer, value in leaves({k: v for k, v in view.items() if k not in ("schema", "person", "purpose")}):
        t = town("audit", "trace", view["person"], pointer, ok=(0,)).json()
        assert t["value"] == value and t["pointer"] == pointer
        for s in t["sources"]:
            data = read.get(s["raw"]) or read.setdefault(s["raw"], town("raw", "show", s["raw"], ok=(0,)).out)
            a, b = s["span"]
            assert data[a:b] == bytes.fromhex(s["bytes"]), "the span holds the bytes"
        if t["how"] == "copied":
            assert t["sources"] and t["rule"]["line"] > 0 and len(t["mapping_digest"]) == 64 and len(t["engine_digest"]) == 64
            assert str(value) in town("why", view["person"], pointer, ok=(0,)).text()
            checked += 1
    assert checked >= 3
    assert town("audit", "trace", view["person"], "/identity/nothing").code == 1
    return f"{checked} copied values"
