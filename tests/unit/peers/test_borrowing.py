"""A station that runs dry asks its neighbours: one loan a wish, whatever is lost on the way."""

import itertools
import sqlite3

import pytest

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.giving import lending
from edge_agent.journal.wishes import open_wish, remembered
from edge_agent.sync.peers.desk import Asked
from edge_agent.sync.turn import Reply, Unreached
from edge_agent.sync.wording import say
from edge_agent.workflow.types import AskNeighbours
from tally.events import types as t
from tally.records.ids import show_journal
from tally.wire.peers import LoanAnswer
from tally.wire.reading import write_message
from tests.support.building import bound
from tests.support.neighbours import Standing
from tests.support.stations import NOON, Bench, Plant, writing_of

LINE, LEAD, SCHEME = "L2", "BDG-2004", "bl2@1"


class Floor:
    """S03 without codes; S02 with forty, S04 with sixty. No hub."""

    def __init__(self, left=(40, 60), *, knows_schemes=False):
        self.plant = Plant()
        if knows_schemes:
            self.plant.publish_demo()
        self.benches = [Bench(self.plant, name, line=LINE) for name in ("S02", "S03", "S04")]
        for bench in self.benches:
            writing = writing_of(bench.identity.station)
            writing.id, writing.key = bench.identity.journal, bench.identity.key
            self.plant.enrol(writing, LINE)
        for number, (bench, count) in enumerate(zip(self.benches[::2], left, strict=True)):
            self.plant.grant(f"B-0{number}", SCHEME, 100 + 500 * number, count, bench.identity)
        self.s02, self.s03, self.s04 = (
            Standing(bench, bench.told(bench.open())) for bench in self.benches
        )

    def wish(self, badge=LEAD, count=100):
        journal = self.s03.journal
        asked = AskNeighbours(SCHEME, count, badge)
        allowed = OwnFact(t.OperatorSignedIn(badge, "lead"), badge)
        journal.append([allowed], None, at=NOON, remember=remembered(asked, journal))


@pytest.fixture
def floor():
    return Floor()


def lent(station):
    return [loan for loan in facts(station) if loan.startswith(b'{"t":"block.lent"')]


def borrowed(station):
    return [one for one in facts(station) if one.startswith(b'{"t":"block.borrowed"')]


def facts(station):
    rows = station.journal.connection.execute("SELECT line FROM event ORDER BY seq")
    return [row[0] for row in rows]


def kinds(made):
    return [one.kind for one in made if one.kind == "loan"]


def losing(request, reply):
    """Whatever is said about loans never arrives."""
    lost = Unreached(say("starting"), has_timed_out=True)
    return lost if request.kind == "loan" else reply


def again(station, host):
    station.now = host.now = station.now + 1000
    return station.visit(host)


def test_a_wish_becomes_one_loan_of_half_of_what_the_neighbour_has(floor):
    floor.wish()
    assert kinds(floor.s03.visit(floor.s02)) == ["loan", "loan"], "could it, and then: do it"
    assert not borrowed(floor.s03)
    floor.s03.visit(floor.s02)
    (block,) = floor.s03.journal.blocks.all()
    assert (block.left, block.start, block.lender) == (20, 120, "S02")
    assert floor.s02.journal.blocks.all()[0].left == 20
    assert open_wish(floor.s03.journal.connection) is None
    assert kinds(floor.s03.visit(floor.s02)) == []


def test_nobody_is_asked_without_a_wish(floor):
    assert kinds(floor.s03.visit(floor.s02)) == []
    assert not lent(floor.s02)


def test_answers_that_are_lost_make_no_second_loan(floor):
    floor.wish()
    floor.s03.visit(floor.s02, losing)
    assert not lent(floor.s02), "it was only asked whether it could"
    again(floor.s03, floor.s02)
    floor.s03.now += 1000
    floor.s03.visit(floor.s02, losing)
    assert len(lent(floor.s02)) == 1
    again(floor.s03, floor.s02)
    assert len(lent(floor.s02)) == len(borrowed(floor.s03)) == 1


def test_another_neighbour_is_not_asked_while_the_first_may_have_lent(floor):
    floor.wish()
    floor.s03.visit(floor.s02)
    assert kinds(floor.s03.visit(floor.s04)) == []
    floor.s03.visit(floor.s02)
    assert kinds(floor.s03.visit(floor.s04)) == []
    assert len(borrowed(floor.s03)) == 1


