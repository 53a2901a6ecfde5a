"""The screen as text, scene by scene, as `screens/` shows it: open those files to see the design.

After an intended change write them anew, and read the difference:
`WRITE_SCREENS=1 pytest tests/unit/ui/test_screens.py`.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.journal.space import MIB, Space
from edge_agent.station.banding import both, news_of
from edge_agent.station.disk import DiskLimits, DiskSeen
from edge_agent.station.snapshot import DiskShown
from edge_agent.workflow.types import Verdict
from tally.master import Words
from tests.unit.ui.scenes import Tray, answered, lamp, screen

FOLDER = Path(__file__).parent / "screens"


def on_disk(rung, mib, days=None):
    """A station whose disk fills up."""
    seen = DiskSeen(Space(mib * MIB, 0, 0, mib * MIB / days if days else None), DiskLimits(), rung)
    snapshot = lamp()
    shown = DiskShown(rung, mib, days, seen.words)
    return replace(snapshot, status=replace(snapshot.status, disk=shown))


LOCKED = answered("lock", code="E-603")

SCENES = {
    "starting": (None, {}),
    "waiting for a board": (lamp(), {}),
    "OK": (answered("ok.label_verified"), {}),
    "OK, a moment later": (answered("ok.label_verified"), {"is_fresh": False}),
    "DONE": (answered("done.pass"), {}),
    "DUP": (answered("dup"), {}),
    "NG, soft": (answered("ng.wrong_lot_later", code="E-102"), {}),
    "NG, hard": (answered("ng.used"), {}),
    "HOLD": (answered("hold.unit", code="E-204"), {}),
    "WAIT": (answered("ask.takeover"), {}),
    "LOCK": (LOCKED, {}),
    "LOCK, language changed": (
        replace(LOCKED, band=replace(LOCKED.band, note=both("ready.language", {}))),
        {},
    ),
    "restored": (answered("ready.restored"), {}),
    "news of the hub": (
        replace(
            answered("ok.bound"),
            unread=2,
            news=tuple(
                news_of(band)
                for band in (answered("ng.back").band, answered("hold.case_opened").band)
            ),
        ),
        {},
    ),
    "disk low": (on_disk("low", 1500, 40), {}),
    "disk nearly full": (on_disk("stop", 96), {}),
    "typed": (lamp(), {"typed": "PCB-L-009"}),
    "not active": (lamp(), {"is_blurred": True}),
    "with practice codes": (answered("ok.label_verified"), {"tray": Tray()}),
    "nobody, no plan": (
        lamp(operator=None, unit=None, order=None, plan="", step=0, steps=0, checklist=()),
        {},
    ),
}


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_screen_is_as_drawn(language, size):
    parts = []
    for name, (snapshot, more) in SCENES.items():
        rows = [row.rstrip() for row in screen(snapshot, language, size, **more)]
        parts += [f"===== {name} =====", *rows]
    text = "\n".join(parts) + "\n"
    path = FOLDER / f"{language}-{size[0]}x{size[1]}.txt"
    if os.environ.get("WRITE_SCREENS"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


def test_a_window_too_small_shows_one_line_and_a_refused_scan_in_both_languages():
    rows = screen(answered("ng.used"), "en", (60, 20))
    assert [row.strip() for row in rows if row.strip()] == [
        "Terminal 60x20, need 80x24. Work is safe."
    ]
    rows = screen(lamp(), "zh", (64, 20), refused=True)
    text = "".join(row.rstrip() for row in rows)
    assert text.startswith("窗口 64x20,需要 80x24。数据安全。E-902 窗口太小(64x20)。")
    assert "E-902 The window is too small (64x20)." in " ".join(row.rstrip() for row in rows)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_verdicts_tell_apart_by_frame_and_letters_alone(language):
    keys = {
        Verdict.READY: "ready.help",
        Verdict.OK: "ok.bound",
        Verdict.DONE: "done.pass",
        Verdict.DUP: "dup",
        Verdict.NG: "ng.noise",
        Verdict.HOLD: "hold.set_aside",
        Verdict.WAIT: "ask.scrap",
        Verdict.LOCK: "lock",
    }
    shapes = {}
    for verdict, key in keys.items():
        snapshot = answered(key)
        assert snapshot.band.verdict is verdict
        rows = screen(snapshot, language)
        shapes[verdict] = tuple(row[:20] for row in rows[11:18])
    assert len(set(shapes.values())) == len(shapes)


def test_no_character_of_doubtful_width_is_ever_drawn():
    odd = Words("a\u0301b\u200d\U0001f468\u202ec\x1b[31m\u00b7", "\u00b1")
    snapshot = lamp(operator=odd, unit="X\u200bY", scan_now=replace(lamp().scan_now, text=odd))
    for language in ("en", "zh"):
        text = "".join(screen(snapshot, language, is_ascii=True))
        assert all(one.isascii() or "\u2e80" <= one <= "\uffef" for one in text)
        assert "\x1b" not in text
