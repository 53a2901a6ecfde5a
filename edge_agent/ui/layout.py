"""The whole Run screen as rows: the same order of zones at every size.

Pure: snapshot and view in, exactly `height` rows of exactly `width` cells out. Where rows are few
the checklist shrinks to the steps around the present one, then the last scans; the verdict and what
to do now never lose a word to them.
"""

from __future__ import annotations

from typing import Final

from edge_agent.station.snapshot import Band, Snapshot
from edge_agent.ui.cells import Row, pad, row, rule, wrap
from edge_agent.ui.view import View
from edge_agent.ui.wide import draw_wide
from edge_agent.ui.zones.asking import asking, typed_line
from edge_agent.ui.zones.foot import keys, status
from edge_agent.ui.zones.head import blurred, head
from edge_agent.ui.zones.history import history, refusals, unread
from edge_agent.ui.zones.slip import draw_slip
from edge_agent.ui.zones.steps import steps
from edge_agent.ui.zones.tray import tray
from edge_agent.ui.zones.verdict import BAND_ROWS, band_rows, do_now, draw_band, shown_band
from edge_agent.wording.screen import label
from edge_agent.workflow.types import Verdict
from tally.master import Words

UNSEEN: Final = "E-902"


def draw(snapshot: Snapshot | None, view: View) -> list[Row]:
    """Give the screen, row by row."""
    if view.is_too_small:
        rows = _too_small(view)
    elif snapshot is None:
        rows = [row((f" {view.label('starting')}", "dim"), width=view.width)]
    elif snapshot.band and snapshot.band.verdict is Verdict.LOCK:
        rows = _locked(snapshot, snapshot.band, view)
    elif snapshot.slip and snapshot.band and not view.is_ascii:
        rows = draw_slip(snapshot.slip, snapshot.band, view)
    elif view.is_wide:
        rows = draw_wide(snapshot, view)
    else:
        rows = _narrow(snapshot, view)
    rows = rows[: view.height]
    return rows + [row(width=view.width)] * (view.height - len(rows))


def _too_small(view: View) -> list[Row]:
    """One line; after a scan that was refused also that, in both languages."""
    size = {"width": view.width, "height": view.height}
    lines = wrap(view.label("too_small", **size), view.width)
    if view.refused:
        lines += _refused(view)
    return [row((pad(line, view.width), "strong"), width=view.width) for line in lines]


def _refused(view: View) -> list[str]:
    words = unseen_words(view)
    first, second = (words.zh, words.en) if view.language == "zh" else (words.en, words.zh)
    return [line for one in (first, second) for line in wrap(f"{UNSEEN} {one}", view.width)]


def unseen_words(view: View) -> Words:
    """Give why a scan is refused while the window is too small."""
    size = {"width": view.width, "height": view.height}
    return Words(label(UNSEEN, "en", **size), label(UNSEEN, "zh", **size))


def _narrow(snapshot: Snapshot, view: View) -> list[Row]:
    """Between the top two rows and the last three, share what is left."""
    band = shown_band(snapshot, view)
    ask, do, warn = (
        _asked(snapshot, band, view),
        _do(band, view),
        [*refusals(snapshot, view), *unread(snapshot, view)],
    )
    practice = tray(view)
    fixed = 2 + len(ask) + len(do) + len(warn) + len(practice) + 3
    left = view.height - fixed
    wanted = max(BAND_ROWS, band_rows(band, view)) if band else BAND_ROWS
    band_height = min(wanted, left - 2)
    left -= band_height
    count = len(snapshot.checklist)
    last_min = 1 if practice or warn or do else 2
    listed = min(count, max(1, left - last_min))
    return [
        *head(snapshot, view),
        *steps(snapshot, view, listed, view.width),
        *ask,
        *draw_band(band, view, band_height),
        *do,
        *warn,
        *history(snapshot, view, left - listed, view.width),
        *practice,
        *_foot(snapshot, view),
    ]


def _asked(snapshot: Snapshot, band: Band | None, view: View) -> list[Row]:
    """A rule, what to scan, and the typed line; a refusal that stays says it below the band."""
    if band and band.do_now:
        return [typed_line(view)]
    return [rule(view.width), *asking(snapshot, view), typed_line(view)]


def _do(band: Band | None, view: View) -> list[Row]:
    rows = do_now(band, view) if band else []
    return [*rows, rule(view.width)] if rows else []


def _foot(snapshot: Snapshot, view: View) -> list[Row]:
    above = blurred(view) if view.is_blurred else rule(view.width)
    return [above, status(snapshot, view), keys(view)]


def _locked(snapshot: Snapshot, band: Band, view: View) -> list[Row]:
    """The lock over everything but where one is and how the station stands."""
    do = [*do_now(band, view)]
    if snapshot.fatal:
        do = [row((f" {view.label('leave')}", "strong"), width=view.width)]
    practice = tray(view)
    typed = [typed_line(view)] if view.typed is not None else []
    height = view.height - 2 - len(do) - len(practice) - len(typed) - 3
    return [
        *head(snapshot, view),
        *draw_band(band, view, height),
        *do,
        *typed,
        *practice,
        *_foot(snapshot, view),
    ]


def fatal_words(band: Band) -> Words:
    """What is kept on the terminal after the screen is gone."""
    return Words(f"{band.code}: {band.text.en}", f"{band.code}: {band.text.zh}")
