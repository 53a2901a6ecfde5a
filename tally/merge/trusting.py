"""Which events count after a key was taken back (`sync.md` 3.15).

Rules:
1. `key.revoked` names the last event of a station's journal that counts. What does not lead to it,
   later events and other branches alike, is kept and makes no claim and ends nothing.
2. Where that event is not here, events before its place count: nothing contradicts them yet.
3. A decision on the key `trust:<journal>` names the revocations and the newest events that its
   maker saw: of those, what leads to `keep` counts again, the rest stays out for good. Later events
   are in doubt again. Decisions that contradict each other settle nothing.
4. Only feeds of the hub take a key back, and only a station's.

Nothing here reads a time or an order of arrival: whatever came first, the answer is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tally.events import types as t
from tally.merge.decisions import decision_of, standing_on
from tally.merge.history import History, Placed
from tally.merge.keys import key_text
from tally.records.ids import JournalId, MalformedIdError, Ref, parse_ref, show_journal

TRUST: Final = "trust"
"""Kind of the key on which people decide; no event makes a claim on it."""

Doubt: TypeAlias = Literal["", "open", "excluded"]
"""Of an event: it counts; it does not and nobody decided; somebody decided that it never does."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """One time a journal's key was taken back. `trusted`: the last event that counts, or None."""

    place: Placed
    trusted: Ref | None
    station: str
    reason: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision in force. `seen`: the revocations it answers; `ends`: how far it had heard."""

    place: Placed
    seen: frozenset[str]
    ends: tuple[Ref, ...]
    keep: Ref | None


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known about one journal's key: revocations and decisions, each by event id."""

    revocations: tuple[Revocation, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


TRUSTED: Final = Trust()


def trust_key(journal: JournalId) -> str:
    """The key on which it is decided whether a journal's doubtful events count."""
    return key_text(TRUST, (show_journal(journal),))


def is_revoked(history: History, journal: JournalId) -> bool:
    """Whether a feed of the hub took the journal's key back, whatever was decided since."""
    return bool(trust_in(history, journal).revocations)


def trust_in(history: History, journal: JournalId) -> Trust:
    """Everything said about a journal's key by feeds of the hub."""
    places = [at for at in history.revocations(journal) if history.is_feed(at)]
    if not places:
        return TRUSTED
    revocations = [_revocation(history, at, journal) for at in places]
    effective = standing_on(history, trust_key(journal)).effective
    return Trust(
        tuple(sorted(revocations, key=lambda one: one.place.id)),
        tuple(_verdict(history, at, journal) for at in effective),
    )


def doubt_about(history: History, at: Placed, trust: Trust) -> Doubt:
    """Whether an event counts; `trust` is that of its journal."""
    if not trust.revocations or history.is_feed(at):
        return ""
    found = {_doubt_by(history, at, trust, one) for one in trust.revocations}
    return "open" if "open" in found else "excluded" if "excluded" in found else ""


def _doubt_by(history: History, at: Placed, trust: Trust, revocation: Revocation) -> Doubt:
    if _leads_to(history, at, revocation.trusted):
        return ""
    answers = [one for one in trust.verdicts if revocation.place.ref in one.seen]
    if any(_leads_to(history, at, one.keep) for one in answers):
        return ""
    if any(_leads_to(history, at, end) for one in answers for end in one.ends):
        return "excluded"
    return "open"


def _leads_to(history: History, at: Placed, end: Ref | None) -> bool:
    """Whether the event is `end` or stands before it on its chain, as far as that can be known."""
    if end is None or at.seq > end.seq:
        return False
    last = history.find(end)
    if last is None:
        return at.seq < end.seq
    own = last if at.seq == last.seq else history.find_own(last, at.seq)
    return own is None or own == at


def open_ends(history: History, trust: Trust, ends: Sequence[Placed]) -> tuple[Placed, ...]:
    """Of the newest events of each branch of a journal, those in doubt, by event id."""
    found = (end for end in ends if doubt_about(history, end, trust) == "open")
    return tuple(sorted(found, key=lambda end: end.id))


def _revocation(history: History, at: Placed, journal: JournalId) -> Revocation:
    line = history.line(at)
    body = line.b
    assert isinstance(body, t.KeyRevoked), f"{at.ref} takes no key back"
    trusted = next(_own_refs((body.trusted,), journal), None)
    return Revocation(at, trusted, body.station, body.reason, line.by, line.at)


def _verdict(history: History, at: Placed, journal: JournalId) -> Verdict:
    body = decision_of(history, at)
    keep = next(_own_refs((body.keep,), journal), None)
    ends = tuple(_own_refs(body.claims_seen, journal))
    return Verdict(at, frozenset(body.claims_seen), ends, keep)


def _own_refs(texts: Sequence[str], journal: JournalId) -> Iterator[Ref]:
    """Those that name events of the journal; `none` and everything else names nothing."""
    for text in texts:
        try:
            ref = parse_ref(text)
        except MalformedIdError:
            continue
        if ref.journal == journal:
            yield ref
