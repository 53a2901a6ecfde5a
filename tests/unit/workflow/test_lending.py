"""CTLLEND and CTLBORROW: what a lead may give away or ask for, and what nobody else can."""

import pytest

from edge_agent.wording import show
from edge_agent.workflow.types import AskNeighbours
from tally.events import types as t
from tests.support.knowing import bench_at

LEAD, OPERATOR = "BDG-2004", "BDG-1107"


@pytest.fixture
def bench():
    """S03 on its work order; S02 and S04 are neighbours."""
    bench = bench_at("S03")
    bench.knowledge.line = ("S02", "S04")
    return bench


def dry(bench):
    bench.knowledge.next_counter = bench.knowledge.start + bench.knowledge.count


def test_a_lead_lends_codes_by_scanner_alone(bench):
    assert bench.verdict("CTLLEND") == "WAIT"
    asked = bench.scan("S02 40").answer
    assert "Lend 40 codes of block B-01 to S02?" in show(asked, "en")
    assert "班长" in show(asked, "zh")
    lent = bench.scan(LEAD)
    assert (lent.answer.verdict, lent.answer.key) == ("OK", "ok.lent")
    (record,) = [one for one in lent.records if isinstance(one.body, t.BlockLent)]
    assert (record.body.station, record.body.count, record.by) == ("S02", 40, LEAD)
    assert record.seen, "the loan names the grant that it is cut from"
    assert bench.state.ask is None
    assert bench.state.operator.badge == OPERATOR, "the work stays the operator's"


def test_without_a_number_half_of_what_is_left_is_lent(bench):
    bench.scan("CTLLEND")
    bench.scan("S02")
    bench.scan(LEAD)
    assert [one.count for one in bench.bodies(t.BlockLent)] == [86]


@pytest.mark.parametrize("answer", ["CTLOK", "CTLDONE", "CTLNO", OPERATOR, "FR4-19"])
def test_nobody_but_a_lead_lends(bench, answer):
    bench.scan("CTLLEND")
    bench.scan("S02 40")
    bench.scan(answer)
    assert bench.bodies(t.BlockLent) == []


@pytest.mark.parametrize("named", ["S09", "S02 0", "S02 9999", "S02 twenty", "BL2-"])
def test_who_names_no_station_or_too_many_codes_is_asked_again(bench, named):
    bench.scan("CTLLEND")
    said = bench.scan(named).answer
    assert (said.verdict, said.code) == ("NG", "E-405")
    bench.scan("S02 5")
    bench.scan(LEAD)
    assert [one.count for one in bench.bodies(t.BlockLent)] == [5]


def test_codes_that_were_used_up_between_question_and_badge_are_not_lent(bench):
    bench.scan("CTLLEND")
    bench.scan("S02 40")
    dry(bench)
    assert bench.verdict(LEAD) == "NG E-405"
    assert bench.bodies(t.BlockLent) == []


def test_a_station_without_codes_offers_to_ask_and_a_lead_says_yes(bench):
    dry(bench)
    refused = bench.scan("CTLNEXT").answer
    assert (refused.verdict, refused.code) == ("NG", "E-402")
    assert "to ask the neighbours" in show(refused, "en")
    assert bench.scan("CTLOK").wish is None, "nothing is taken without a lead"
    bench.scan("CTLNEXT")
    outcome = bench.scan(LEAD)
    assert outcome.wish == AskNeighbours("bl2@1", 100, LEAD)
    assert "S02, S04" in show(outcome.answer, "en")
    assert bench.bodies(t.OperatorSignedIn)[-1].badge == LEAD, "that the lead was there is recorded"


def test_ctlborrow_asks_before_the_last_code_is_gone(bench):
    assert bench.verdict("CTLBORROW") == "WAIT"
    assert bench.scan(LEAD).wish.scheme == "bl2@1"


def test_without_neighbours_nothing_is_offered(bench):
    bench.knowledge.line = ()
    assert bench.verdict("CTLBORROW") == "NG E-405"
    dry(bench)
    assert bench.scan("CTLNEXT").answer.key == "ng.no_codes"
    assert bench.scan(LEAD).wish is None


@pytest.mark.parametrize("command", ["CTLLEND", "CTLBORROW"])
def test_a_copied_station_neither_lends_nor_borrows(bench, command):
    bench.knowledge.withheld = True
    assert bench.verdict(command) == "NG E-402"
    assert bench.state.ask is None
