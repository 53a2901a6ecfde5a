"""What stations signed of each other's journals, brought by whoever greets, kept for certificates.

1. A witness is judged by the key that the plant registered for the neighbour. One that does not
   hold, or whose key was taken back, changes nothing and is said to who brought it.
2. Of each pair the one that goes farthest is kept, also where the hub itself holds less: that an
   end was cut, or got lost with an old copy of the hub's files, is seen by nothing else.
3. It says nothing of an event's meaning, and no receipt rests on it.

`hub.services.certifying` puts them into certificates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from hub.services.answers import Notice
from hub.services.office import Office
from hub.store.port import Journal
from tally.merge.trusting import trust_in
from tally.records.export import b64, unb64
from tally.records.ids import SEQ_MAX, JournalId, parse_event_id, show_journal
from tally.records.witness import Witness

PER_JOURNAL_MAX: Final = 16
"""Witnesses of one journal in a certificate: those that go farthest."""


class _Kept(msgspec.Struct, frozen=True):
    seq: int
    id: str
    sig: str


@dataclass(frozen=True, slots=True)
class Brought:
    """What a greeting brought: `news` go farther than what is kept; `notices` say what counts not.

    `news` are proven and not yet kept.
    """

    news: tuple[Witness, ...] = ()
    notices: tuple[Notice, ...] = ()


def judge(office: Office, brought: Sequence[Witness]) -> Brought:
    """Which of these hold and say something new; reads only, and signatures outside the lock."""
    if not brought:
        return Brought()
    with office.store.reading():
        judged = [(one, *_writers(office, one)) for one in brought]
        judged = [one for one in judged if one[1] is None or _is_news(office, one[0])]
        taken = {one.witness for one, by, _ in judged if by and _is_taken_back(office, by.id)}
    news, notices = [], []
    for one, by, of in judged:
        if by is None or of is None:
            notices.append(_unknown(one))
        elif by.id in taken:
            notices.append(_taken_back(one, by, of))
        elif not one.is_signed_by(by.key):
            notices.append(_forged(one, by, of))
        else:
            news.append(one)
    return Brought(tuple(news), tuple(notices))


def keep(office: Office, news: Iterable[Witness]) -> None:
    """Keep what `judge` found new, inside the caller's transaction."""
    for one in news:
        if _is_news(office, one):
            said = _Kept(one.seq, one.event_id.hex(), b64(one.signature))
            office.store.put(_key(one.journal, one.witness), msgspec.json.encode(said).decode())


def witnesses_of(office: Office, journal: Journal) -> list[Witness]:
    """Those of a journal that count, the farthest first, one a station; inside the caller's
    reading.
    """
    found: dict[str, Witness] = {}
    for other in office.store.journals_for(journal.line):
        if "feed" in (journal.role, other.role) or other.name == journal.name:
            continue
        kept = _kept(office, journal.id, other.id)
        if kept is None or _is_taken_back(office, other.id):
            continue
        if other.name not in found or kept.seq > found[other.name].seq:
            found[other.name] = kept
    order = sorted(found.values(), key=lambda one: (-one.seq, one.witness))
    return order[:PER_JOURNAL_MAX]


def _writers(office: Office, one: Witness) -> tuple[Journal | None, Journal | None]:
    """The neighbour and whose journal it speaks of; none unless they are two stations of a line."""
    by, of = office.store.find_journal(one.witness), office.store.find_journal(one.journal)
    is_pair = (
        by is not None
        and of is not None
        and (by.role, of.role) == ("station", "station")
        and by.line == of.line
        and by.name != of.name
        and 1 <= one.seq <= SEQ_MAX
    )
    return (by, of) if is_pair else (None, None)


def _is_news(office: Office, one: Witness) -> bool:
    kept = _kept(office, one.journal, one.witness)
    return kept is None or one.seq > kept.seq


def _is_taken_back(office: Office, journal: JournalId) -> bool:
    return bool(trust_in(office.store.ledger.graph, journal).revocations)


def _kept(office: Office, journal: JournalId, witness: JournalId) -> Witness | None:
    text = office.store.get(_key(journal, witness))
    if text is None:
        return None
    kept = msgspec.json.decode(text, type=_Kept)
    return Witness(witness, journal, kept.seq, parse_event_id(kept.id), unb64(kept.sig, 64))


def _key(journal: JournalId, witness: JournalId) -> str:
    return f"witness/{show_journal(journal)}/{show_journal(witness)}"


def _unknown(one: Witness) -> Notice:
    by, of = show_journal(one.witness), show_journal(one.journal)
    return Notice(
        "witness",
        one.seq,
        f"That journal {by} holds {of} to event {one.seq} counts for nothing: they are not two "
        f"stations of one line of this plant.",
        f"“日志 {by} 保存了 {of} 到第 {one.seq} 条”不作数:两者不是本工厂同一产线的两个工位。",
    )


def _taken_back(one: Witness, by: Journal, of: Journal) -> Notice:
    return Notice(
        "witness",
        one.seq,
        f"That {by.name} holds {of.name} to event {one.seq} counts for nothing: the key of "
        f"{by.name} was taken back.",
        f"“{by.name} 保存了 {of.name} 到第 {one.seq} 条”不作数:{by.name} 的密钥已被收回。",
    )


def _forged(one: Witness, by: Journal, of: Journal) -> Notice:
    return Notice(
        "witness",
        one.seq,
        f"That {by.name} holds {of.name} to event {one.seq} counts for nothing: it is not signed "
        f"by the key of {by.name}.",
        f"“{by.name} 保存了 {of.name} 到第 {one.seq} 条”不作数:它不是用 {by.name} 的密钥签名的。",
    )
