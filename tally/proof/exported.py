"""Proof of an export: every id, chain, seal, head, receipt and key, each problem naming the
event (`format.md` 3-4).

How a change is found:
1. A row must be spelled as an export spells it, and repeat exactly what its line says.
2. `event_id` must follow from the line and one of the ids at the seq before. A wrong id is
tried both as stated and as computed for the next event, so one changed event is one problem and
not the rest of the journal.
3. An event that no other follows ends a branch, and must stand under a head or seal of the
journal's own key, which event 1 carries. So no event can be put in beside the true ones.
4. Keys of feeds are signed by the plant root key; keys of stations stand in the feed `keys`.
Whoever names the plant they trust is told of every journal that it does not vouch for.
5. A receipt ahead of the file shows a cut tail. Without a receipt the tail is called unknown: a
proof of inclusion never proves that nothing was left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from tally.events.decoding import EventLine, read_line
from tally.events.types import JournalOpened, KeyPublished, StationEnrolled
from tally.records.chain import event_id as make_event_id
from tally.records.chain import line_hash
from tally.records.export import (
    ClosingRow,
    EventRow,
    HeadFields,
    ReceiptFields,
    RowError,
    SealFields,
    read_row,
    reading_of,
    unb64,
)
from tally.records.ids import (
    GENESIS,
    SEQ_MAX,
    EventId,
    JournalId,
    MalformedIdError,
    parse_event_id,
    parse_journal,
    show_journal,
)
from tally.records.merkle import root as merkle_root
from tally.records.signing import (
    HEAD,
    KEY,
    SEAL,
    PublicKey,
    Receipt,
    head_message,
    key_message,
    seal_message,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not hold. `event` is `<journal>:<seq>` where an event can be named."""

    words: str
    event: str | None = None


@dataclass(frozen=True, slots=True)
class JournalProof:
    """What was proven of one journal."""

    journal: str
    writer: str
    events: int
    anchored: bool
    completeness: str
    """`complete to receipt <seq>` or `tail unknown`."""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome; `problems` is empty exactly when everything held. Journals by name of the
    writer.
    """

    problems: tuple[Problem, ...]
    journals: tuple[JournalProof, ...]
    events: int
    plant: str | None
    """Fingerprint of the root key in the file (SHA-256, hex), None when it names none."""
    unanchored: tuple[str, ...]
    absent: tuple[str, ...]
    """Journals that the plant vouches for and of which the file holds nothing."""


@dataclass(slots=True)
class _Placed:
    """One event of the file; `ids` are the stated id and, where it differs, computed ones."""

    seq: int
    stated: EventId
    line: bytes
    ids: tuple[EventId, ...] = ()
    is_followed: bool = False
    """Whether another event of the file names this one as the one before it."""


@dataclass(slots=True)
class _Journal:
    """All that the file says of one journal."""

    events: dict[int, list[_Placed]] = field(default_factory=lambda: defaultdict(list))
    seals: list[SealFields] = field(default_factory=list)
    heads: list[HeadFields] = field(default_factory=list)
    receipts: list[ReceiptFields] = field(default_factory=list)


BRANCHES_MAX: Final = 100
"""Events of a file at one seq; each is tried behind each of the seq before."""
_IDS_TRIED_MAX: Final = 8
_PLANT_DIGITS_MIN: Final = 12


def plant_fingerprint(root: PublicKey) -> str:
    """The fingerprint people compare: SHA-256 of the root key's 32 bytes, hex."""
    return sha256(root.raw).hexdigest()


def prove_export(rows: Iterable[bytes], *, plant: str | None = None) -> Report:
    """Check a whole export.

    Args:
        rows: the lines of the file without line breaks, in any order.
        plant: the fingerprint the reader trusts, or its first 12 or more hex digits.

    Returns:
        Every problem found, in the order of the file's journals and events.
    """
    problems: list[Problem] = []
    journals: dict[JournalId, _Journal] = defaultdict(_Journal)
    root = _collect(rows, journals, problems)
    keys: dict[JournalId, PublicKey] = {}
    for journal, found in journals.items():
        problems += _chain_problems(journal, found)
        key = _own_key(journal, found, problems)
        if key is not None:
            keys[journal] = key
            problems += _signature_problems(journal, found, key)
    vouched, receipt_keys = _anchor(journals, keys, root, problems)
    for journal, found in journals.items():
        problems += _receipt_problems(journal, found, receipt_keys)
    anchored = {journal for journal, key in vouched.items() if keys.get(journal) == key}
    if plant is not None:
        problems += _plant_problems(root, plant)
        problems += map(_not_vouched_for, (j for j in keys if j not in anchored))
    absent = [j for j in vouched if j not in journals]
    return _report(problems, journals, anchored, absent, root)


