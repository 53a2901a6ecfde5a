"""Taking a station's key back, and deciding what counts of that which it signed afterwards.

Rules (`sync.md` 3.15, `docs/decisions/0125-…`):
1. A revocation names the last event of the journal that counts; what follows is taken in as ever
   and does not count. The journal gets no codes any more and names no successor, and its blocks
   are written off: its station enrols anew.
2. What the person saw comes from the page or command they acted on (`decided.md` 20).

What events mean is judged by `tally.merge.trusting`, not here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.services import deciding, feeds, journals, writing_off
from hub.services.answers import Decided, Position, Refused
from hub.services.feeds import Entry
from hub.services.office import Office
from hub.store.port import Journal
from tally.events.types import DecisionMade, KeyRevoked
from tally.merge.decisions import standing_on
from tally.merge.graph import Graph
from tally.merge.keys import case_id
from tally.merge.trusting import Trust, doubt_about, open_ends, trust_in, trust_key
from tally.records.ids import (
    SEQ_MAX,
    EventId,
    JournalId,
    MalformedIdError,
    parse_journal,
    parse_ref,
    ref_to,
)
from tally.records.ids import show_journal as show

ALL: Final = "all"
NEXT: Final = "next"
NONE: Final = "none"
_HEX: Final = re.compile(r"[0-9a-f]{6,64}\Z")
_PLACE: Final = re.compile(r"(?:([A-Z2-7]{26}):)?([1-9][0-9]{0,12})(?::([0-9a-f]{16}))?\Z")
"""A number of up to 13 digits names a place; an id is told by a letter among its digits, or more of
them.
"""


@dataclass(frozen=True, slots=True)
class Revoked:
    """A key that was taken back: the event that says so, how many held events do not count, and
    how many blocks of codes were written off.
    """

    at: Position
    body: KeyRevoked
    events: int
    blocks: int


def revoke(office: Office, station: str, *, since: str, by: str, reason: str) -> Revoked:
    """Take the key of a station's journal back.

    Args:
        office: the hub's.
        station: its name, for its newest journal, or a journal's id.
        since: the first event that does not count any more (by number, id or reference), `next`
            for what is not here yet, `all` for everything.
        by: badge of the person.
        reason: in words, kept for ever.

    Raises:
        Refused: `unknown_station`, `not_allowed`, `malformed`, `ambiguous`, `nothing_to_decide`
            when that event does not count already.
    """
    deciding.check_reason(reason)
    with office.store.transaction():
        deciding.check_person(office, by)
        row = _journal(office, station)
        trusted = _last_before(office, row, since.strip())
        body = KeyRevoked(show(row.id), row.name, reason.strip(), trusted)
        [at] = feeds.append(office, "keys", [Entry(body, by=by)])
        blocks = writing_off.write_off(office, row.id, "revoked")
        events = _count(office, row, parse_ref(trusted).seq if trusted else 0)
    return Revoked(at, body, events, blocks)


def judge(
    office: Office,
    journal: JournalId,
    *,
    through: str,
    by: str,
    reason: str,
    seen: Sequence[str],
    supersedes: Sequence[str],
) -> Decided:
    """Decide what counts of that which a revoked key signed, as far as the person saw it.

    Args:
        office: the hub's.
        journal: whose key was taken back.
        through: the last event that counts again, `all` or `none`.
        by, reason: as for `revoke`.
        seen, supersedes: as `untrusted` showed them.

    Raises:
        Refused: `unknown_journal`, `not_allowed`, `malformed`, `ambiguous`, `changed`,
            `nothing_to_decide` for a key that was never taken back.
    """
    deciding.check_reason(reason)
    with office.store.transaction():
        deciding.check_person(office, by)
        row = office.registered(journal)
        trust = trust_in(office.store.ledger.graph, journal)
        _check_seen(row, trust, seen)
        key = trust_key(journal)
        body = DecisionMade(
            case=case_id(key),
            key=key,
            keep=_kept(office, row, through.strip(), seen),
            retires=(),
            claims_seen=tuple(sorted(set(seen))),
            reason=reason.strip(),
            supersedes=tuple(sorted(set(supersedes))),
        )
        [at] = feeds.append(office, "decisions", [Entry(body, by=by)])
        standing = standing_on(office.store.ledger.graph, key)
    return Decided(at, body, "contested" if standing.is_contested else "decided")


def untrusted(office: Office) -> list[dict[str, Any]]:
    """Every journal whose key was taken back, by station; JSON-safe.

    Keys: station, journal, since (seq of the last event that counts), by, at, reason, status
    (none, open, contested, decided), ends (references of the newest events), seen and supersedes
    (what a decision has to name), decided [{by, at, keep, reason}] in force.
    """
    with office.store.reading():
        graph = office.store.ledger.graph
        rows = [_row(graph, one) for one in graph.revoked_journals()]
    return sorted((row for row in rows if row), key=lambda row: (row["station"], row["journal"]))


def check_key(office: Office, row: Journal) -> None:
    """Before codes are granted, or a key is believed for more than its events.

    Raises:
        Refused: `not_allowed`, the key was taken back.
    """
    trust = trust_in(office.store.ledger.graph, row.id)
    if trust.revocations:
        one = trust.revocations[0]
        raise Refused(
            "not_allowed",
            f"The key of {row.name} was taken back by {one.by} at {one.at}: {one.reason}. Its "
            f"events are still taken in, but it gets no codes. Enrol the station anew: tally hub "
            f"enroll-token DIR {row.name}",
        )


def _row(graph: Graph, journal: JournalId) -> dict[str, Any]:
    trust = trust_in(graph, journal)
    if not trust.revocations:
        return {}
    first = min(trust.revocations, key=lambda one: one.trusted.seq if one.trusted else 0)
    ends = sorted(graph.ends_of(journal), key=lambda end: end.id)
    standing = standing_on(graph, trust_key(journal))
    status = "none" if all(doubt_about(graph, end, trust) == "" for end in ends) else "decided"
    if open_ends(graph, trust, ends):
        status = "contested" if standing.is_contested else "open"
    decided = []
    for at in standing.effective:
        line = graph.line(at)
        assert isinstance(line.b, DecisionMade)
        decided.append({"by": line.by, "at": line.at, "keep": line.b.keep, "reason": line.b.reason})
    revocations = [one.place.ref for one in trust.revocations]
    return {
        "station": first.station,
        "journal": show(journal),
        "since": first.trusted.seq if first.trusted else 0,
        "by": first.by,
        "at": first.at,
        "reason": first.reason,
        "status": status,
        "ends": [end.ref for end in ends],
        "seen": [*revocations, *(end.ref for end in ends)],
        "supersedes": [at.ref for at in standing.known],
        "decided": decided,
    }


def _count(office: Office, row: Journal, since: int) -> int:
    """How many held events do not count; without a fork only later ones can be among them."""
    graph = office.store.ledger.graph
    is_forked = len(office.store.branches(row.no)) > 1
    later = _events(office, row, 1 if is_forked else since + 1)
    found = (graph.find(ref_to(row.id, seq, own)) for seq, own, _ in later)
    return sum(event is not None and not graph.counts(event) for event in found)


# --- which journal, which event -----------------------------------------------------------------


def _journal(office: Office, text: str) -> Journal:
    """The newest journal of a station, or the one that is named by its id.

    Raises:
        Refused: `unknown_station`, naming those that are enrolled.
    """
    own = [one for one in office.store.journals() if one.role == "station"]
    found = [one for one in own if text in {one.name, show(one.id)}]
    if not found:
        known = ", ".join(sorted({one.name for one in own})) or "none"
        raise Refused(
            "unknown_station",
            f"No station {text[:40]!r} is enrolled; enrolled are: {known}. A former journal of a "
            f"station is named by its id: tally hub stations DIR",
        )
    return found[-1]


def _last_before(office: Office, row: Journal, since: str) -> str:
    """The reference of the last event that counts, empty for none.

    Raises:
        Refused: `malformed`, `ambiguous`, or `nothing_to_decide` when it does not count already.
    """
    graph = office.store.ledger.graph
    tip = journals.longest(office.store.branches(row.no))
    if since == NEXT and tip is not None:
        last = (tip.tip_seq, tip.tip_id)
        _check_counts(graph, row, *last)
        return str(ref_to(row.id, *last))
    if since == ALL:
        for seq, own, _ in _events(office, row):
            _check_counts(graph, row, seq, own)
            break
        return ""
    seq, own, before = _named(office, row, since)
    _check_counts(graph, row, seq, own)
    return str(ref_to(row.id, seq - 1, before)) if seq > 1 else ""


def _check_counts(graph: Graph, row: Journal, seq: int, own: EventId) -> None:
    at = graph.find(ref_to(row.id, seq, own))
    if at is not None and not graph.counts(at):
        since = min(
            one.trusted.seq if one.trusted else 0 for one in trust_in(graph, row.id).revocations
        )
        raise Refused(
            "nothing_to_decide",
            f"The key of {row.name} was taken back before: nothing after its event {since} counts, "
            f"so event {seq} does not. What counts of the rest: tally hub trust DIR {row.name}",
        )


def _named(office: Office, row: Journal, text: str) -> tuple[int, EventId, EventId]:
    """Seq, id and the id before it of the one event that the text names.

    Raises:
        Refused: `malformed` or `ambiguous`.
    """
    place = _PLACE.match(text)
    at = int(place[2]) if place is not None else 0  # a number is looked up, digits are searched
    events = _events(office, row, at, at) if at else _events(office, row)
    found = [one for one in events if _is_named(row, one[0], one[1], text)]
    if len(found) == 1:
        return found[0]
    how = (
        f"Name an event of {row.name} by its number, by at least 6 hex digits of its id, or by "
        f"<journal>:<seq>:<digits>"
    )
    if not found:
        raise Refused("malformed", f"No event {text[:80]!r} in journal {show(row.id)}. {how}.")
    several = ", ".join(str(ref_to(row.id, seq, own)) for seq, own, _ in found[:5])
    raise Refused("ambiguous", f"{text[:80]!r} names several events: {several}. {how}.")


def _is_named(row: Journal, seq: int, own: EventId, text: str) -> bool:
    place = _PLACE.match(text)
    if place is None:
        return bool(_HEX.match(text)) and own.hex().startswith(text)
    is_own = place[1] is None or place[1] == show(row.id)
    return is_own and int(place[2]) == seq and own.hex().startswith(place[3] or "")


def _events(
    office: Office, row: Journal, first: int = 1, last: int = SEQ_MAX
) -> Iterator[tuple[int, EventId, EventId]]:
    """Seq, id and the id before it of the events held in a range, branch by branch."""
    for branch in office.store.branches(row.no):
        start, end = max(first, branch.from_seq + 1), min(last, branch.tip_seq)
        for piece in office.store.pieces(branch.no, start, end):
            before = piece.before
            for seq, own in enumerate(journals.ids_of(row, piece), piece.first):
                if start <= seq <= end:
                    yield seq, own, before
                before = own


def _kept(office: Office, row: Journal, through: str, seen: Sequence[str]) -> str:
    if through == NONE:
        return NONE
    if through == ALL:
        own = [ref for ref in seen if ref.startswith(show(row.id))]
        if len(own) != 1:
            raise Refused(
                "ambiguous",
                f"{row.name} has {len(own)} histories; name the last event that counts, or none.",
            )
        return own[0]
    seq, event_id, _ = _named(office, row, through)
    return str(ref_to(row.id, seq, event_id))


def _check_seen(row: Journal, trust: Trust, seen: Sequence[str]) -> None:
    if not trust.revocations:
        raise Refused("nothing_to_decide", f"The key of {row.name} was never taken back.")
    known = {one.place.ref for one in trust.revocations}
    if not known <= set(seen):
        raise Refused(
            "changed",
            f"The key of {row.name} was taken back again meanwhile; look once more: tally hub "
            f"trust DIR {row.name}",
        )


def journal_named(text: str) -> JournalId:
    """A journal id as a command carries it.

    Raises:
        Refused: `malformed`.
    """
    try:
        return parse_journal(text)
    except MalformedIdError as error:
        raise Refused("malformed", str(error)) from error
