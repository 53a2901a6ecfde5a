"""Taking in what stations wrote: prove, store exactly, acknowledge with a signed receipt.

Rules (`sync.md` 3.4, 3.5):
1. Nothing authentic is refused, whatever it says: its meaning is the ledger's concern.
2. The answer is given after the commit; what it acknowledges is on the disk.
3. What cannot be proven is kept in quarantine within a quota and never acknowledged.
4. Decoding and proving happen outside the store's lock.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NoReturn

import msgspec

from hub.services import (
    feeds,
    gaps,
    holes,
    journals,
    restoring,
    returning,
    rotating,
    succeeding,
)
from hub.services.answers import Ingested, Notice, Refused, Standing
from hub.services.feeds import Entry
from hub.services.journals import Placed
from hub.services.office import Office
from hub.store.port import Branch, Journal
from tally.events.types import JournalForked
from tally.records.export import RowError, unb64
from tally.records.ids import GENESIS, EventId, JournalId, parse_event_id, ref_to, show_journal
from tally.records.segment import (
    HEADER_BYTES_MAX,
    PLAIN_BYTES_MAX,
    SEGMENT_EVENTS_MAX,
    Segment,
    SegmentError,
    decode,
    encode,
    prove,
)
from tally.records.signing import Receipt

DELIVERY_BYTES_MAX: Final = PLAIN_BYTES_MAX + HEADER_BYTES_MAX + 64 * 1024
"""A header and a frame of lines that do not compress at all."""


class _Seal(msgspec.Struct, frozen=True):
    """What is needed of a segment's header to find its lines; `decode` judges the rest."""

    first: int
    last: int
    before: str
    head: str
    root: str
    seal: str


def ingest(office: Office, journal: JournalId, data: bytes) -> Ingested:
    """See `hub.services.hub.Hub.ingest`."""
    if len(data) > DELIVERY_BYTES_MAX:
        raise Refused(
            "too_large",
            f"The delivery has {len(data)} bytes; the limit is {DELIVERY_BYTES_MAX}. "
            f"Send fewer events in one piece.",
        )
    with office.store.reading():
        row = office.registered(journal)
    return _store(office, row, *_proven(office, row, data), data)


def take_returned(office: Office, data: bytes) -> Ingested:
    """See `hub.services.hub.Hub.take_returned`."""
    if len(data) > DELIVERY_BYTES_MAX:
        raise Refused("too_large", f"Expected at most {DELIVERY_BYTES_MAX} bytes.")
    try:
        segment = decode(data)
    except SegmentError as error:
        raise Refused("malformed", f"What is brought back cannot be read: {error}") from error
    with office.store.reading():
        row = office.store.find_journal(segment.journal)
    if row and row.role == "feed" and not feeds.is_closed(office, row):
        _refuse_own(office, row, data)
    key = row.key if row else returning.vouched_keys_feed(office, segment.journal, segment.lines)
    if key is None or (row and (row.role, row.name) != ("feed", "keys")):
        raise Refused(
            "not_allowed",
            f"Journal {show_journal(segment.journal)} is no earlier feed of this hub's keys; only "
            f"those are taken from callers that the hub does not know.",
        )
    try:
        ids = prove(segment, key)
    except SegmentError as error:
        raise Refused("forged", f"{error} Nothing was stored.") from error
    if row is not None:
        with office.store.reading():
            rotating.check_end(office, row, segment, ids)
    else:
        with office.store.transaction():
            row = office.store.find_journal(segment.journal)
            row = row or feeds.register(office, segment.journal, key, "keys")
    return _store(office, row, segment, ids, data)


def _store(
    office: Office, row: Journal, segment: Segment, ids: list[EventId], data: bytes
) -> Ingested:
    with office.store.transaction():
        had = len(gaps.forks(office.store.branches(row.no)))
        found = holes.fill(office.store, row, segment, ids, data)
        placed = journals.place(office.store, row, segment, ids, data)
        new, known = placed.stored + found, placed.duplicates - found
        placed = replace(placed, stored=new, duplicates=known)
        lost = holes.settle(office.store, row, segment, data)
        if row.role == "feed" and placed.stored:
            new = placed.duplicates
            returning.take(office, row, segment.first + new, ids[new:], segment.lines[new:])
        branches = office.store.branches(row.no)
        if row.role == "station" and len(gaps.forks(branches)) > had:
            _say_forked(office, row, branches)
    if lost is not None and placed.need is not None and len(ids) == 1:
        placed = _goes_on_behind(branches, placed, *lost)
    elif placed.branch is not None and placed.need is None:
        # Beyond what was delivered the branch may be another history than the sender's, also when
        # the sender has not yet shown that it has one.
        own_end = replace(placed.branch, tip_seq=segment.last, tip_id=ids[-1])
        placed = replace(placed, branch=own_end)
    return _answer(office, row, placed, branches)


