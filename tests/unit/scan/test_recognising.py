"""What a read is recognised as: names, spoiled names, and what stands around a code."""

import pytest

from drivers import Read
from edge_agent.scan import ScanKind, Typed, recognise
from edge_agent.scan.framing import escape
from tests.support.knowing import Knowing
from tests.support.layouts import typed_on

WORDS = Knowing().vocabulary()


def of(raw: bytes, **fields):
    return recognise(Read("serial-1", raw, 1.0, **fields), WORDS)


@pytest.mark.parametrize(
    ("raw", "kind", "text"),
    [
        (b"BL2-2547-000412", ScanKind.CODE, "BL2-2547-000412"),
        (b"PCB-L-00931\r\n", ScanKind.CODE, "PCB-L-00931"),
        (b"\x02PCB-L-00931\x03", ScanKind.CODE, "PCB-L-00931"),
        (b"]d2PCB-L-00931", ScanKind.CODE, "PCB-L-00931"),
        (b"095211010000000870", ScanKind.CODE, "095211010000000870"),
        (b"(00)095211010000000870", ScanKind.CODE, "095211010000000870"),
        (b"]C100095211010000000870", ScanKind.CODE, "095211010000000870"),
        (b"]d20109521101000023\x1d21BL2-2547-000412", ScanKind.CODE, "BL2-2547-000412"),
        (b"]d2010952110100002321BL2-2547-000412", ScanKind.CODE, "BL2-2547-000412"),
        (b"(01)09521101000023(10)BAT-18650-2547A", ScanKind.LOT, "BAT-18650-2547A"),
        (b"ctlOk", ScanKind.COMMAND, "CTLOK"),
        (b"CTLNEXT", ScanKind.COMMAND, "CTLNEXT"),
        (b"BDG-1107", ScanKind.BADGE, "BDG-1107"),
        (b"BDG-9999", ScanKind.BADGE, "BDG-9999"),
        (b"24-1187", ScanKind.ORDER, "24-1187"),
        (b"final-assembly@14", ScanKind.PLAN, "final-assembly@14"),
        (b"final-assembly", ScanKind.PLAN, "final-assembly"),
        (b"BAT-18650-2547A", ScanKind.LOT, "BAT-18650-2547A"),
        (b"09521101000023", ScanKind.PRODUCT, "09521101000023"),
        (b"9521101000023", ScanKind.PRODUCT, "9521101000023"),
        (b"(01)09521101000023", ScanKind.PRODUCT, "09521101000023"),
        (b"BAT-18650", ScanKind.PRODUCT, "BAT-18650"),
        (b"4006381333931", ScanKind.UNKNOWN, "4006381333931"),
        (b"hello", ScanKind.UNKNOWN, "hello"),
        (b"000412", ScanKind.UNKNOWN, "000412"),
    ],
)
def test_a_read_names_what_the_plant_knows(raw, kind, text):
    scan = of(raw)
    assert (scan.kind, scan.text, scan.code) == (kind, text, "")


@pytest.mark.parametrize(
    ("raw", "kind", "code"),
    [
        (b"BL2-25", ScanKind.PARTIAL, "E-301"),
        (b"PCB-", ScanKind.PARTIAL, "E-301"),
        (b"47-000412", ScanKind.PARTIAL, "E-301"),
        (b"\r\n", ScanKind.PARTIAL, "E-301"),
        (b"bl2-2547-000412", ScanKind.GARBLED, "E-303"),
        (b"bdg-1107", ScanKind.GARBLED, "E-303"),
        ("ＢＬ２-2547-000412".encode(), ScanKind.GARBLED, "E-304"),
        ("不那么-2547".encode(), ScanKind.GARBLED, "E-304"),
        ("BL2ß2547ß000412".encode(), ScanKind.GARBLED, "E-305"),
        ("BL2——2547".encode(), ScanKind.GARBLED, "E-304"),
        (b"BAT-18650-25", ScanKind.PARTIAL, "E-301"),
        (b"24-11", ScanKind.PARTIAL, "E-301"),
        (b"X" * 513, ScanKind.GARBLED, "E-307"),
        (b"PCB-L\x07-00931", ScanKind.GARBLED, "E-308"),
        (b"PCB-L-\xff0931", ScanKind.GARBLED, "E-308"),
        (b"095211010000000871", ScanKind.GARBLED, "E-308"),
        (b"(00)095211010000000871", ScanKind.GARBLED, "E-308"),
        (b"(01)09521101000024(21)5", ScanKind.GARBLED, "E-308"),
    ],
)
def test_a_spoiled_read_says_what_spoiled_it(raw, kind, code):
    scan = of(raw)
    assert (scan.kind, scan.code) == (kind, code)
    assert len(scan.text) <= 512


def test_a_read_that_the_device_calls_truncated_is_a_part_even_if_it_looks_whole():
    scan = of(b"PCB-L-00931", truncated=True)
    assert (scan.kind, scan.code, scan.truncated) == (ScanKind.PARTIAL, "E-301", True)


def test_what_was_received_is_kept_beside_what_was_understood():
    scan = of(b"\x02]d2PCB-L-00931\x1d\\\x03")
    assert scan.raw == "\\x02]d2PCB-L-00931\\x1d\\\\\\x03"
    assert scan.symbology == "]d2"


def test_escaped_bytes_of_different_reads_differ():
    reads = [b"\\x1d", b"\x1d", b"\\\\x1d", b"\xc3\xa9", b"\xc3", b"\\xc3", b"a\x00", b"a"]
    assert len({escape(raw) for raw in reads}) == len(reads)


def test_a_scheme_and_counter_come_with_a_code_and_the_part_with_a_lot():
    assert (of(b"PCB-L-00931").scheme, of(b"PCB-L-00931").counter) == ("pcb-l@1", 931)
    assert of(b"BAT-18650-2547A").parts == ("BAT-18650",)


def test_a_person_may_type_a_code_in_lower_case_and_a_scanner_may_not():
    typed = recognise(Typed("pcb-l-00931", "keyboard", 0.0), WORDS)
    assert (typed.kind, typed.text, typed.entry) == (ScanKind.CODE, "PCB-L-00931", "typed")
    assert of(b"pcb-l-00931").code == "E-303"


def test_typed_text_with_half_a_surrogate_is_noise():
    assert recognise(Typed("a\ud800", "keyboard", 0.0), WORDS).code == "E-308"


NAMES = ("BL2-2547-000412", "PCB-L-00931", "BAT-18650-2547A", "24-1187", "BDG-1107")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("pc", "scanner"),
    [("french", "us"), ("german", "us"), ("us", "french"), ("us", "german"), ("german", "french")],
)
def test_a_name_through_a_foreign_keyboard_is_refused(name, pc, scanner):
    scan = of(typed_on(pc, name, scanner).encode())
    assert scan.kind in {ScanKind.GARBLED, ScanKind.UNKNOWN}
    assert "us" not in {pc, scanner} or scan.code == "E-305"


@pytest.mark.parametrize("name", ["CTLOK", "CTLNEXT", "CTLTEST"])
@pytest.mark.parametrize("pc", ["french", "german"])
def test_commands_are_the_same_on_every_keyboard(name, pc):
    assert typed_on(pc, name) == name
