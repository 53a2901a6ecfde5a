"""Which of several histories of a forked journal an event stands on, and how that is said."""

from itertools import permutations

import pytest

from tally.events import types as t
from tally.merge.history import Placed
from tally.trace import as_lines, as_plain, trace
from tally.trace.histories import Histories, OneHistory
from tally.trace.life import life
from tests.support.building import Writing, board, bound, lamp
from tests.support.ledgers import a_ledger


class Three:
    """S03 and two copies: `one` and `two` part after event 3, `three` from `two` after event 4."""

    def __init__(self):
        self.one = Writing("S03")
        self.one.add(t.UnitCommissioned(lamp(401), "BL-2@4"))
        self.one.add(bound(board(1), lamp(401)))
        self.two = self.one.fork(after=3)
        self.one.add(bound(board(2), lamp(401), "left"))
        self.two.add(bound(board(3), lamp(401), "right"))
        self.three = self.two.fork(after=4)
        self.two.add(bound(board(4), lamp(401), "top"))
        self.three.add(bound(board(5), lamp(401), "lid"))

    def batches(self):
        """Each event once."""
        return (
            self.one.batch(1, 4),
            self.two.batch(4, 5),
            self.three.batch(5, 5),
        )


def ledger_of(batches):
    ledger = a_ledger()
    for batch in batches:
        ledger.absorb(batch)
    return ledger


@pytest.fixture
def three():
    return Three()


def name_of(writing, seq):
    return writing.ids[seq - 1].hex()[:8]


def told(ledger, writing, seq):
    at = ledger.graph.find(_ref(writing, seq))
    return Histories(ledger.graph).of(at)


def _ref(writing, seq):
    from tally.records.ids import parse_ref

    return parse_ref(writing.ref(seq))


def test_an_event_is_named_by_where_its_history_parts_from_the_others(three):
    for order in permutations(three.batches()):
        try:
            ledger = ledger_of(order)
        except ValueError:
            continue
        assert told(ledger, three.one, 3) is None
        assert told(ledger, three.one, 4) == OneHistory(name_of(three.one, 4), 3)
        assert told(ledger, three.two, 4) == OneHistory(name_of(three.two, 4), 3)
        assert told(ledger, three.two, 5) == OneHistory(name_of(three.two, 5), 4)
        assert told(ledger, three.three, 5) == OneHistory(name_of(three.three, 5), 4)


def test_a_journal_with_one_history_names_none(three):
    ledger = ledger_of([three.one.batch(1, 4)])
    assert told(ledger, three.one, 4) is None
    assert Histories(ledger.graph).of_refs([three.one.ref(4), "nonsense", ""]) == {}


def test_what_stands_behind_a_gap_is_not_told_apart_before_it_is_closed(three):
    ledger = ledger_of([three.one.batch(1, 4), three.three.batch(5, 5)])
    assert told(ledger, three.three, 5) is None
    ledger.absorb(three.two.batch(4, 4))
    assert told(ledger, three.three, 5) == OneHistory(name_of(three.two, 4), 3)


def test_a_trace_says_it_in_lines_and_values_and_a_life_at_each_event(three):
    graph = ledger_of(three.batches()).graph
    found = trace(graph, lamp(401), "down")
    said = {link["child"]: link.get("history", {}).get("name") for link in as_plain(found)["links"]}
    assert said == {
        board(1): None,
        board(2): name_of(three.one, 4),
        board(3): name_of(three.two, 4),
        board(4): name_of(three.two, 5),
        board(5): name_of(three.three, 5),
    }
    for lang, word in (("en", "history"), ("zh", "历史")):
        lines = [line for line in as_lines(found, lang) if "[" + word in line]
        assert len(lines) == 4, lines
    moments = [one.history for one in life(graph, lamp(401)).moments]
    assert [one and one.after for one in moments].count(None) == 2


def test_references_of_others_are_not_looked_up(three):
    graph = ledger_of(three.batches()).graph
    asked = Placed(three.one.id, 9, three.one.ids[0], 0)
    assert Histories(graph).of_refs([asked.ref]) == {}
