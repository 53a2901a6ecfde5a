"""How a journal goes on in another: new id, new key, no blocks; the old events stay as another's.

1. The successor's key is on the disk, and its event 1 kept here, before any hub hears of it: a cut
   at any moment leads to the same successor.
2. The change itself is one transaction. The old events keep their bytes and the old key's
   signatures, so that whoever lacks some of them can be given them.
3. The old key signs nothing afterwards.

What makes it necessary is judged elsewhere (`sync.md` 3.6); what is remembered of it is in
`successors`.
"""

import json
import sqlite3
from typing import Final

from edge_agent.journal.blocks import read_blocks
from edge_agent.journal.branches import BRANCH_SHIFT, read_branches
from edge_agent.journal.genesis import first_head
from edge_agent.journal.holes import KEY as LOST
from edge_agent.journal.holes import lost_in
from edge_agent.journal.identity import Identity
from edge_agent.journal.left import CHECKPOINT, MARKS, brought_back
from edge_agent.journal.machine import KEY as MACHINE
from edge_agent.journal.mending import AUDITED
from edge_agent.journal.mending import KEY as DAMAGED
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.returning import HOLE
from edge_agent.journal.store import Store
from edge_agent.journal.successors import FORMER, PENDING, WANTED, former, wanted
from tally.events.decoding import read_lines
from tally.events.losses import NO_LINE
from tally.ledger.port import Batch
from tally.ledger.sqlite import SqliteLedger
from tally.records.ids import GENESIS, SEQ_MAX, show_journal
from tally.records.segment import PIECE_EVENTS_MAX, SEGMENT_BYTES_MAX

_OF_ONE_JOURNAL: Final = (
    "event", "pruned", "seal", "position", "block", "block_cursor", "block_given",
)  # fmt: skip
_FORGOTTEN: Final = (
    "suspect", "run", "witnesses", CHECKPOINT, MARKS, DAMAGED, LOST, AUDITED, PENDING, MACHINE,
)  # fmt: skip


def change_over(
    store: Store,
    ledger: SqliteLedger,
    old: Identity,
    new: Identity,
    line: bytes,
    state: bytes | None,
) -> None:
    """Let `new` take the place of `old` in this file, inside the caller's transaction.

    Args:
        store, ledger: of this file.
        old: whose events stand in it; its key signs once more, over what is open.
        new: whose event 1 is `line`.
        line: as the hub was shown it.
        state: the step state from now on.
    """
    connection = store.connection
    sizes = {one.scheme: one.count + one.given for one in read_blocks(connection) if not one.lender}
    store.put(WANTED, json.dumps(dict(wanted(connection)) | sizes))
    names = [*map(show_journal, former(connection)), show_journal(old.journal)]
    store.put(FORMER, json.dumps(names))
    _hand_over(connection, ledger, old)
    for table in (*_OF_ONE_JOURNAL, "borrowed"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608  (names of this module)
    connection.executemany("DELETE FROM meta WHERE key = ?", ((key,) for key in _FORGOTTEN))
    head = first_head(new, line)
    connection.execute("INSERT INTO event VALUES (1, ?, ?)", (head.event_id, line))
    connection.execute(
        "INSERT INTO position VALUES (1, 1, ?, ?, ?)", (head.event_id, head.signature, state)
    )
    ledger.absorb(Batch(new.journal, 1, GENESIS, [head.event_id], read_lines([line])))


def _hand_over(connection: sqlite3.Connection, ledger: SqliteLedger, old: Identity) -> None:
    """The own events become a branch of a journal like others, with the signatures over it.

    Those that were pruned come back from the ledger's copies: another's journal has no gaps.
    """
    number = 1 + max((one.branch for one in read_branches(connection)), default=0)
    base = number << BRANCH_SHIFT
    proofs = _proofs(connection, old)
    seq, event_id = connection.execute("SELECT seq, id FROM position").fetchone()
    connection.execute(
        "INSERT INTO branch VALUES (?, ?, NULL, 1, ?, ?, ?)",
        (number, old.journal, seq, event_id, proofs.get(seq)),
    )
    connection.execute("INSERT INTO foreign_event SELECT ? | seq, id, line FROM event", (base,))
    connection.executemany(
        "UPDATE foreign_event SET line = ? WHERE place = ?",
        ((NO_LINE, base | seq) for seq in lost_in(connection)),
    )
    connection.executemany(
        "INSERT INTO foreign_event VALUES (?, ?, ?)",
        ((base | seq, named, line) for seq, named, line in brought_back(connection, ledger, old)),
    )
    connection.executemany(
        "INSERT OR REPLACE INTO proof VALUES (?, ?)",
        ((base | last, header) for last, header in proofs.items()),
    )
    connection.execute(
        "INSERT OR IGNORE INTO known_key VALUES (?, ?, 'station', ?, '')",
        (old.journal, old.key.public.raw, old.station),
    )


def _proofs(connection: sqlite3.Connection, old: Identity) -> dict[int, bytes]:
    """Headers by the seq of the last event they cover: every seal, then heads over the rest."""
    own = OutgoingJournal(lambda: connection, old, tuple)
    found: dict[int, bytes] = {}
    at, damaged, lost = 0, own.damaged(), own.lost()
    sound = min(damaged, default=SEQ_MAX)
    while (seal := own.seal_after(at)) is not None and seal.last < sound:
        at, found[seal.last] = seal.last, seal.header
    while at < own.head().seq:
        piece = own.piece_after(at, PIECE_EVENTS_MAX, SEGMENT_BYTES_MAX)
        if piece is not None and piece.last in lost:
            at, found[piece.last] = piece.last, HOLE + piece.data
        elif piece is not None:
            at, found[piece.last] = piece.last, piece.data.split(b"\n", 1)[0]
        elif at + 1 in damaged:  # held elsewhere; what follows it is signed from there on
            at += 1
        else:
            break
    return found
