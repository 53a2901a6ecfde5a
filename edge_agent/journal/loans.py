"""Loans between two stations as their neighbours' exchange reads them; read-only, any thread.

Which loan is meant needs no memory of requests (decision 0171): the borrower says how many loans of
this lender it has taken, and one that is more than that still waits for it.
"""

import sqlite3

from edge_agent.journal.blocks import read_blocks
from edge_agent.journal.giving import lendable
from tally.ledger.sqlite import SqliteLedger
from tally.merge.blocks import Loan
from tally.records.ids import JournalId, parse_ref, show_journal


def loans_between(
    ledger: SqliteLedger, lender: JournalId, borrower: JournalId, scheme: str
) -> list[Loan]:
    """What one lent to the other, oldest first."""
    found = [
        loan
        for loan in ledger.loans_to(borrower)
        if loan.lender == lender and loan.body.scheme == scheme
    ]
    return sorted(found, key=lambda loan: parse_ref(loan.ref).seq)


def newest_loan(ledger: SqliteLedger, lender: JournalId, station: str = "") -> Loan | None:
    """What one lent last, to the station of this name if one is given; None: nothing."""
    found = [one for one in ledger.loans_of(lender) if station in {"", one.body.station}]
    return max(found, key=lambda loan: parse_ref(loan.ref).seq, default=None)


def waiting_loan(
    connection: sqlite3.Connection, lender: JournalId, borrower: JournalId, scheme: str, taken: int
) -> int | None:
    """The seq of the first loan of this journal that the borrower has not taken; None: none."""
    loans = loans_between(SqliteLedger(connection), lender, borrower, scheme)
    return parse_ref(loans[taken].ref).seq if taken < len(loans) else None


def taken_from(connection: sqlite3.Connection, lender: JournalId, scheme: str) -> int:
    """How many loans of this lender were taken here."""
    begin = f"{show_journal(lender)}:"
    blocks = read_blocks(connection)
    return sum(one.scheme == scheme and one.ref.startswith(begin) for one in blocks)


def can_spare(connection: sqlite3.Connection, scheme: str) -> bool:
    """Whether a block here has codes that may be lent: at least two, of which half may go."""
    held = lendable(read_blocks(connection), (scheme,))
    return held is not None and held.left > 1