def _collect(
    rows: Iterable[bytes], journals: dict[JournalId, _Journal], problems: list[Problem]
) -> PublicKey | None:
    root: PublicKey | None = None
    for number, raw in enumerate(rows, 1):
        try:
            row = read_row(raw)
            if isinstance(row, EventRow):
                _place_event(row, journals, problems)
            elif row.root is not None:
                stated = PublicKey(unb64(row.root, 32))
                if root not in (None, stated):
                    problems.append(Problem(f"Row {number} names a second plant root key."))
                root = root or stated
            else:
                _place_closing(row, journals)
        except (RowError, MalformedIdError) as error:
            problems.append(Problem(f"Row {number} of the file cannot be read: {_ended(error)}"))
    return root


def _ended(error: Exception) -> str:
    """Its words with one full stop."""
    return f"{str(error).rstrip('.')}."


def _place_event(
    row: EventRow, journals: dict[JournalId, _Journal], problems: list[Problem]
) -> None:
    journal, stated = parse_journal(row.journal), parse_event_id(row.event_id)
    if not 1 <= row.seq <= SEQ_MAX:
        raise RowError(f"the seq {row.seq} is outside 1..{SEQ_MAX}")
    line = unb64(row.line)
    if reading_of(journal, row.seq, stated, line) != row:
        problems.append(
            Problem(
                f"Event {row.journal}:{row.seq}: its readable fields differ from its line.",
                f"{row.journal}:{row.seq}",
            )
        )
    same_seq = journals[journal].events[row.seq]
    if any(other.stated == stated and other.line == line for other in same_seq):
        return
    if len(same_seq) == BRANCHES_MAX:
        raise RowError(f"{row.journal}:{row.seq} stands in the file {BRANCHES_MAX} times already")
    same_seq.append(_Placed(row.seq, stated, line))


def _place_closing(row: ClosingRow, journals: dict[JournalId, _Journal]) -> None:
    given = [part for part in (row.seal, row.head, row.receipt) if part is not None]
    if len(given) != 1:
        raise RowError("a closing row carries exactly one of root, seal, head, receipt")
    part = given[0]
    found = journals[parse_journal(part.journal)]
    if isinstance(part, SealFields):
        found.seals.append(part)
    elif isinstance(part, HeadFields):
        found.heads.append(part)
    else:
        found.receipts.append(part)


def _chain_problems(journal: JournalId, found: _Journal) -> Iterator[Problem]:
    """Link every event to the one it follows; what follows none of them was changed."""
    name = show_journal(journal)
    earlier = [_Placed(0, GENESIS, b"", (GENESIS,))]
    for seq in sorted(found.events):
        expected = earlier[0].seq + 1
        if seq != expected:
            missing = f"{name}:{expected}"
            upto = f" to {name}:{seq - 1}" if seq - 1 > expected else ""
            yield Problem(f"Event {missing}{upto} is missing from the file.", missing)
        for placed in found.events[seq]:
            if seq != expected:
                placed.ids, before = (placed.stated,), earlier
            else:
                before = _link(journal, placed, earlier)
            for one in before:
                one.is_followed = True
            if placed.ids[1:]:
                yield Problem(
                    f"Event {name}:{seq} was changed: its bytes give the id "
                    f"{placed.ids[1].hex()[:16]}…, the file states {placed.stated.hex()[:16]}….",
                    f"{name}:{seq}",
                )
        earlier = found.events[seq]


def _link(journal: JournalId, placed: _Placed, earlier: list[_Placed]) -> list[_Placed]:
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


def _own_key(journal: JournalId, found: _Journal, problems: list[Problem]) -> PublicKey | None:
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


def _signature_problems(journal: JournalId, found: _Journal, key: PublicKey) -> Iterator[Problem]:
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


def _seal_holds(journal: JournalId, found: _Journal, seal: SealFields, key: PublicKey) -> bool:
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
    journal: JournalId, found: _Journal, first: int, last: int, head: EventId
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


def _anchor(
    journals: dict[JournalId, _Journal],
    keys: dict[JournalId, PublicKey],
    root: PublicKey | None,
    problems: list[Problem],
) -> tuple[dict[JournalId, PublicKey], dict[JournalId, PublicKey]]:
    """The keys that the plant vouches for, by journal, and the receipt keys, by hub."""
    if root is None:
        return {}, {}
    vouched: dict[JournalId, PublicKey] = {}
    enrolled: list[tuple[JournalId, StationEnrolled, JournalId]] = []
    receipt_keys: dict[JournalId, PublicKey] = {}
    for journal, name, event in _key_events(journals):
        try:
            subject, key = parse_journal(event.journal), PublicKey(unb64(event.key, 32))
            if isinstance(event, StationEnrolled):
                enrolled.append((journal, event, subject))
                continue
            message = key_message(subject, key, purpose=event.purpose, name=event.name)
            if not root.verifies(KEY, message, unb64(event.sig, 64)):
                problems.append(Problem(f"Event {name} is not signed by the plant root key.", name))
                continue
        except (RowError, MalformedIdError) as error:
            problems.append(
                Problem(f"Event {name} publishes a key that cannot be read: {_ended(error)}", name)
            )
            continue
        if event.purpose == "receipt":
            receipt_keys[subject] = key
        elif event.purpose == "feed":
            vouched[subject] = key
    feeds = {journal for journal, key in vouched.items() if keys.get(journal) == key}
    for feed, event, subject in enrolled:
        if feed in feeds:  # a station's own word for another vouches for nothing
            vouched.setdefault(subject, PublicKey(unb64(event.key, 32)))
    return vouched, receipt_keys


