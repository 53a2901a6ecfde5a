"""How far each journal of a certificate goes, and who signed that: its writer, the hub, neighbours.

A neighbour's witness names an event that it held. When the file ends before that event, or proves
another one in its place, the end was cut or written anew, whoever did it and whoever signed the
list: so a hub cannot cut what a neighbour saw. A witness whose signature does not hold is said and
counts for nothing; so does one whose key the plant took back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from tally.proof.filing import WRONG, CertificateFile
from tally.proof.placing import Problem, ended
from tally.proof.signers import leads_to, signed_at
from tally.records.certificate import WitnessRow
from tally.records.export import ReceiptFields, unb64
from tally.records.ids import (
    GENESIS,
    EventId,
    JournalId,
    MalformedIdError,
    parse_event_id,
    parse_journal,
    show_journal,
)
from tally.records.witness import Witness


@dataclass(frozen=True, slots=True)
class Stand:
    """One journal of the file. `seq`: its newest event by the hub's receipt.

    `is_signed`: the file holds the writer's own signature over that event. `witnesses`: neighbours
    that held the journal, and to which event; `taken_back`: those whose key does not count.
    """

    journal: str
    station: str
    seq: int
    is_signed: bool
    witnesses: tuple[tuple[str, int], ...] = ()
    taken_back: tuple[str, ...] = ()

    def __str__(self) -> str:
        """For people."""
        signed = f"signed by {self.station}, " if self.is_signed else ""
        held = ", ".join(f"{name} (to {seq})" for name, seq in self.witnesses)
        words = f"{self.station} to event {self.seq}: {signed}receipt of the hub, "
        words += f"witnessed by {held}" if held else "no neighbour's witness"
        if self.taken_back:
            words += f"; not counted: {', '.join(self.taken_back)}, whose key was taken back"
        return words


def stands(
    file: CertificateFile, taken_back: Collection[str]
) -> tuple[tuple[Stand, ...], tuple[Problem, ...]]:
    """Every journal of which the file has a receipt, and what its witnesses do not fit to.

    Args:
        file: with its keys and what they signed.
        taken_back: journals, as shown, whose key the plant took back.
    """
    ends = _ends(file.receipts)
    problems = list(_head_problems(file, ends))
    found: dict[JournalId, list[Witness]] = {}
    for row in file.witnesses:
        try:
            witness = _read(row)
        except WRONG as error:
            problems.append(Problem(f"A witness cannot be read: {ended(error)}"))
            continue
        problem = _untrue(file, witness)
        if problem is None and row.witness.witness not in taken_back:
            problem = _unfit(file, row, witness, ends.get(witness.journal))
        if problem is None:
            found.setdefault(witness.journal, []).append(witness)
        else:
            problems.append(problem)
    told = tuple(
        _stand(file, journal, end, found.get(journal, []), taken_back)
        for journal, end in ends.items()
    )
    return tuple(sorted(told, key=lambda one: (one.station, one.journal))), tuple(problems)


def _ends(receipts: list[ReceiptFields]) -> dict[JournalId, tuple[int, EventId]]:
    """Where each journal ends by the hub's receipt; by several, where the shortest does."""
    found: dict[JournalId, tuple[int, EventId]] = {}
    for row in receipts:
        with suppress(MalformedIdError):  # said where receipts are judged
            journal, end = parse_journal(row.journal), (row.seq, parse_event_id(row.head))
            found[journal] = min(found.get(journal, end), end)
    return found


def _head_problems(
    file: CertificateFile, ends: Mapping[JournalId, tuple[int, EventId]]
) -> Iterator[Problem]:
    """Heads that their writer did not sign, or that the receipt ends before."""
    for row in file.heads:
        named = f"{row.journal[:26]}:{row.seq}"
        at = signed_at(file, row)
        if at is None:
            yield Problem(f"The head {named} is not signed by the key of its journal.", named)
            continue
        journal, seq, head = at
        last, end = ends.get(journal, (0, GENESIS))
        if seq > last or (seq == last and head != end):
            yield Problem(
                f"{_name(file, journal)} signed its event {seq} ({head.hex()[:16]}…) as its "
                f"newest; the hub's receipt in the file ends at {last}, or with another event.",
                named,
            )


def _read(row: WitnessRow) -> Witness:
    said = row.witness
    return Witness(
        parse_journal(said.witness),
        parse_journal(said.journal),
        said.seq,
        parse_event_id(said.head),
        unb64(said.sig, 64),
    )


def _untrue(file: CertificateFile, witness: Witness) -> Problem | None:
    """A witness that nobody of the plant signed, or nobody else than the writer."""
    key = file.keys.get(witness.witness)
    is_other = _name(file, witness.witness) != _name(file, witness.journal)
    is_other = is_other and witness.witness not in file.feeds
    try:
        holds = key is not None and is_other and witness.is_signed_by(key)
    except OverflowError:
        holds = False
    if holds:
        return None
    who = show_journal(witness.witness)
    return Problem(
        f"The witness of {file.stations.get(witness.witness, who)} for "
        f"{_name(file, witness.journal)} at {witness.seq} is not signed by a neighbour's key that "
        f"the file registers: it counts for nothing."
    )


def _unfit(
    file: CertificateFile, row: WitnessRow, witness: Witness, end: tuple[int, EventId] | None
) -> Problem | None:
    """A witness whose event the file neither has nor has room for."""
    by, of = _name(file, witness.witness), _name(file, witness.journal)
    named = f"{show_journal(witness.journal)}:{witness.seq}"
    if end is None:
        words = f"{by} witnessed journal {of}, for which the file has no receipt."
        return Problem(words, named)
    seq, head = end
    if witness.seq > seq:
        return Problem(
            f"{by} signed that it held {of} to event {witness.seq} "
            f"({witness.event_id.hex()[:16]}…); in this file {of} ends at {seq}. Its end was cut, "
            f"or had not reached the hub when the file was made.",
            named,
        )
    if witness.seq == seq:
        fits = witness.event_id == head
    else:
        at = (witness.journal, witness.seq, witness.event_id)
        fits = at in file.under_heads or any(
            leads_to(witness.seq, witness.event_id, row.path, *seal)
            for seal in file.under_seals.get(witness.journal, ())
        )
    if fits:
        return None
    return Problem(
        f"{by} signed that it held event {witness.seq} of {of} as "
        f"{witness.event_id.hex()[:16]}…, which is not proven to be in the history that the file "
        f"shows: {of} was written anew, or has two histories.",
        named,
    )


def _stand(
    file: CertificateFile,
    journal: JournalId,
    end: tuple[int, EventId],
    held: list[Witness],
    taken_back: Collection[str],
) -> Stand:
    counted = [one for one in held if show_journal(one.witness) not in taken_back]
    return Stand(
        journal=show_journal(journal),
        station=_name(file, journal),
        seq=end[0],
        is_signed=(journal, *end) in file.ends,
        witnesses=tuple(sorted((_name(file, one.witness), one.seq) for one in counted)),
        taken_back=tuple(sorted(_name(file, one.witness) for one in held if one not in counted)),
    )


def _name(file: CertificateFile, journal: JournalId) -> str:
    return file.stations.get(journal, show_journal(journal))
