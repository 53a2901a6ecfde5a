"""Tracing a code: what is in it (`down`), where it went (`up`); the work is `tally.trace`.

A unit, a part, a box or a lot, as scanned. The answer names who, where and when for every link and
says what it rests on; nothing is complete without its frontier.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from hub.services.answers import Refused
from hub.services.office import Office
from tally import trace as tracing
from tally.trace import Trace

Wanted: TypeAlias = Literal["up", "down", "both"]
CODE_CHARACTERS_MAX = 512


def trace(office: Office, code: str, wanted: Wanted) -> dict[str, Any]:
    """See `hub.services.hub.Hub.trace`: one direction as `tally.trace.as_plain` gives it.

    With both: {code, down, up, completeness}.
    """
    found = {each.direction: tracing.as_plain(each) for each in _traces(office, code, wanted)}
    if wanted != "both":
        return found[wanted]
    return {"code": code} | found | {"completeness": found["down"]["completeness"]}


def trace_lines(office: Office, code: str, wanted: Wanted, lang: str = "en") -> list[str]:
    """The same as indented lines for a terminal."""
    lines: list[str] = []
    for each in _traces(office, code, wanted):
        lines += [*([""] if lines else []), *tracing.as_lines(each, lang)]
    return lines


def checked_code(code: str) -> None:
    """Refuse what cannot be a code.

    Raises:
        Refused: `malformed`.
    """
    if not 1 <= len(code) <= CODE_CHARACTERS_MAX or not _is_text(code):
        raise Refused(
            "malformed",
            f"Expected a code of 1 to {CODE_CHARACTERS_MAX} characters of text, got {code[:80]!r}.",
        )


def _traces(office: Office, code: str, wanted: Wanted) -> list[Trace]:
    checked_code(code)
    with office.store.reading():
        graph = office.store.ledger.graph
        down = tracing.trace(graph, code, "down")
        if not down.nodes:
            raise Refused(
                "unknown_code",
                f"No event at this hub names {code[:80]!r}. Check the code, or wait until the "
                f"station that scanned it has sent. {down.completeness.words['en']}",
            )
        if wanted == "down":
            return [down]
        up = tracing.trace(graph, code, "up")
    return [up] if wanted == "up" else [down, up]


def _is_text(code: str) -> bool:
    """Bytes of a command line that are no UTF-8 arrive as lone surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in code)
