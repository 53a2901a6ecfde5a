"""Text in terminal cells: measured, wrapped and padded to rows of exactly the width asked for.

Pure. A `Row` is a list of spans with the name of a style; `edge_agent.ui.themes` gives the colours.
Text from outside may hold characters of no width or of a width that terminals disagree on: they
become `?` here, once, before anything is measured.
"""

from __future__ import annotations

import unicodedata
from typing import Final, Literal, TypeAlias

from rich.cells import cell_len

Style: TypeAlias = Literal[
    "plain",
    "dim",
    "strong",
    "head",
    "here",
    "ok",
    "done",
    "ng",
    "hold",
    "lock",
    "wait",
    "ink_ok",
    "ink_done",
    "ink_ng",
    "ink_hold",
    "ink_lock",
    "ink_wait",
    "amber",
    "red",
    "tray",
    "marked",
    "paper",
]
Span: TypeAlias = tuple[str, Style]
Row: TypeAlias = tuple[Span, ...]

_UNSEEN: Final = frozenset(("Mn", "Me", "Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp"))
_NO_BREAK_BEFORE: Final = frozenset(
    ",.;:!?)]}\u3001\u3002\uff0c\uff0e\uff1a\uff1b\uff01\uff1f\uff09\u300b\u300d\u201d\u2019"
)


def clean(text: str, *, ascii_only: bool = False) -> str:
    """Give the text with every character replaced that a terminal may draw at another width.

    Args:
        text: anything.
        ascii_only: also replace characters of ambiguous width, for terminals that draw them wide.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(one, ascii_only=ascii_only) for one in text)


def _shown(one: str, *, ascii_only: bool) -> str:
    if unicodedata.category(one) == "Zs":
        return " " * cell_len(one)  # the wide blank of Chinese text, among others
    return one if _is_sure(one, ascii_only=ascii_only) else "?"


def _is_sure(one: str, *, ascii_only: bool) -> bool:
    category = unicodedata.category(one)
    if category in _UNSEEN or cell_len(one) not in {1, 2}:
        return False
    if ord(one) > 0xFFFF and category != "Lo":
        return False  # signs and pictures: no two terminals agree
    width = unicodedata.east_asian_width(one)
    return not (ascii_only and width in {"A", "N"} and not one.isascii())


def cells(text: str) -> int:
    """Give the width of a text on the terminal."""
    return cell_len(text)


def cut(text: str, width: int) -> str:
    """Give the text, or its beginning with `..` if it is wider."""
    if cell_len(text) <= width:
        return text
    kept, used = "", 0
    for one in text:
        used += cell_len(one)
        if used > width - 2:
            break
        kept += one
    return (kept + "..")[: max(0, width)]


def pad(text: str, width: int) -> str:
    """Give the text cut or filled up to exactly this width."""
    text = cut(text, width)
    return text + " " * (width - cell_len(text))


def wrap(text: str, width: int) -> list[str]:
    r"""Give the lines of a text, none wider than `width`; `\n` ends a line.

    Breaks at blanks, between Han characters, and inside a word only if it is wider than a line.
    """
    return [line for part in text.split("\n") for line in _wrap_one(part, width)]


def _wrap_one(text: str, width: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for piece in _pieces(text):
        if cell_len(line) + cell_len(piece.rstrip()) <= width:
            line += piece
            continue
        if line.strip():
            lines.append(line.rstrip())
        line = piece.lstrip()
        while cell_len(line.rstrip()) > width:
            head = _head(line, width)
            lines.append(head)
            line = line[len(head) :]
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _pieces(text: str) -> list[str]:
    """Cut where a line may end: after blanks, before and after wide characters."""
    pieces: list[str] = []
    for one in text:
        is_joined = (
            pieces
            and pieces[-1][-1] != " "
            and ((cell_len(one) == 1 and cell_len(pieces[-1][-1]) == 1) or one in _NO_BREAK_BEFORE)
        )
        if pieces and (is_joined or one == " "):
            pieces[-1] += one
        else:
            pieces.append(one)
    return pieces


def _head(text: str, width: int) -> str:
    head, used = "", 0
    for one in text:
        used += cell_len(one)
        if used > width:
            break
        head += one
    return head or text[:1]


def row(*spans: Span, width: int, fill: Style = "plain") -> Row:
    """Give the spans as a row of exactly `width` cells; what is too much at the end is cut."""
    left, made = width, []
    for text, style in spans:
        text = cut(text, left)
        if text:
            made.append((text, style))
            left -= cell_len(text)
    return (*made, (" " * left, fill)) if left > 0 else tuple(made)


def beside(left: str, right: str, width: int, style: Style = "plain") -> Row:
    """Give a row with one text at its left end and one at its right end."""
    room = width - cell_len(right) - 1
    return row((pad(left, room) + right, style), width=width, fill=style)


def rule(width: int) -> Row:
    """Give a line across."""
    return (("-" * width, "dim"),)


def text_of(row_: Row) -> str:
    """Give the text of a row without its styles."""
    return "".join(text for text, _ in row_)
