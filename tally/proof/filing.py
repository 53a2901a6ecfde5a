"""The listed rows of a certificate, read and sorted.

What cannot be read is a problem of its row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from tally.events.decoding import EventLine, read_line
from tally.events.types import Body
from tally.proof.placing import Problem, ended
from tally.records.certificate import (
    ChainFields,
    ChainRow,
    Contents,
    ProvenRow,
    WitnessRow,
    name_of,
    read_row,
)
from tally.records.chain import event_id as make_event_id
from tally.records.chain import line_hash
from tally.records.export import (
    HeadFields,
    ReceiptFields,
    RowError,
    SealFields,
    reading_of,
    unb64,
)
from tally.records.ids import (
    SEQ_MAX,
    EventId,
    JournalId,
    MalformedIdError,
    parse_event_id,
    parse_journal,
)
from tally.records.signing import PublicKey

WRONG: Final = (RowError, MalformedIdError)
"""What bytes from outside raise."""


@dataclass(slots=True)
class CertifiedLine:
    """An event of the file; `id` follows from its line, whatever the row states."""

    name: str
    journal: JournalId
    seq: int
    id: EventId
    path: tuple[str, ...] | None
    read: EventLine | None

    @property
    def body(self) -> Body | None:
        """What the event says; None if this version cannot interpret it."""
        return self.read.b if self.read else None


@dataclass(slots=True)
class CertificateFile:
    """The rows of a file, sorted; and the keys that were found good."""

    contents: Contents
    root: PublicKey
    problems: list[Problem]
    events: list[CertifiedLine] = field(default_factory=list)
    seals: list[SealFields] = field(default_factory=list)
    chains: list[ChainFields] = field(default_factory=list)
    receipts: list[ReceiptFields] = field(default_factory=list)
    heads: list[HeadFields] = field(default_factory=list)
    witnesses: list[WitnessRow] = field(default_factory=list)
    keys: dict[JournalId, PublicKey] = field(default_factory=dict)
    stations: dict[JournalId, str] = field(default_factory=dict)
    hubs: dict[JournalId, PublicKey] = field(default_factory=dict)
    feeds: set[JournalId] = field(default_factory=set)
    under_heads: set[tuple[JournalId, int, EventId]] = field(default_factory=set)
    ends: set[tuple[JournalId, int, EventId]] = field(default_factory=set)
    """Events that a writer signed as its newest: of heads, chains and seals."""
    under_seals: dict[JournalId, set[tuple[int, int, bytes]]] = field(
        default_factory=lambda: defaultdict(set)
    )


def sort_rows(file: CertificateFile, rows: Sequence[bytes]) -> None:
    """Read the listed rows; of others it was said that they do not belong here."""
    listed = {digest: name for name, digest in file.contents.rows}
    for number, raw in enumerate(rows, 2):
        name = listed.get(sha256(raw).hexdigest())
        if name is None:
            continue
        try:
            row = read_row(raw)
            if name_of(row) != name:
                raise RowError(f"the list of contents calls it {name[:80]!r}")
            if isinstance(row, ProvenRow):
                file.events.append(_line_of(row))
            elif isinstance(row, ChainRow):
                file.chains.append(row.chain)
            elif isinstance(row, WitnessRow):
                file.witnesses.append(row)
            elif row.head is not None:
                file.heads.append(row.head)
            elif row.seal is not None:
                file.seals.append(row.seal)
            elif row.receipt is not None:
                file.receipts.append(row.receipt)
        except WRONG as error:
            file.problems.append(Problem(f"Row {number} cannot be read: {ended(error)}"))


def _line_of(row: ProvenRow) -> CertifiedLine:
    shown = row.event
    journal, line = parse_journal(shown.journal), unb64(shown.line)
    if not 1 <= shown.seq <= SEQ_MAX:
        raise RowError(f"the seq {shown.seq} is outside 1..{SEQ_MAX}")
    found = make_event_id(journal, shown.seq, parse_event_id(row.before), line_hash(line))
    if reading_of(journal, shown.seq, found, line) != shown:
        raise RowError(f"event {shown.journal}:{shown.seq}: id or fields differ from its line")
    read = read_line(line)
    event = read if isinstance(read, EventLine) else None
    return CertifiedLine(name_of(row), journal, shown.seq, found, row.path, event)