def test_a_second_badge_while_the_loan_waits_gives_the_same_loan(floor):
    floor.wish()
    floor.s03.visit(floor.s02)
    floor.wish()
    floor.s03.visit(floor.s02)
    floor.s03.visit(floor.s02)
    assert len(lent(floor.s02)) == len(borrowed(floor.s03)) == 1


def test_when_the_borrowed_codes_run_out_another_wish_makes_another_loan(floor):
    for _ in range(2):
        floor.wish()
        floor.s03.visit(floor.s02)
        floor.s03.visit(floor.s02)
    assert [one.left for one in floor.s03.journal.blocks.all()] == [20, 10]


@pytest.mark.parametrize("left", [0, 1])
def test_who_has_nothing_to_spare_says_so_and_the_next_is_asked(left):
    floor = Floor((40, 60))
    s02 = floor.s02.journal
    body, grant = lending(s02.blocks.all(), "B-00", 40 - left, "S04", s02.keys.stations("S04"))
    s02.append([OwnFact(body, LEAD, (grant,))], None, at=NOON)
    floor.wish()
    floor.s03.visit(floor.s02)
    floor.s03.visit(floor.s04)
    floor.s03.visit(floor.s04)
    assert [one.lender for one in floor.s03.journal.blocks.all()] == ["S04"]
    assert len(lent(floor.s02)) == 1, "that to S04"


def test_whose_badge_is_no_leads_at_the_lender_gets_nothing(floor):
    floor.wish(badge="BDG-1107")
    floor.s03.visit(floor.s02)
    assert not lent(floor.s02)


def test_a_computer_that_was_replaced_gets_nothing_and_drains_nobody(floor):
    newer = writing_of("S03-again")
    newer.name = "S03"
    floor.plant.enrol(newer, LINE)
    for data in floor.plant.everything():
        floor.s02.journal.ingest(data, at=NOON)
    floor.wish()
    for _ in range(3):
        again(floor.s03, floor.s02)
    assert not lent(floor.s02)


def test_whoever_asks_for_everything_gets_a_hundred_at_most():
    floor = Floor((400, 60))
    floor.wish(count=2**40)
    floor.s03.visit(floor.s02)
    floor.s03.visit(floor.s02)
    assert [one.left for one in floor.s03.journal.blocks.all()] == [100]


def test_codes_of_a_lender_of_which_two_copies_run_are_not_taken(floor):
    """S04 holds a history of S02 that S02 has not; then S02 lends."""
    s02, s03 = floor.s02.journal, floor.s03.journal
    copy = Bench.__new__(Bench)
    copy.__dict__.update(floor.benches[0].__dict__, entropy=itertools.count(500))
    copy.memory = sqlite3.connect(":memory:", isolation_level=None)
    s02.connection.backup(copy.memory)
    other = Standing(copy, copy.open())
    floor.s03.visit(other)
    assert not s03.is_in_doubt(f"{show_journal(s02.identity.journal)}:1:{'0' * 16}")
    floor.wish()
    s02.append([OwnFact(bound("PCB-1", "BL2-1"), "BDG-1107")], None, at=NOON)
    for _ in range(3):
        again(floor.s03, floor.s02)
    assert lent(floor.s02)
    assert not borrowed(floor.s03)


def test_a_copied_station_neither_lends_nor_asks(floor):
    floor.wish()
    floor.s02.journal.suspect("copied")
    floor.s03.visit(floor.s02)
    assert not lent(floor.s02)
    floor.s03.journal.suspect("copied")
    assert kinds(floor.s03.visit(floor.s04)) == []


def test_a_lender_that_deleted_its_old_events_lends_to_who_never_held_them(floor):
    s02 = floor.s02.journal
    for number in range(30):
        fact = OwnFact(bound(f"PCB-{number}", f"BL2-{number}"), "BDG-1107")
        s02.append([fact], None, at=NOON)
    s02.delete(2, 20)
    floor.wish()
    floor.s03.visit(floor.s02)
    again(floor.s03, floor.s02)
    (block,) = floor.s03.journal.blocks.all()
    assert (block.left, block.lender) == (20, "S02")
    assert floor.s03.journal.others.frontier().get(floor.s02.whom.journal) is None
    head = floor.s03.journal.seq
    again(floor.s03, floor.s02)
    assert floor.s03.journal.seq == head, "the same loan again changes nothing"


