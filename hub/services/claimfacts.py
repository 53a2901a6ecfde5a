"""Who, where, when and how of one claim, from its event and those around it in its journal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from hub.services.casewords import Words, checked_words
from hub.services.goods import owner_of, owner_of_parts
from tally.events.decoding import EventLine
from tally.ledger.sqlite import SqliteLedger
from tally.merge.claims import claims_of
from tally.merge.graph import Graph
from tally.merge.history import Placed
from tally.merge.shelf import ClaimView
from tally.records.hlc import parse_hlc
from tally.records.ids import ref_to, show_journal
from tally.trace.timing import Timed

NEIGHBOURS_MAX: Final = 200
"""Events of the same journal that are looked at, each way, for the unit before and after."""
BEHIND_S: Final = 2
"""From this on a clock is said to have been behind; below it lies the grain of the stamps."""
TYPED: Final = "keyboard"
"""The source that a station writes for what a person typed."""
_SAID_ELSEWHERE: Final = frozenset(("checks", "source", "raw", "provisional", "content", "items"))


@dataclass(frozen=True, slots=True)
class Facts:
    """One claim's facts by name of field, text or words, in the order in which they are shown.

    `clock_behind_s`: by how much the clock that gave the time was behind the newest stamp that the
    station knew; 0: not found to be. Nobody can say that a clock was right.
    """

    fields: dict[str, str | Words]
    clock_behind_s: int
    is_typed: bool


def facts_of(
    ledger: SqliteLedger, claim: ClaimView, names: Mapping[str, Words], timed: Timed
) -> Facts:
    """Everything that one claim's event says, and what stood beside it.

    `timed`: its time, and its order behind the claim that is shown before it.
    """
    graph = ledger.graph
    line = graph.line(claim.place)
    source = getattr(line.b, "source", None)
    before, after = _neighbours(graph, claim)
    unit = ledger.unit(owner_of(claim))
    fields: dict[str, str | Words] = {
        "owner": owner_of(claim),
        "at": claim.at,
        "clock": timed.clock_words() or str(_behind(line)),
        "order": timed.order_words() or "",
        "by": names.get(line.by, line.by),
        "badge": line.by,
        "station": claim.station,
        "device": source or "",
        "entry": "" if source is None else "typed" if source == TYPED else "scanned",
        "before": before,
        "after": after,
        "boxes": ", ".join(unit.container),
        "journal": f"{show_journal(claim.place.journal)[:8]} {claim.place.seq}",
        "ended": "" if claim.is_live else "ended",
    }
    fields |= _body_fields(line, known={owner_of(claim), *claim.key})
    fields |= {"knew": _checks(line)}
    return Facts({k: v for k, v in fields.items() if v}, _behind(line), source == TYPED)


def _body_fields(line: EventLine, known: Collection[str]) -> dict[str, str | Words]:
    """What else the event says, without what the case is about anyway."""
    said: dict[str, Any] = msgspec.to_builtins(line.b)
    texts = {
        name: ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
        for name, value in said.items()
        if name not in _SAID_ELSEWHERE
    }
    return {f"body.{name}": text for name, text in texts.items() if text not in known}


def _checks(line: EventLine) -> str | Words:
    """What the station checked before it let the operator go on, and what it found."""
    checks = getattr(line.b, "checks", ())
    return checked_words(checks) if checks else ""


def _behind(line: EventLine) -> int:
    """Whole seconds by which the wall clock was behind the hybrid clock, which never goes back."""
    try:
        at = dt.datetime.fromisoformat(line.at)
        stamp = parse_hlc(line.hlc)
    except ValueError:
        return 0
    if at.tzinfo is None:  # nobody can say which moment it was
        return 0
    behind = (stamp.ms - int(at.timestamp() * 1000)) // 1000
    return behind if behind >= BEHIND_S else 0


def _neighbours(graph: Graph, claim: ClaimView) -> tuple[str, str]:
    """What the same kind of event at the same station spoke of just before and just after."""
    own = owner_of(claim)
    kind = type(graph.line(claim.place).b)

    def first(places: Iterator[Placed]) -> str:
        for at in places:
            if not graph.is_readable(at) or not isinstance(graph.line(at).b, kind):
                continue
            for one in claims_of(graph.line(at).b, show_journal(at.journal)):
                other = owner_of_parts(one.kind.name, one.key, one.value)
                if one.kind.name == claim.kind and other != own:
                    return other
        return ""

    return first(_earlier(graph, claim.place)), first(_later(graph, claim.place))


def _earlier(graph: Graph, at: Placed) -> Iterator[Placed]:
    for seq in range(at.seq - 1, max(0, at.seq - 1 - NEIGHBOURS_MAX), -1):
        found = graph.find_own(at, seq)
        if found is None:
            return
        yield found


def _later(graph: Graph, at: Placed) -> Iterator[Placed]:
    for tip in graph.tips():
        end = graph.find(ref_to(tip.journal, tip.seq, tip.id))
        if tip.journal != at.journal or end is None or not graph.follows(end, at):
            continue
        for seq in range(at.seq + 1, min(tip.seq, at.seq + NEIGHBOURS_MAX) + 1):
            found = end if seq == tip.seq else graph.find_own(end, seq)
            if found is None:
                return
            yield found
        return
