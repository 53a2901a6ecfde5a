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
6. Events may be missing beyond the receipt, where the file names the id that others follow: the hub
had not got them yet. How many is said.
7. Events may be missing anywhere, where their writer's own later event names their ids and the one
before them, and the chain behind follows those: they are lost. Each is named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from tally.events.decoding import EventLine, read_line
from tally.events.types import JournalOpened
from tally.proof.anchors import (
    anchored_keys,
    not_vouched_for,
    plant_fingerprint,
    plant_problems,
    receipt_problems,
)
from tally.proof.chains import chain_problems, missing_events, own_key, signature_problems
from tally.proof.endings import end_problems
from tally.proof.lost import LostEvent, lost_events
from tally.proof.placing import FiledJournal, Problem, collect
from tally.proof.withdrawn import MARKER, Withdrawn, withdrawn
from tally.records.ids import (
    JournalId,
    show_journal,
)
from tally.records.signing import (
    PublicKey,
)


@dataclass(frozen=True, slots=True)
class JournalProof:
    """What was proven of one journal."""

    journal: str
    writer: str
    events: int
    anchored: bool
    completeness: str
    """`complete to receipt <seq>`, also with how many are lost before or missing behind it, or
    `tail unknown`.
    """


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
    untrusted: tuple[Withdrawn, ...] = ()
    lost: tuple[LostEvent, ...] = ()


def prove_export(rows: Iterable[bytes], *, plant: str | None = None) -> Report:
    """Check a whole export.

    Args:
        rows: the lines of the file without line breaks, in any order.
        plant: the fingerprint the reader trusts, or its first 12 or more hex digits.

    Returns:
        Every problem found, in the order of the file's journals and events.
    """
    problems: list[Problem] = []
    journals: dict[JournalId, FiledJournal] = defaultdict(FiledJournal)
    root = collect(rows, journals, problems)
    keys: dict[JournalId, PublicKey] = {}
    for journal, found in journals.items():
        problems += chain_problems(journal, found)
        key = own_key(journal, found, problems)
        if key is not None:
            keys[journal] = key
            problems += signature_problems(journal, found, key)
    vouched, receipt_keys = anchored_keys(journals, keys, root, problems)
    for journal, found in journals.items():
        problems += receipt_problems(journal, found, receipt_keys)
    problems += end_problems(journals, root)
    anchored = {journal for journal, key in vouched.items() if keys.get(journal) == key}
    if plant is not None:
        problems += plant_problems(root, plant)
        problems += map(not_vouched_for, (j for j in keys if j not in anchored))
    absent = [j for j in vouched if j not in journals]
    return _report(problems, journals, anchored, absent, root)


def _report(
    problems: list[Problem],
    journals: dict[JournalId, FiledJournal],
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
                completeness=_completeness(receipt, missing_events(found), len(found.lost)),
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
        untrusted=withdrawn(_revocations(journals, anchored, root), map(show_journal, journals)),
        lost=tuple(one for item in journals.items() for one in _lost(*item)),
    )


def _lost(journal: JournalId, found: FiledJournal) -> tuple[LostEvent, ...]:
    lines = ((one.seq, one.line) for same_seq in found.events.values() for one in same_seq)
    return lost_events(show_journal(journal), _writer(found), lines, found.lost)


def _revocations(
    journals: dict[JournalId, FiledJournal],
    anchored: Collection[JournalId],
    root: PublicKey | None,
) -> Iterator[EventLine]:
    """Events of feeds that take a key back; of anchored feeds where the file names the root."""
    for journal, found in journals.items():
        if (root is None or journal in anchored) and _is_feed(found):
            for placed in (one for same_seq in found.events.values() for one in same_seq):
                event = read_line(placed.line) if placed.line.startswith(MARKER) else None
                if isinstance(event, EventLine):
                    yield event


def _is_feed(found: FiledJournal) -> bool:
    opened = (read_line(placed.line) for placed in found.events.get(1, []))
    bodies = (event.b for event in opened if isinstance(event, EventLine))
    return any(isinstance(body, JournalOpened) and body.role == "feed" for body in bodies)


def _completeness(receipt: int | None, missing: int, lost: int) -> str:
    if not receipt:
        return "tail unknown"
    events = "event" if lost == 1 else "events"
    without = f" but for {lost} lost {events}" if lost else ""
    behind = f", then {missing} missing" if missing else ""
    return f"complete to receipt {receipt}{without}{behind}"


def _writer(found: FiledJournal) -> str:
    for placed in found.events.get(1, []):
        event = read_line(placed.line)
        if isinstance(event, EventLine) and isinstance(event.b, JournalOpened):
            return event.b.feed or event.b.writer
    return "?"
