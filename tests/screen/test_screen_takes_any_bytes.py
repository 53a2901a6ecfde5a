"""Whatever bytes a terminal sends, the screen goes on and books nothing that was not scanned."""

from __future__ import annotations

import pytest

from tally.events import types as t
from tests.support.panes import Pane
from tests.support.work_floor import events_of, offline_copy

KEYS = {*b"\x03\x0c\x0e\x11\r\n\t\x1b"}
HOSTILE = {
    "broken UTF-8": b"\xff\xfe\x80PCB-L-00001\xc3\r",
    "a key number beyond all characters": b"\x1b[99999999999u",
    "half an escape sequence": b"\x1b[48;",
    "a size that is none": b"\x1b[48;0;0;0;0t",
    "mouse reports": b"\x1b[<0;9999999;1M\x1b[<64;1;1M",
    "many escapes": b"\x1b" * 300,
    "every control character that is no key of the screen": bytes(set(range(1, 32)) - KEYS),
    "a paste that never ends": b"\x1b[200~BDG-3001",
}
WORK = t.UnitCommissioned | t.CodeReserved | t.ComponentBound | t.HoldPlaced


@pytest.mark.timeout(120)
def test_no_bytes_stop_the_screen_or_book_anything(morning, work_floor, tmp_path):
    folder = offline_copy(morning, tmp_path / "S03")
    with Pane(folder) as pane:
        pane.until("S03")
        pane.scan("BDG-1133", "ZHAO Lei is signed in.")
        pane.burst(*HOSTILE.values())
        # The paste ends by itself, and what it held was one scan: a badge.
        pane.see("CHEN Jing")
        pane.scan("BDG-1133", "ZHAO Lei")
        assert not [body for body in events_of(folder) if isinstance(body, WORK)]
        pane.scan("CTLNEXT", "Label printed")


@pytest.mark.timeout(120)
def test_a_sequence_inside_a_scan_is_no_gap_in_it(morning, tmp_path):
    folder = offline_copy(morning, tmp_path / "S03")
    with Pane(folder) as pane:
        pane.until("S03")
        pane.scan("BDG-1133", "ZHAO Lei is signed in.")
        inside = (b"\x1b[<0;5;5M", b"\x1b[99999999999u", b"\x1b[48;9;9;9;9t", b"\x1bOP")
        pane.burst(*(b"BDG-%d%b001\r" % (n, one) for n, one in enumerate(inside)))
        pane.burst("BL2-25")
        pane.see("E-301")
        refused = [body for body in events_of(folder) if isinstance(body, t.RefusalShown)]
        assert [body.code for body in refused] == ["E-305"] * len(inside) + ["E-301"]
