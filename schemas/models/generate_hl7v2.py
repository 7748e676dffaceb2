#!/usr/bin/env python3
"""Segments, fields, data types and message structures of HL7 v2 as the tables that mapping/engine checks paths against.

    pip install hl7apy==1.3.5
    generate_hl7v2.py           writes hl7v2_<version>.inc and hl7v2_structures_<version>.inc beside this file

Source:  HL7 v2.3.1, 2.5.1 and 2.8 as the package hl7apy 1.3.5 (PyPI, MIT, CRS4) carries them; which event has which structure
         is HL7 table 0354, below. Names and structures are facts of the standard.
Shape:   one line each:  type CX ST ID …        the components' types in their order
                         segment PID SI CX* …   the fields' types; `*` repeats, `!` required, `-` withdrawn
         structures:     message ADT_A01 MSH! … PROCEDURE*{ PR1! ROL* } …   the segments and groups in their order; `{|`: one of them
                         event ADT_A04 ADT_A01   a message whose structure has another name
"""
import importlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
VERSIONS = ["2.3.1", "2.5.1", "2.8"]

# HL7 table 0354: the events of a structure beside the one that it is named after. A whole name: of another message type.
ALWAYS = """
ADT_A06 A07 | CRM_C01 C02 C03 C04 C05 C06 C07 C08 | CSU_C09 C10 C11 C12 | MDM_T01 T03 T05 T07 T09 T11 | MDM_T02 T04 T06 T08 T10
MFQ_M01 M02 M03 M04 M05 M06 M07 M08 M09 M10 M11 M12 M13 M14 | PEX_P07 P08 | PGL_PC6 PC7 PC8 | PPG_PCG PCH PCJ | PPP_PCB PCC PCD
PPR_PC1 PC2 PC3 | QRY_PC4 PC9 PCE PCK | REF_I12 I13 I14 I15 | RQA_I08 I09 I10 I11 | RQI_I01 I02 I03
SIU_S12 S13 S14 S15 S16 S17 S18 S19 S20 S21 S22 S23 S24 S26 | SRM_S01 S02 S03 S04 S05 S06 S07 S08 S09 S10 S11
ADT_A39 A40 A41 A42 | ADT_A50 A51
"""
SINCE_2_5 = """
ADT_A01 A04 A08 A13 | ADT_A05 A14 A28 A31 | ADT_A09 A10 A11 | ADT_A21 A22 A23 A25 A26 A27 A29 A32 A33 | ADT_A52 A53 | ADT_A61 A62
LSU_U12 LSR_U13 | MFN_Znn M14 | ORU_R30 R31 R32 | PMU_B01 B02 | PMU_B04 B05 B06 | QBP_Q11 Q31 | QBP_Q21 Q22 Q23 Q24 Q25
QCN_J01 QSX_J02 | RDE_O11 O25 | RQI_I01 PIN_I07 | RRE_O12 O26 | RSP_K23 K24 | TCU_U10 TCR_U11
"""
EVENTS = {
    "2.3.1": ALWAYS + """
ADT_A01 A04 A05 A08 A13 A14 A28 A31 | ADT_A02 A21 A22 A23 A25 A26 A27 A29 A32 A33 | ADT_A09 A10 A11 A15
ADT_A30 A34 A35 A36 A46 A47 A48 A49 | ADT_A43 A44
""",
    "2.5.1": ALWAYS + SINCE_2_5 + """
ADT_A30 A34 A35 A36 A46 A47 A48 A49 | ADT_A43 A44 | ADT_A52 A55 | QRY_Q01 Q26 Q27 Q28 Q29 Q30 | QRY T12 | RQC_I05 I06 | RSP_K21 K22
""",
    "2.8": ALWAYS + SINCE_2_5 + """
ADT_A43 A49 | ADT_A44 A47 | ADT_A54 A55 | CCR_I16 I17 I18 | ORU_R01 R40 | QBP_O33 Q33 | QBP_O34 Q34 | QBP_Q21 Q32
RSP_O33 K33 | RSP_O34 K34 | SDR_S31 SDN_S36 | SDR_S32 SCN_S37 SMD_S32 | SIU_S12 S27 | SLR_S28 S29 SLN_S34 SLN_S35 STI_S30
""",
}


def mark(least, most):
    return ("!" if least else "") + ("*" if most != 1 else "")


def number(name):
    return int(name.rsplit("_", 1)[1])


def row(children):
    """Types by position: what the package leaves out was withdrawn."""
    by_number = {number(c[0]): (c[1][2] or "varies") + mark(*c[2]) for c in children}
    return [by_number.get(i, "-") for i in range(1, max(by_number, default=0) + 1)]


def parts(structure, name):
    """The segments and groups of a structure, each group with what stands in it; its name without that of the structure."""
    for part, below, often, kind in structure[1]:
        if kind != "GRP":
            yield part + mark(*often)
            continue
        if not part.upper().startswith(name.upper() + "_"):
            raise ValueError(f"{name}: the group {part} is not named after it")
        inside = "{|" if below[0] == "choice" else "{"
        yield part[len(name) + 1:] + mark(*often) + inside
        yield from parts(below, name)
        yield "}"


def structures(version):
    messages = load(version, "messages").MESSAGES
    lines = [f"message {name} " + " ".join(parts(s, name)) for name, s in sorted(messages.items())]
    events = {}
    for row in EVENTS[version].replace("\n", "|").split("|"):
        structure, *names = row.split() or [""]
        for name in names:
            events[name if "_" in name else structure[:3] + "_" + name] = structure
    # SIU_S13 is a structure of its own in the package, and the same as SIU_S12.
    return lines + [f"event {e} {s}" for e, s in sorted(events.items()) if e not in messages and s in messages]


def load(version, part):
    return importlib.import_module(f"hl7apy.v{version.replace('.', '_')}.{part}")


def table(version):
    lines = []
    for name, structure in sorted(load(version, "datatypes").DATATYPES_STRUCTS.items()):
        lines.append(f"type {name} " + " ".join(t.rstrip("*!") or "-" for t in row(structure)))
    for name, structure in sorted(load(version, "segments").SEGMENTS.items()):
        if len(name) != 3 or name in ("HXX", "ZXX"):  # stand for any segment
            continue
        lines.append(f"segment {name} " + " ".join(row(structure[1])))
    return [" ".join(line.split()) for line in lines]


def write(name, version, lines):
    path = HERE / f"{name}_{version.replace('.', '_')}.inc"
    path.write_text("// Made by generate_hl7v2.py from hl7apy 1.3.5 (MIT): facts of HL7 v" + version + ".\n" +
                    "".join(f'"{line}\\n"\n' for line in lines))
    print(path.name, len(lines), "lines")


def main():
    for version in VERSIONS:
        write("hl7v2", version, table(version))
        write("hl7v2_structures", version, structures(version))


if __name__ == "__main__":
    main()
