"""I8 The same files come in ZIP archives: the same views, each entry an object with its layers; a hostile archive leaves nothing."""
import gzip
import zipfile
from pathlib import Path


def story(town):
    feeds, state = Path(town.config).parent / "feeds", Path(town.root) / "archive-state"
    before = town("view", "export", "--canonical", ok=(0,)).out
    for source in ("clinic", "care", "unemployment", "desk", "contacts", "hospital"):
        archive = Path(town.root) / f"{source}.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as z:
            for n, path in enumerate(sorted((feeds / source).iterdir())):
                data = path.read_bytes()
                z.writestr(f"out/{path.name}", gzip.compress(data) if n == 0 else data)
        town("ingest", "--source", source, archive, state=state, ok=(0,))
    assert town("view", "export", "--canonical", state=state, ok=(0,)).out == before, "an archive changes nothing"
    accounts = [{s["source"]: s["received"] for s in town("account", "--json", state=at).json()["sources"]} for at in (None, state)]
    assert accounts[0] == accounts[1], accounts
    raws = town("raw", "list", state=state, ok=(0,)).lines()
    layers = {" ".join(r["object"]["layers"]) for r in raws}
    assert layers == {"zip", "zip gzip"} and all(".zip/out/" in r["object"]["path"] for r in raws), layers
    received = town("account", "--json", state=state).out
    archive = Path(town.root) / "outside.zip"
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("adt_20240406.hl7", "MSH|^~\\&|A")
        z.writestr("../../etc/adt_20240406.hl7", "MSH|^~\\&|A")
    assert town("ingest", "--source", "hospital", archive, state=state).code != 0, "a name that leaves the archive"
    assert town("account", "--json", state=state).out == received, "a refused archive leaves nothing"
    return f"{len(raws)} raw records"
