"""A terminal's screen, as `tmux capture-pane -e` gives it, drawn as an SVG.

Every run of text stands at its own cells, so that Chinese keeps its columns in any font; fonts are
the reader's own, nothing is fetched. Small: one rectangle a background, one text a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from rich.ansi import AnsiDecoder
from rich.cells import cell_len
from rich.color import Color, ColorType
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme

CELL = 8.4
LINE = 17.0
MARGIN = 10.0
THEME = TerminalTheme(
    (18, 20, 23),
    (208, 211, 214),
    [
        (18, 20, 23), (204, 74, 74), (78, 154, 68), (196, 150, 40),
        (84, 130, 200), (150, 110, 180), (66, 150, 160), (190, 194, 198),
    ],
    [
        (110, 115, 120), (240, 110, 110), (120, 200, 105), (235, 190, 80),
        (125, 170, 240), (190, 150, 220), (105, 195, 205), (240, 242, 244),
    ],
)  # fmt: skip
FONTS = "ui-monospace, 'DejaVu Sans Mono', 'Noto Sans Mono CJK SC', Menlo, Consolas, monospace"


def draw(captured: str, *, columns: int, title: str) -> str:
    """Give the SVG of a captured screen; `title` says what it shows, for those who cannot see."""
    lines = list(AnsiDecoder().decode(captured.rstrip("\n")))
    console = Console(width=columns, color_system="truecolor", force_terminal=True)
    width, height = columns * CELL + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"',
        f'width="{width:g}" height="{height:g}" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="100%" height="100%" rx="6" fill="{_hex(None, is_text=False)}"/>',
        f'<g font-family="{FONTS}" font-size="14">',
    ]
    for row, line in enumerate(lines):
        segments = console.render(line, console.options.update(no_wrap=True, overflow="crop"))
        parts += _row(segments, MARGIN + row * LINE)
    return "\n".join([*parts, "</g></svg>", ""])


def _row(segments: Iterable[Segment], top: float) -> Iterator[str]:
    column = 0
    for segment in segments:
        text = segment.text.rstrip("\n")
        cells = cell_len(text)
        if cells:
            yield from _run(text, segment.style or Style.null(), MARGIN + column * CELL, top, cells)
        column += cells


def _run(text: str, style: Style, left: float, top: float, cells: int) -> Iterator[str]:
    front, back = style.color, style.bgcolor
    fill, ground = _hex(front, is_text=True), _hex(back, is_text=False)
    if style.reverse:
        fill, ground = ground, fill
    if ground != _hex(None, is_text=False):
        # A little too wide and high, so that no seam shows between neighbours.
        yield (
            f'<rect x="{left:g}" y="{top:g}" width="{cells * CELL + 0.4:g}" '
            f'height="{LINE + 0.4:g}" fill="{ground}"/>'
        )
    bare = text.lstrip(" ")
    left += CELL * (len(text) - len(bare))
    bare = bare.rstrip(" ")
    if bare:
        weight = ' font-weight="bold"' if style.bold else ""
        faint = ' opacity="0.6"' if style.dim else ""
        # Viewers fold blanks that follow each other; they do not fold those that must not break.
        shown = escape(bare, quote=False).replace(" ", "\N{NO-BREAK SPACE}")
        yield (
            f'<text x="{_places(bare, left)}" y="{top + 12.5:g}"{_length(bare)} '
            f'fill="{fill}"{weight}{faint}>{shown}</text>'
        )


def _places(text: str, left: float) -> str:
    """Where it starts; of text with wide characters, where each character stands."""
    if text.isascii():
        return f"{left:g}"
    found = []
    for character in text:
        found.append(f"{left:g}")
        left += CELL * cell_len(character)
    return " ".join(found)


def _length(text: str) -> str:
    return f' textLength="{len(text) * CELL:g}"' if text.isascii() else ""


def _hex(color: Color | None, *, is_text: bool) -> str:
    if color is None or color.type is ColorType.DEFAULT:
        found = THEME.foreground_color if is_text else THEME.background_color
    else:
        found = color.get_truecolor(THEME, foreground=is_text)
    return "#{:02x}{:02x}{:02x}".format(*found)
