"""Whose keys an export may be judged by: the plant's root, its feeds, its stations, the hub.

Feed and receipt keys are signed by the root; keys of stations stand in vouched feeds only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Final

from tally.events.decoding import EventLine, read_line
from tally.events.types import KeyPublished, StationEnrolled
from tally.proof.placing import FiledJournal, Problem, ended
from tally.records.export import (
    ReceiptFields,
    RowError,
    unb64,
)
from tally.records.ids import (
    JournalId,
    MalformedIdError,
    parse_event_id,
    parse_journal,
    show_journal,
)
from tally.records.signing import (
    KEY,
    PublicKey,
    Receipt,
    key_message,
)

_PLANT_DIGITS_MIN: Final = 12


def plant_fingerprint(root: PublicKey) -> str:
    """The fingerprint people compare: SHA-256 of the root key's 32 bytes, hex."""
    return sha256(root.raw).hexdigest()


def anchored_keys(
    journals: dict[JournalId, FiledJournal],
    keys: dict[JournalId, PublicKey],
    root: PublicKey | None,
    problems: list[Problem],
) -> tuple[dict[JournalId, PublicKey], dict[JournalId, list[PublicKey]]]:
    """The keys that the plant vouches for, by journal, and the receipt keys, by hub: a hub that
    changed its keys had several.
    """
    if root is None:
        return {}, {}
    vouched: dict[JournalId, PublicKey] = {}
    enrolled: list[tuple[JournalId, StationEnrolled, JournalId]] = []
    receipt_keys: dict[JournalId, list[PublicKey]] = {}
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
                Problem(f"Event {name} publishes a key that cannot be read: {ended(error)}", name)
            )
            continue
        if event.purpose == "receipt":
            receipt_keys.setdefault(subject, []).append(key)
        elif event.purpose == "feed":
            vouched[subject] = key
    feeds = {journal for journal, key in vouched.items() if keys.get(journal) == key}
    for feed, event, subject in enrolled:
        if feed in feeds:  # a station's own word for another vouches for nothing
            vouched.setdefault(subject, PublicKey(unb64(event.key, 32)))
    return vouched, receipt_keys


def _key_events(
    journals: dict[JournalId, FiledJournal],
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


def receipt_problems(
    journal: JournalId, found: FiledJournal, receipt_keys: Mapping[JournalId, Sequence[PublicKey]]
) -> Iterator[Problem]:
    """Receipts that their hub did not sign, or that name events which the file lacks."""
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
    row: ReceiptFields, journal: JournalId, receipt_keys: Mapping[JournalId, Sequence[PublicKey]]
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
        return any(receipt.is_signed_by(key) for key in receipt_keys.get(hub, ()))
    except (RowError, MalformedIdError, OverflowError):
        return False


def plant_problems(root: PublicKey | None, plant: str) -> Iterator[Problem]:
    """Whether the file is of the plant that the reader trusts."""
    found = plant_fingerprint(root) if root else "a plant it does not name"
    if len(plant) < _PLANT_DIGITS_MIN:
        yield Problem(
            f"A plant is named by {_PLANT_DIGITS_MIN} or more digits of its fingerprint, "
            f"got {plant!r}."
        )
    elif not found.startswith(plant.lower()):
        shown = found[:_PLANT_DIGITS_MIN] if root else found
        yield Problem(f"Expected the plant {plant}, the file is of {shown}.")


def not_vouched_for(journal: JournalId) -> Problem:
    """A journal that claims a key of which the plant says nothing."""
    name = show_journal(journal)
    return Problem(
        f"The plant's keys in the file vouch for no key of journal {name}: anyone may have "
        "written it.",
        f"{name}:1",
    )
