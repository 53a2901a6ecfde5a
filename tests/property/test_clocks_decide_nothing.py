"""Wrong clocks change what is shown beside an event, never what the events mean together."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tally.merge.keys import join_parts
from tests.support.ledgers import a_ledger
from tests.support.worlds import World, take

SIX_MINUTES = 6 * 60 * 1000
TEN_YEARS = 10 * 365 * 86400 * 1000
WRONG = st.integers(-TEN_YEARS, TEN_YEARS)


def meaning(world):
    """Live claims and cases, events named by journal and seq: ids follow from the clocks too."""
    ledger, known = a_ledger(), set()
    for writer in world.all_writers():
        take(ledger, known, writer.batch())
    live = [
        (view.kind, join_parts(view.key), view.value_name, view.place.journal, view.place.seq)
        for view in ledger.every_claim()
        if view.is_live
    ]
    return sorted(live), {case.key: (case.status, case.held) for case in ledger.cases()}


@settings(max_examples=150)
@given(st.integers(0, 2**32), st.tuples(WRONG, WRONG, WRONG))
@example(seed=11, wrong_ms=(SIX_MINUTES, -SIX_MINUTES, 0))
def test_stations_whose_clocks_are_wrong_make_the_same_claims_and_the_same_cases(seed, wrong_ms):
    assert meaning(World(seed, wrong_ms=wrong_ms)) == meaning(World(seed))