def test_a_neighbour_of_an_older_version_is_asked_in_vain_and_harms_nothing(floor):
    floor.wish()
    gone = Reply(404, "application/problem+json", b"{}")
    floor.s03.visit(floor.s02, lambda asked, reply: gone if asked.kind == "loan" else reply)
    state = floor.s03.states[floor.s02.whom.journal]
    assert (state.failures, state.not_before) == (0, 0.0)
    assert open_wish(floor.s03.journal.connection) is not None


@pytest.mark.parametrize(
    "answer",
    [
        LoanAnswer(state="lent", loan="not base64!"),
        LoanAnswer(state="lent", loan="AAAA"),
        LoanAnswer(state="lent"),
    ],
)
def test_a_loan_that_is_no_loan_is_not_taken(floor, answer):
    floor.wish()
    bad = Reply(200, "application/json", write_message(answer))
    floor.s03.visit(floor.s02, lambda asked, reply: bad if asked.kind == "loan" else reply)
    assert not borrowed(floor.s03)
    assert open_wish(floor.s03.journal.connection) is not None


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"scheme":"x","count":-1,"badge":"b"}'])
def test_a_question_in_no_shape_is_refused_and_nothing_is_lent(floor, body):
    floor.s03.visit(floor.s02)
    bearer = floor.s03.states[floor.s02.whom.journal].bearer
    told = floor.s02.desk.answer(Asked("POST", "/v1/loans", {}, bearer, "1", body))
    assert told.status == 400
    assert not told.effects


def test_a_stranger_is_asked_who_it_is(floor):
    asked = b'{"scheme":"bl2@1","count":5,"badge":"BDG-2004","is_chosen":true}'
    told = floor.s02.desk.answer(Asked("POST", "/v1/loans", {}, None, "1", asked))
    assert (told.status, told.effects) == (401, ())


def test_the_same_codes_lent_by_two_copies_of_a_lender_are_taken_once(floor):
    s02, s03 = floor.s02.journal, floor.s03.journal
    to = show_journal(s03.identity.journal)
    grant = s02.blocks.all()[0].ref
    for start, count in ((130, 10), (125, 15)):
        body = t.BlockLent("B-00", SCHEME, start, count, to, "S03", "2026-11-20")
        writing = OwnFact(body, LEAD, (grant,))
        s02.append([writing], None, at=NOON)
    floor.s03.visit(floor.s02)
    assert [(one.start, one.count) for one in s03.blocks.all()] == [(130, 10)]


def label(station, count):
    """The codes that the station gives out now, as many as it has up to `count`."""
    codes = []
    while len(codes) < count:
        found = [one for one in station.journal.blocks.all() if one.next < one.end]
        if not found:
            break
        held = found[0]
        body = t.CodeReserved(f"BL2-2647-{held.next:06}", SCHEME, held.block, held.next)
        station.journal.append([OwnFact(body, seen=(held.ref,))], None, at=NOON)
        codes.append(body.code)
    return codes


def one_loan_and_everything_used(floor):
    floor.wish()
    floor.s03.visit(floor.s02)
    floor.s03.visit(floor.s02)
    codes = [*label(floor.s02, 99), *label(floor.s03, 99)]
    floor.s03.visit(floor.s02)
    floor.s02.visit(floor.s03)
    return codes


def test_both_use_up_all_they_have_and_no_code_comes_twice():
    floor = Floor(knows_schemes=True)
    codes = one_loan_and_everything_used(floor)
    assert len(codes) == len(set(codes)) == 40
    for station in (floor.s02, floor.s03):
        assert station.journal.ledger.findings() == ()


def test_a_lender_that_goes_on_giving_out_what_it_lent_would_be_caught(monkeypatch):
    floor = Floor(knows_schemes=True)
    monkeypatch.setattr("edge_agent.journal.blocks.Blocks._cut", lambda *_: None)
    codes = one_loan_and_everything_used(floor)
    assert len(set(codes)) < len(codes)
    for station in (floor.s02, floor.s03):
        found = station.journal.ledger.findings()
        twice = {code for code in codes if codes.count(code) > 1}
        assert {one.subject for one in found if one.code == "outside-block"} == twice
        assert {f"code:{code}" for code in twice} <= {
            case.key for case in station.journal.ledger.cases()
        }