def _goes_on_behind(
    branches: Sequence[Branch], placed: Placed, seq: int, event_id: EventId
) -> Placed:
    """What came says that an event is lost and is sent in its place: it is held to there."""
    on = next(one for one in gaps.connected(branches) if one.from_seq < seq <= one.tip_seq)
    return replace(placed, branch=replace(on, tip_seq=seq, tip_id=event_id), need=None)


def ingest_seal(office: Office, journal: JournalId, header: bytes) -> Ingested:
    """See `hub.services.hub.Hub.ingest_seal`."""
    seal = _read_seal(journal, header)
    head = parse_event_id(seal.head)
    with office.store.reading():
        row = office.registered(journal)
        branches = office.store.branches(row.no)
        lines = _held_lines(office, row, branches, seal, head)
        if lines is None:
            tip = journals.longest(branches)
            need = tip.tip_seq + 1 if tip and seal.last > tip.tip_seq else seal.first
            return _standing_answer(office, row, tip, branches, need=need)
    try:
        segment = Segment(
            journal,
            seal.first,
            parse_event_id(seal.before),
            head,
            tuple(lines),
            root=parse_event_id(seal.root),
            seal=unb64(seal.seal, 64),
        )
    except (ValueError, RowError) as error:
        raise Refused("malformed", f"The seal's header cannot be read: {error}.") from error
    return ingest(office, journal, encode(segment))


def standing(office: Office, journal: JournalId) -> Standing:
    """See `hub.services.hub.Hub.standing`."""
    with office.store.reading():
        row = office.registered(journal)
        branches = office.store.branches(row.no)
        lost = tuple(holes.listed(office.store, row))
    receipt = office.receipt(row, journals.longest(branches))
    return Standing(
        receipt.seq,
        receipt.event_id,
        receipt.durable_through,
        receipt.archived_through,
        receipt,
        (*_fork_notices(row, branches), *succeeding.notices(office, row)),
        tuple(gaps.apart(branches)),
        lost,
    )


def receipt_at(office: Office, journal: JournalId, seq: int, event_id: EventId) -> Receipt:
    """See `hub.services.hub.Hub.receipt_at`."""
    with office.store.reading():
        row = office.registered(journal)
        for branch in gaps.connected(office.store.branches(row.no)):
            if journals.holds(office.store, row, branch, seq, event_id):
                return office.receipt(row, replace(branch, tip_seq=seq, tip_id=event_id))
    raise Refused(
        "malformed",
        f"Event {event_id.hex()[:16]}… does not stand at {seq} of {show_journal(journal)} here.",
    )


def common(
    office: Office, journal: JournalId, locator: Sequence[tuple[int, EventId]]
) -> tuple[int, EventId]:
    """See `hub.services.hub.Hub.common`."""
    with office.store.reading():
        row = office.registered(journal)
        branches = gaps.connected(office.store.branches(row.no))
        for seq, event_id in sorted(locator, reverse=True):
            if any(journals.holds(office.store, row, b, seq, event_id) for b in branches):
                return seq, event_id
    return 0, GENESIS


def _proven(office: Office, row: Journal, data: bytes) -> tuple[Segment, list[EventId]]:
    if row.role == "feed" and not feeds.is_closed(office, row):
        _refuse_own(office, row, data)
    try:
        segment = decode(data)
    except SegmentError as error:
        _set_aside(office, row, "malformed", str(error), data)
        raise Refused("malformed", f"The delivery cannot be read: {error}") from error
    if segment.journal != row.id:
        words = (
            f"The delivery is of journal {show_journal(segment.journal)}, "
            f"expected {show_journal(row.id)} as the address says."
        )
        raise Refused("malformed", words)
    try:
        ids = prove(segment, row.key)
    except SegmentError as error:
        _set_aside(office, row, "forged", str(error), data)
        raise Refused(
            "forged",
            f"{error} The hub knows {row.name} by another key, or the bytes changed on the way. "
            f"Send again; if it repeats, check the station's memory and disk.",
        ) from error
    with office.store.reading():
        rotating.check_end(office, row, segment, ids)
    return segment, ids


