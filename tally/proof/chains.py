"""Whether a journal of an export hangs together: ids, chain, seals and heads under its own key.

A wrong id is tried both as stated and as computed for the next event, so one changed event is one
problem and not the rest of the journal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tally.events.decoding import EventLine, read_line
from tally.events.losses import HOLES_MAX
from tally.events.types import JournalOpened
from tally.proof.placing import FiledJournal, PlacedEvent, Problem
from tally.records.chain import event_id as make_event_id
from tally.records.chain import line_hash
from tally.records.export import (
    RowError,
    SealFields,
    unb64,
)
from tally.records.ids import (
    GENESIS,
    SEQ_MAX,
    EventId,
    JournalId,
    MalformedIdError,
    parse_event_id,
    show_journal,
)
from tally.records.merkle import root as merkle_root
from tally.records.signing import (
    HEAD,
    SEAL,
    PublicKey,
    head_message,
    seal_message,
)

_IDS_TRIED_MAX: Final = 8


def chain_problems(journal: JournalId, found: FiledJournal) -> Iterator[Problem]:
    """Link every event to the one it follows; what follows none of them was changed.

    Missing events are no problem where the file names the event that others follow, and no receipt
    says that the hub had those before it; nor where their writer says that they are lost.
    """
    name = show_journal(journal)
    promised = max((row.durable_through for row in found.receipts), default=SEQ_MAX)
    earlier = [PlacedEvent(0, GENESIS, b"", (GENESIS,))]
    for seq in sorted(found.events):
        expected = earlier[0].seq + 1
        absent = [PlacedEvent(seq - 1, one, b"", (one,)) for one in found.absent.get(seq - 1, ())]
        over = list(_over_lost(found, seq))
        absent = [*(hole for hole, _, _ in over), *absent]
        if seq != expected and not over and (not absent or promised >= expected):
            missing = f"{name}:{expected}"
            upto = f" to {name}:{seq - 1}" if seq - 1 > expected else ""
            yield Problem(f"Event {missing}{upto} is missing from the file.", missing)
        for placed in found.events[seq]:
            if seq != expected and not absent:
                placed.ids, before = (placed.stated,), earlier
            else:
                near = earlier if seq == expected else []
                before = _link(journal, placed, [*near, *absent])
            for one in before:
                one.is_followed = True
            if placed.ids[1:]:
                yield Problem(
                    f"Event {name}:{seq} was changed: its bytes give the id "
                    f"{placed.ids[1].hex()[:16]}…, the file states {placed.stated.hex()[:16]}….",
                    f"{name}:{seq}",
                )
        for hole, last, lost in over:
            if hole.is_followed:
                last.is_followed = True
                found.lost.update(lost)
        earlier = found.events[seq]


def missing_events(found: FiledJournal) -> int:
    """How many events are missing before one that is in the file, but for those that are lost."""
    lost = len(found.lost.difference(found.events))
    return max(found.events, default=0) - len(found.events) - lost


def _over_lost(found: FiledJournal, seq: int) -> Iterator[tuple[PlacedEvent, PlacedEvent, range]]:
    """Lost events right before `seq` that lead back to one in the file, and which are lost between.

    Whether an event at `seq` follows one of them is judged as for any other.
    """
    for event_id in found.losses.get(seq - 1, {}):
        at, before = seq - 1, event_id
        last = _stated(found, at, before)
        while last is None and before in found.losses.get(at, {}) and seq - at <= HOLES_MAX:
            at, before = at - 1, found.losses[at][before]
            last = _stated(found, at, before)
        if last is not None and at < seq - 1:
            yield PlacedEvent(seq - 1, event_id, b"", (event_id,)), last, range(at + 1, seq)


def _stated(found: FiledJournal, seq: int, event_id: EventId) -> PlacedEvent | None:
    same_seq = found.events.get(seq, ())
    return next((one for one in same_seq if event_id in (one.stated, *one.ids)), None)


def _link(journal: JournalId, placed: PlacedEvent, earlier: list[PlacedEvent]) -> list[PlacedEvent]:
    """The event that this one follows; all of them when it was changed and follows none.

    Sets `placed.ids`. Of a long run of changed events only the newest ids are tried further, so
    that a file changed throughout takes no longer than another.
    """
    hashed = line_hash(placed.line)
    computed: list[EventId] = []
    for one in earlier:
        for before in one.ids:
            event_id = make_event_id(journal, placed.seq, before, hashed)
            if event_id == placed.stated:
                placed.ids = (placed.stated,)
                return [one]
            computed.append(event_id)
    placed.ids = (placed.stated, *computed[1 - _IDS_TRIED_MAX :])
    return earlier


def own_key(journal: JournalId, found: FiledJournal, problems: list[Problem]) -> PublicKey | None:
    """The key that event 1 carries."""
    name = show_journal(journal)
    for placed in found.events.get(1, []):
        event = read_line(placed.line)
        if isinstance(event, EventLine) and isinstance(event.b, JournalOpened):
            try:
                if event.b.journal == name:
                    return PublicKey(unb64(event.b.key, 32))
            except RowError:
                break
    problems.append(
        Problem(
            f"Journal {name} has no readable event 1 `journal.opened` of its own, so its "
            "signatures cannot be checked.",
            f"{name}:1",
        )
    )
    return None


def signature_problems(
    journal: JournalId, found: FiledJournal, key: PublicKey
) -> Iterator[Problem]:
    """Seals and heads that do not hold, and branches that end under none."""
    name = show_journal(journal)
    covered: set[EventId] = set()
    for seal in found.seals:
        if _seal_holds(journal, found, seal, key):
            covered.add(parse_event_id(seal.head))
        else:
            yield Problem(
                f"The seal of {name} {seal.first}..{seal.last} does not hold: an event in it, the "
                "seal itself or its key was changed.",
                f"{name}:{seal.last}",
            )
    for head in found.heads:
        try:
            event_id, signature = parse_event_id(head.head), unb64(head.sig, 64)
            holds = key.verifies(HEAD, head_message(journal, head.seq, event_id), signature)
        except (RowError, MalformedIdError, OverflowError):
            event_id, holds = GENESIS, False
        if holds and any(p.stated == event_id for p in found.events.get(head.seq, [])):
            covered.add(event_id)
        else:
            yield Problem(
                f"The head of {name} at {head.seq} does not hold: it is not the journal's "
                "signature over the event that stands there.",
                f"{name}:{head.seq}",
            )
    for seq, placed in found.events.items():
        for one in placed:
            if not one.is_followed and one.stated not in covered:
                yield Problem(
                    f"Event {name}:{seq} is the last of its branch and stands under no valid head "
                    "or seal: the journal's writer never signed it.",
                    f"{name}:{seq}",
                )


def _seal_holds(journal: JournalId, found: FiledJournal, seal: SealFields, key: PublicKey) -> bool:
    if not 1 <= seal.first <= seal.last <= SEQ_MAX or seal.last - seal.first >= len(found.events):
        return False
    try:
        before, head = parse_event_id(seal.before), parse_event_id(seal.head)
        signature, stated_root = unb64(seal.seal, 64), parse_event_id(seal.root)
    except (RowError, MalformedIdError):
        return False
    ids = _ids_back_from(journal, found, seal.first, seal.last, head)
    if ids is None or merkle_root(ids) != stated_root:
        return False
    message = seal_message(
        journal, seal.first, seal.last, before=before, head=head, root=stated_root
    )
    return key.verifies(SEAL, message, signature)


def _ids_back_from(
    journal: JournalId, found: FiledJournal, first: int, last: int, head: EventId
) -> list[EventId] | None:
    """The stated ids of one branch from `head` back to `first`, oldest first."""
    ids: list[EventId] = []
    wanted = head
    for seq in range(last, first - 1, -1):
        placed = next((p for p in found.events.get(seq, []) if p.stated == wanted), None)
        if placed is None:
            return None
        ids.append(wanted)
        earlier = found.events.get(seq - 1, [])
        if len(earlier) == 1:  # the ordinary case: no fork, no hashing needed
            wanted = earlier[0].stated
        else:
            hashed = line_hash(placed.line)
            wanted = next(
                (
                    p.stated
                    for p in earlier
                    if make_event_id(journal, seq, p.stated, hashed) == wanted
                ),
                GENESIS,
            )
    return ids[::-1]
