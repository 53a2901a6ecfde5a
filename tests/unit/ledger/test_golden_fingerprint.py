"""What the golden journals mean does not change either."""

import sqlite3
from pathlib import Path

from tally.ledger.sqlite import rebuild
from tests.support.shuffling import batches_of

GOLDEN = Path(__file__).parents[2] / "golden"


def test_golden_journals_have_the_fingerprint_of_ruleset_1():
    ledger = rebuild(batches_of(GOLDEN / "journal-v1.jsonl"), sqlite3.connect(":memory:"))
    found = ledger.fingerprint()
    assert ledger.uninterpreted() == 0
    assert f"{found.hex64}\n" == (GOLDEN / "fingerprint-v1.txt").read_text(), (
        "The meaning of version 1 changed: a claim, a retirement, a decision or a finding of the "
        "golden journals is another one. Stations in the field would disagree with the hub. A "
        "changed rule is a new ruleset, named in the fingerprint; then this file gets a successor."
    )
