"""Codes given back and lent: what a journal may use is a function of the set, in any order."""

import sqlite3
from itertools import permutations

import msgspec
import pytest

from tally.events import types as t
from tally.ledger.sqlite import SqliteLedger
from tally.records.ids import show_journal
from tests.support.building import SCHEMES, Writing, board, feed, leased


@pytest.fixture
def lender():
    return Writing("S01")


@pytest.fixture
def borrower():
    return Writing("S02")


@pytest.fixture
def leases(lender):
    found = feed("leases")
    found.add(leased("B-01", "pcb-l@1", 100, 100, lender))
    return found


def used(writing, counter, *seen, block="B-01"):
    writing.add(t.CodeReserved(board(counter), "pcb-l@1", block, counter), seen=seen)


def lend(lender, leases, start, count, to):
    body = t.BlockLent("B-01", "pcb-l@1", start, count, show_journal(to.id), to.name)
    lender.add(body, seen=[leases.ref(2)])
    return lender.ref(lender.seq)


def give_back(lender, leases, start, count):
    lender.add(t.BlockReturned("B-01", "pcb-l@1", start, count, "done"), seen=[leases.ref(2)])


def found_in_any_order(*writers):
    """The subjects of findings; the same whatever arrives first, event by event."""
    answers, prints = set(), set()
    orders = [
        [w.batch(seq, seq) for w in some for seq in range(1, w.seq + 1)]
        for some in permutations(writers)
    ]
    for order in (*orders, orders[0][::-1]):
        ledger = SqliteLedger(sqlite3.connect(":memory:"))
        ledger.create()
        ledger.learn(SCHEMES)
        for batch in order:
            ledger.absorb(batch)
        findings = ledger.findings()
        assert {finding.code for finding in findings} <= {"outside-block"}
        answers.add(tuple(finding.subject for finding in findings))
        prints.add(ledger.fingerprint().hex64)
    [answer], [_] = answers, prints
    return list(answer)


def test_a_code_that_was_given_back_and_used_all_the_same_is_found(lender, leases):
    used(lender, 100, leases.ref(2))
    give_back(lender, leases, 150, 50)
    used(lender, 150, leases.ref(2))
    used(lender, 149, leases.ref(2))
    assert found_in_any_order(lender, leases) == [board(150)]


def test_what_was_used_before_it_was_given_back_is_found(lender, leases):
    used(lender, 160, leases.ref(2))
    give_back(lender, leases, 150, 50)
    assert found_in_any_order(lender, leases) == [board(160)]


def test_a_borrower_uses_what_it_was_lent_and_nothing_else(lender, borrower, leases):
    loan = lend(lender, leases, 180, 20, borrower)
    used(borrower, 180, loan, block="B-01+180")
    used(borrower, 199, loan, block="B-01+180")
    used(borrower, 179, loan, block="B-01+180")
    assert found_in_any_order(lender, borrower, leases) == [board(179)]


def test_a_lender_that_uses_what_it_lent_is_found(lender, borrower, leases):
    lend(lender, leases, 180, 20, borrower)
    used(lender, 185, leases.ref(2))
    used(lender, 110, leases.ref(2))
    assert found_in_any_order(lender, borrower, leases) == [board(185)]


def test_a_loan_covers_only_what_one_grant_to_the_lender_holds(lender, borrower, leases):
    loan = lend(lender, leases, 190, 20, borrower)
    used(borrower, 195, loan, block="B-01+190")
    assert found_in_any_order(lender, borrower, leases) == [board(195)]


def test_a_loan_whose_grant_has_not_arrived_is_pending(lender, borrower, leases):
    loan = lend(lender, leases, 180, 20, borrower)
    used(borrower, 180, loan, block="B-01+180")
    assert found_in_any_order(lender, borrower) == []


def test_a_loan_that_has_not_arrived_is_pending(lender, borrower, leases):
    loan = lend(lender, leases, 180, 20, borrower)
    used(borrower, 180, loan, block="B-01+180")
    assert found_in_any_order(borrower, leases) == []


def test_a_borrowed_range_cannot_be_lent_on(lender, borrower, leases):
    third = Writing("S04")
    loan = lend(lender, leases, 180, 20, borrower)
    body = t.BlockLent("B-01+180", "pcb-l@1", 190, 10, show_journal(third.id), third.name)
    borrower.add(body, seen=[loan])
    used(third, 190, borrower.ref(borrower.seq), block="B-01+180+190")
    assert found_in_any_order(lender, borrower, third, leases) == [board(190)]


def test_the_same_counter_of_another_period_was_not_given_back(lender, leases):
    """A counter that starts again each week: the block of one week ends, that of the next not."""
    weeks = {"2026-11-16": "BL2-2647-", "2026-11-23": "BL2-2648-"}
    for number, week in enumerate(weeks):
        grant = leased(f"W-{number}", "bl2@1", 0, 100, lender)
        leases.add(msgspec.structs.replace(grant, period=week))
    for head in weeks.values():
        lender.add(t.CodeReserved(f"{head}000050", "bl2@1", "W", 50), seen=[leases.ref(leases.seq)])
    lender.add(t.BlockReturned("W-0", "bl2@1", 40, 60, "done", "2026-11-18"))
    assert found_in_any_order(lender, leases) == ["BL2-2647-000050"]


@pytest.mark.parametrize("period", [None, "no day", "1999-01-01"])
def test_a_period_that_cannot_be_read_tells_nothing_apart(lender, leases, period):
    leases.add(msgspec.structs.replace(leased("W", "bl2@1", 0, 100, lender), period="2026-11-16"))
    lender.add(t.CodeReserved("BL2-2647-000050", "bl2@1", "W", 50), seen=[leases.ref(leases.seq)])
    lender.add(t.BlockReturned("W", "bl2@1", 40, 60, "done", period))
    is_found = period != "1999-01-01"  # that is a day: of another period
    assert found_in_any_order(lender, leases) == (["BL2-2647-000050"] if is_found else [])
