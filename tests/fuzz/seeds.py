"""What the fuzzers begin with, made anew for each run: seeds and dictionaries.

The readers' seeds are the inputs of tests/golden. Expressions come from our tables of cases and mappings, and from HL7's suites where
they lie beside the project (or below $PORTA_DATA); mappings are those that are shipped, each with its goldens, and those of
seeds/mapping with models and mistakes. The dictionaries are the words that the sources know."""
import base64
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SUITES = Path(os.environ.get("PORTA_DATA", ROOT.parent / "shared/data")) / "fhirpath"


def expressions():
    for line in (ROOT / "tests/unit/fhirpath/specification.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")[0]
    for suite in sorted(SUITES.glob("*.xml")):
        for expression in ET.parse(suite).iter("expression"):
            yield expression.text or ""
    for mapping in mappings():
        for quoted in re.findall(r"[:\[] *([A-Za-z%][\w%]*[.(][^,}\]\n#]*)", mapping.read_text()):
            yield quoted


def documents():
    """For `within`: what the readers begin with, as it is and in base64."""
    for path in sorted([*(ROOT / "tests/golden/xml").glob("*/input.*"), *(ROOT / "tests/golden/json").glob("*/input.*")]):
        if path.stat().st_size < 4096:
            text = path.read_bytes()
            yield text
            yield base64.b64encode(text)
            yield text.replace(b'"', b'\\"')


def mappings():
    return sorted([*(ROOT / "mapping/library").glob("*.yaml"), *(ROOT / "config/examples/mappings").glob("*.yaml")])


def withGoldens(mapping):
    """The mapping, its goldens and the models beside it as one input: `--- NAME` begins another file."""
    text = mapping.read_bytes()
    models = [(path.name, path) for path in sorted(mapping.parent.glob("*.xsd")) if path.name in text.decode()]
    goldens = [(f"goldens/mapping/{path.name}", path) for path in sorted((mapping.parent / "goldens" / mapping.stem).glob("*"))]
    for name, path in models + goldens:
        text += f"--- {name}\n".encode() + path.read_bytes()
        text += b"" if text.endswith(b"\n") else b"\n"
    return text


def words(pattern, *sources):
    found = set()
    for source in sources:
        for path in sorted(ROOT.glob(source)):
            found.update(re.findall(pattern, path.read_text()))
    return sorted(found)


FORMS = ["@2015-02-04T14:34:28.123+01:00", "@T14:34", "1.5 'mg'", "4 days", "%`vs-x`", "'\\u0041'", "$this", "$index", "$total",
         "/* */", "//", "{}", "System.String", "FHIR.Patient", "!~", "implies", "[0]", "true", "1L", "`a`"]


def prepare(fuzzer, corpus):
    """Writes the seeds below `corpus` where they are made; gives the folders of seeds and libFuzzer's options."""
    name = fuzzer.removesuffix("_fuzz")
    golden = ROOT / "tests/golden" / name.split("_")[0]
    made = {"fhirpath": expressions, "mapping": lambda: map(withGoldens, mappings()), "within": documents}
    if name not in made:
        return [golden] if golden.is_dir() else [], []
    seeds, dictionary = corpus.with_suffix(".seeds"), corpus.with_suffix(".dict")
    seeds.mkdir(parents=True, exist_ok=True)
    for i, text in enumerate(made[name]()):
        (seeds / f"{i:04}").write_bytes(text if isinstance(text, bytes) else text.encode())
    if name == "within":
        return [seeds], []
    known = [*words(r'\{"(\w+)", (?:Fn|Op)::', "fhirpath/*.cpp"), *FORMS]
    if name == "mapping":
        known += [*words(r'"([$\w-]+)"', "mapping/engine/loader*.cpp", "mapping/engine/golden_file.cpp", "mapping/engine/models.cpp"),
                  *words(r"[{,] *\"([\w.]+)\"", "mapping/engine/target_fields.inc"), "\n--- goldens/mapping/", "\n--- model.xsd"]
    escaped = ["".join(c if c.isalnum() else f"\\x{ord(c):02x}" for c in word) for word in known]
    dictionary.write_text("".join(f'"{word}"\n' for word in dict.fromkeys(escaped)))
    own = HERE / "seeds" / name
    return [seeds, *([own] if own.is_dir() else [])], [f"-dict={dictionary}", "-max_len=16384"]
