"""Making the ledger again from the stored events, and holding the two against each other.

The ledger is a cache (`model.md` 2): rebuilt from nothing it must be equal to what was kept up
event by event. A difference is a bug of ours, and `check` says where it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from hub.services import journals, refreshing
from hub.services.office import Office
from hub.store.port import Journal
from tally.events.decoding import read_lines
from tally.ledger.port import Batch
from tally.ledger.sqlite import SqliteLedger
from tally.ledger.taking import NotTaken

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The kept ledger against a rebuilt one; equal when `differences` is empty."""

    fingerprint: str
    rebuilt: str
    events: int
    differences: tuple[str, ...]


def rebuild(office: Office, progress: Progress | None = None) -> Comparison:
    """Replace the ledger by one made from the events, in one transaction.

    The comparison says what the replaced one had been.
    """
    with office.store.transaction():
        kept = _summary(office.store.ledger)
        office.store.forget_projection()
        keep = partial(journals.note, office.store)
        events = _absorb_all(office, office.store.ledger, progress, keep)
        made = _summary(office.store.ledger)
        refreshing.note_made(office)
    return _compare(kept, made, events)


def check(office: Office, progress: Progress | None = None) -> Comparison:
    """Compare only: the second ledger lives in memory and is thrown away."""
    with office.store.reading(), office.store.fresh_ledger() as ledger:
        events = _absorb_all(office, ledger, progress)
        return _compare(_summary(office.store.ledger), _summary(ledger), events)


def _absorb_all(
    office: Office,
    ledger: SqliteLedger,
    progress: Progress | None,
    note: Callable[[Journal, Sequence[NotTaken]], None] = lambda _, __: None,
) -> int:
    total = 0
    for journal in office.store.journals():
        for first, before, ids, lines, _ in journals.runs(office.store, journal):
            note(journal, ledger.take(Batch(journal.id, first, before, ids, read_lines(lines))))
            total += len(ids)
            if progress is not None:
                progress(len(ids))
    return total


def _summary(ledger: SqliteLedger) -> tuple[str, frozenset[str], frozenset[str], int]:
    cases = frozenset(f"case {case.id} {case.status}" for case in ledger.cases())
    findings = frozenset(f"finding {f.code} {f.subject} {f.ref}" for f in ledger.findings())
    return ledger.fingerprint().hex64, cases, findings, ledger.uninterpreted()


def _compare(
    kept: tuple[str, frozenset[str], frozenset[str], int],
    made: tuple[str, frozenset[str], frozenset[str], int],
    events: int,
) -> Comparison:
    differences = [f"only kept: {one}" for one in sorted((kept[1] | kept[2]) - made[1] - made[2])]
    differences += [f"only rebuilt: {o}" for o in sorted((made[1] | made[2]) - kept[1] - kept[2])]
    if kept[3] != made[3]:
        differences.append(f"uninterpreted events: kept {kept[3]}, rebuilt {made[3]}")
    if kept[0] != made[0]:
        differences.append(f"fingerprint: kept {kept[0]}, rebuilt {made[0]}")
    return Comparison(kept[0], made[0], events, tuple(differences))
