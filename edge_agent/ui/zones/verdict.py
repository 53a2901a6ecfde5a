"""The verdict band: letters, heading, code, what and why; below it what to do now.

Each verdict has a frame and letters of its own, so that they tell apart without any colour:
OK a thin box, DONE a double one, NG solid, HOLD hatched, WAIT dotted, LOCK of stars over the whole
middle of the screen, READY dashed and without letters, DUP one thin line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edge_agent.station.snapshot import Band, Snapshot
from edge_agent.ui.cells import Row, Span, Style, cells, pad, row, wrap
from edge_agent.ui.letters import ROWS, letters, width_of
from edge_agent.ui.view import View
from edge_agent.workflow.types import Verdict

BAND_ROWS: Final = ROWS + 2
_INDENT: Final = 2
_GAP: Final = 4


@dataclass(frozen=True, slots=True)
class Frame:
    """What a band is drawn with: the pattern above and below, both sides, style, filled letters."""

    across: str
    side: str
    style: Style
    ink: Style


_FRAMES: Final[dict[Verdict, Frame]] = {
    Verdict.OK: Frame("-", "|", "ok", "ink_ok"),
    Verdict.DONE: Frame("=", "||", "done", "ink_done"),
    Verdict.NG: Frame("#", "##", "ng", "ink_ng"),
    Verdict.HOLD: Frame("/ ", "/ ", "hold", "ink_hold"),
    Verdict.WAIT: Frame(". ", ":", "wait", "ink_wait"),
    Verdict.LOCK: Frame("*", "**", "lock", "ink_lock"),
    Verdict.READY: Frame("- ", " ", "plain", "plain"),
    Verdict.DUP: Frame("-", " ", "dim", "dim"),
}
_WORDLESS: Final = frozenset((Verdict.READY, Verdict.DUP))
_FADING: Final = frozenset((Verdict.OK, Verdict.DUP))


def shown_band(snapshot: Snapshot, view: View) -> Band | None:
    """Give the band that is to be seen: an OK has gone to the last scans after a moment."""
    band = snapshot.band
    if band is None or (band.verdict in _FADING and not view.is_fresh and not band.latched):
        return None
    return band


def band_rows(band: Band, view: View) -> int:
    """Give how many rows the band needs to say everything."""
    return max(ROWS, 1 + len(_lines(band, view, _text_width(band, view)))) + 2


def draw_band(band: Band | None, view: View, rows: int) -> list[Row]:
    """Give exactly `rows` rows; empty ones without a band."""
    if band is None:
        return [row(width=view.width) for _ in range(rows)]
    if band.verdict is Verdict.DUP:
        return _thin(band, view, rows)
    frame = _FRAMES[band.verdict]
    top = row((_across(frame, view.width), frame.style), width=view.width)
    inner = _inner(band, view, rows - 2)
    return [top, *(_framed(frame, spans, view) for spans in inner), top]


def _across(frame: Frame, width: int) -> str:
    corner = "+" if frame.across in "-=" and frame.side.strip() else ""
    inner = width - 2 * len(corner)
    return corner + (frame.across * inner)[:inner] + corner


def _framed(frame: Frame, spans: list[Span], view: View) -> Row:
    right = frame.side[::-1]
    body = row(*spans, width=view.width - 2 * len(frame.side), fill=frame.style)
    return ((frame.side, frame.style), *body, (right, frame.style))


def _thin(band: Band, view: View, rows: int) -> list[Row]:
    text = f"{band.verdict.value}  {view.say(band.text)}"
    style = _FRAMES[band.verdict].style
    shown = wrap(text, view.width - 4)[:1]
    lines = [row((f"-- {one} ".ljust(view.width, "-"), style), width=view.width) for one in shown]
    blank = row(width=view.width)
    above = (rows - 1) // 2
    return ([blank] * above + lines + [blank] * rows)[:rows]


def _letters_width(band: Band, view: View) -> int:
    if band.verdict in _WORDLESS:
        return 2
    return _INDENT + width_of(_word(band), scale=_scale(view)) + _GAP


def _scale(view: View) -> int:
    return 2 if view.is_wide else 1


def _text_width(band: Band, view: View) -> int:
    side = len(_FRAMES[band.verdict].side)
    return view.width - 2 * side - _letters_width(band, view) - 1


def _lines(band: Band, view: View, width: int) -> list[str]:
    """Give what stands below the heading: a sentence a line, or flowing where rows are few."""
    note = [f"> {view.say(band.note)}"] if band.note else []
    apart, flowing = (
        [line for part in [text, *note] for line in wrap(part, width)]
        for text in (view.paragraphs(band.text), view.say(band.text))
    )
    return flowing if len(apart) >= ROWS and len(flowing) < len(apart) - 1 else apart


def _inner(band: Band, view: View, rows: int) -> list[list[Span]]:
    frame = _FRAMES[band.verdict]
    width = _text_width(band, view)
    title = view.say(band.title).upper()
    gap = max(1, width - cells(title) - cells(band.code))
    texts = [f"{title}{' ' * gap}{band.code}".rstrip(), *_lines(band, view, width)]
    if len(texts) > rows:
        texts = [*texts[: rows - 1], f"{texts[rows - 1]}.."]
    above = (rows - ROWS) // 2 if band.verdict is Verdict.LOCK else 0
    drawn = _drawn(band, view)
    inner = []
    for at in range(rows):
        shape = drawn[at - above] if 0 <= at - above < len(drawn) else " " * len(drawn[0])
        text = texts[at - above] if 0 <= at - above < len(texts) else ""
        inner.append([*_inked(shape, frame), (pad(text, width), frame.style)])
    return inner


def _drawn(band: Band, view: View) -> list[str]:
    width = _letters_width(band, view)
    if band.verdict in _WORDLESS:
        return [" " * width] * ROWS
    shapes = letters(_word(band), scale=_scale(view))
    return [f"{' ' * _INDENT}{shape}".ljust(width) for shape in shapes]


def _word(band: Band) -> str:
    if band.verdict is not Verdict.DONE:
        return band.verdict.value
    tail = band.title.en.rpartition(" ")[2]
    return tail if tail in {"PASS", "FAIL"} else "DONE"


def _inked(shape: str, frame: Frame) -> list[Span]:
    """Give filled cells in the letters' own style, so that they are solid where there is colour."""
    spans: list[Span] = []
    for one in shape:
        style = frame.ink if one == "#" else frame.style
        if spans and spans[-1][1] == style:
            spans[-1] = (spans[-1][0] + one, style)
        else:
            spans.append((one, style))
    return spans


def do_now(band: Band, view: View) -> list[Row]:
    """Give what the hands do next, numbered; nothing where the scan line says it all."""
    if not band.do_now:
        return []
    prefix = f" {view.label('do_now')}  "
    indent = " " * cells(prefix)
    rows: list[Row] = []
    for number, words in enumerate(band.do_now, 1):
        lines = wrap(view.say(words), view.width - cells(prefix) - 4)
        mark = f"{number}  " if len(band.do_now) > 1 else ""
        for at, line in enumerate(lines):
            start = prefix if not rows else indent
            shown = f"{start}{mark if at == 0 else ' ' * len(mark)}{line}"
            rows.append(row((shown, "strong"), width=view.width, fill="strong"))
    return rows