def _key_events(
    journals: dict[JournalId, _Journal],
) -> Iterator[tuple[JournalId, str, KeyPublished | StationEnrolled]]:
    markers = (b'"t":"key.published"', b'"t":"station.enrolled"')
    for journal, found in journals.items():
        for seq, placed in found.events.items():
            for one in placed:
                if one.line[1:24].startswith(markers[0]) or one.line[1:27].startswith(markers[1]):
                    event = read_line(one.line)
                    if isinstance(event, EventLine) and isinstance(
                        event.b, (KeyPublished, StationEnrolled)
                    ):
                        yield journal, f"{show_journal(journal)}:{seq}", event.b


def _receipt_problems(
    journal: JournalId, found: _Journal, receipt_keys: Mapping[JournalId, PublicKey]
) -> Iterator[Problem]:
    name = show_journal(journal)
    for row in found.receipts:
        if not _receipt_holds(row, journal, receipt_keys):
            yield Problem(f"The receipt for {name} at {row.seq} is not signed by the hub's key.")
        elif not any(p.stated.hex() == row.head for p in found.events.get(row.seq, [])):
            yield Problem(
                f"The hub's receipt for {name} names event {row.seq} ({row.head[:16]}…), which "
                f"is not in the file; it ends at {max(found.events, default=0)}.",
                f"{name}:{row.seq}",
            )


def _receipt_holds(
    row: ReceiptFields, journal: JournalId, receipt_keys: Mapping[JournalId, PublicKey]
) -> bool:
    try:
        hub = parse_journal(row.hub)
        receipt = Receipt(
            hub,
            row.epoch,
            journal,
            row.seq,
            parse_event_id(row.head),
            row.durable_through,
            row.archived_through,
            unb64(row.sig, 64),
        )
        return hub in receipt_keys and receipt.is_signed_by(receipt_keys[hub])
    except (RowError, MalformedIdError, OverflowError):
        return False


def _plant_problems(root: PublicKey | None, plant: str) -> Iterator[Problem]:
    found = plant_fingerprint(root) if root else "a plant it does not name"
    if len(plant) < _PLANT_DIGITS_MIN:
        yield Problem(
            f"A plant is named by {_PLANT_DIGITS_MIN} or more digits of its fingerprint, "
            f"got {plant!r}."
        )
    elif not found.startswith(plant.lower()):
        shown = found[:_PLANT_DIGITS_MIN] if root else found
        yield Problem(f"Expected the plant {plant}, the file is of {shown}.")


def _not_vouched_for(journal: JournalId) -> Problem:
    name = show_journal(journal)
    return Problem(
        f"The plant's keys in the file vouch for no key of journal {name}: anyone may have "
        "written it.",
        f"{name}:1",
    )


def _report(
    problems: list[Problem],
    journals: dict[JournalId, _Journal],
    anchored: Collection[JournalId],
    absent: Iterable[JournalId],
    root: PublicKey | None,
) -> Report:
    proofs = []
    for journal, found in journals.items():
        receipt = max((row.seq for row in found.receipts), default=None)
        proofs.append(
            JournalProof(
                journal=show_journal(journal),
                writer=_writer(found),
                events=sum(len(placed) for placed in found.events.values()),
                anchored=journal in anchored,
                completeness=f"complete to receipt {receipt}" if receipt else "tail unknown",
            )
        )
    proofs.sort(key=lambda proof: (proof.writer, proof.journal))
    return Report(
        problems=tuple(problems),
        journals=tuple(proofs),
        events=sum(proof.events for proof in proofs),
        plant=plant_fingerprint(root) if root else None,
        unanchored=tuple(show_journal(j) for j in journals if j not in anchored),
        absent=tuple(map(show_journal, absent)),
    )


def _writer(found: _Journal) -> str:
    for placed in found.events.get(1, []):
        event = read_line(placed.line)
        if isinstance(event, EventLine) and isinstance(event.b, JournalOpened):
            return event.b.feed or event.b.writer
    return "?"