def _refuse_own(office: Office, row: Journal, data: bytes) -> NoReturn:
    """Nobody writes into a feed of this epoch; but somebody may hold more of it than the hub.

    What the hub signed and does not have, it forgot: an old copy of its files is in its place.
    """
    with contextlib.suppress(SegmentError):
        segment = decode(data)
        ids = prove(segment, row.key)
        with office.store.transaction():
            branches = office.store.branches(row.no)
            if segment.journal == row.id and not any(
                journals.holds(office.store, row, branch, segment.last, ids[-1])
                for branch in branches
            ):
                restoring.note_forgotten(office, row, segment.last)
    raise Refused(
        "not_allowed",
        f"Journal {show_journal(row.id)} is feed {row.name} of this hub, its only writer.",
    )


def _set_aside(office: Office, row: Journal, code: str, words: str, data: bytes) -> None:
    with office.store.transaction():
        office.store.quarantine(office.now(), row.id, code, words[:1000], data)


def _answer(
    office: Office,
    row: Journal,
    placed: Placed,
    branches: Sequence[Branch],
) -> Ingested:
    tip = placed.branch if placed.need is None else journals.longest(branches)
    return _standing_answer(office, row, tip, branches, placed=placed, need=placed.need)


def _standing_answer(
    office: Office,
    row: Journal,
    tip: Branch | None,
    branches: Sequence[Branch],
    *,
    placed: Placed | None = None,
    need: int | None = None,
) -> Ingested:
    receipt = office.receipt(row, tip)
    with office.store.reading():
        notices = [*_fork_notices(row, branches), *succeeding.notices(office, row)]
    if need is not None:
        notices.append(_gap_notice(row, need, placed))
    return Ingested(
        seq=receipt.seq,
        event_id=receipt.event_id,
        durable_through=receipt.durable_through,
        archived_through=receipt.archived_through,
        receipt=receipt,
        stored=placed.stored if placed else 0,
        duplicates=placed.duplicates if placed else 0,
        notices=tuple(notices),
        need=need,
    )


def _gap_notice(row: Journal, need: int, placed: Placed | None) -> Notice:
    if placed is None or placed.branch is None:
        return Notice(
            "gap",
            need,
            f"The hub needs {row.name} from event {need}; nothing of this delivery was stored.",
            f"中心需要 {row.name} 从第 {need} 条事件开始的记录;本次发送未被保存。",
        )
    return Notice(
        "gap",
        need,
        f"The hub keeps this delivery of {row.name} behind a gap and still needs it from event "
        f"{need}.",
        f"中心已保存 {row.name} 的本次发送,但其前面还有缺口,仍需要从第 {need} 条事件开始的记录。",
    )


def _fork_notices(row: Journal, branches: Sequence[Branch]) -> tuple[Notice, ...]:
    return tuple(_fork_notice(row, branch) for branch in gaps.forks(branches))


def _say_forked(office: Office, row: Journal, branches: Sequence[Branch]) -> None:
    """Tell everybody who pulls `keys`, in the transaction that stores the other history."""
    tips = tuple(str(ref_to(row.id, one.tip_seq, one.tip_id)) for one in branches)
    after = min(map(gaps.shared_to, gaps.forks(branches)))
    forked = JournalForked(show_journal(row.id), row.name, after, tips)
    feeds.append(office, "keys", [Entry(forked)])


def _fork_notice(row: Journal, branch: Branch) -> Notice:
    seq = gaps.shared_to(branch) + 1
    return Notice(
        "fork",
        seq,
        f"{row.name} has two histories from event {seq}: the PC was copied or restored. Both are "
        f"kept; open a new journal and new blocks.",
        f"{row.name} 从第 {seq} 条事件起有两份历史:电脑被复制或恢复过。"
        f"两份都已保留;请启用新的日志和新的号段。",
    )


def _read_seal(journal: JournalId, header: bytes) -> _Seal:
    if len(header) > HEADER_BYTES_MAX:
        raise Refused(
            "too_large", f"The header has {len(header)} bytes; the limit is {HEADER_BYTES_MAX}."
        )
    try:
        seal = msgspec.json.decode(header, type=_Seal)
        parse_event_id(seal.head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise Refused("malformed", f"The seal's header cannot be read: {error}.") from error
    if not 1 <= seal.first <= seal.last < seal.first + SEGMENT_EVENTS_MAX:
        raise Refused(
            "malformed",
            f"The seal of {show_journal(journal)} covers {seal.first}..{seal.last}; expected 1 to "
            f"{SEGMENT_EVENTS_MAX} events.",
        )
    return seal


def _held_lines(
    office: Office, row: Journal, branches: Sequence[Branch], seal: _Seal, head: EventId
) -> list[bytes] | None:
    for branch in branches:
        if journals.holds(office.store, row, branch, seal.last, head):
            return journals.lines_between(office.store, branches, branch, seal.first, seal.last)
    return None
