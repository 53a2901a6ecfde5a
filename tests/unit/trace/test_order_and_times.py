"""Times are corrected by what stations recorded of their clocks; an order that only clocks tell is
marked.
"""

import datetime as dt

import pytest

from tally.events import types as t
from tally.merge.clocks import DRIFT_PPM, Clockwork
from tally.merge.ordering import in_order
from tally.records.ids import parse_ref
from tally.trace.doubting import with_times
from tally.trace.lanes import lanes
from tally.trace.life import life
from tally.trace.timing import timeline, wrong_clocks
from tally.trace.tracing import trace
from tests.support.building import START_MS, Writing, board, bound, lamp
from tests.support.ledgers import a_ledger
from tests.support.worlds import take

TRUE_MS = int(dt.datetime(2026, 11, 20, 6, tzinfo=dt.UTC).timestamp() * 1000)
SIX_MINUTES = 6 * 60 * 1000
PART, FIRST, SECOND = board(902), lamp(381), lamp(405)


class Station(Writing):
    """A writer whose clock is wrong by `off` ms; it writes when the test says, by the true time."""

    def __init__(self, name, off=0, tells=True):
        self.off = off
        super().__init__(name, clock_ms=TRUE_MS + off - 1000)
        self.when(1).add(t.AgentStarted("run", "test", "3"), by="system")
        if tells:
            self.add(t.ClockObserved(off, 40), by="system")

    def when(self, seconds):
        self.clock_ms = TRUE_MS + self.off + seconds * 1000 - 1000
        return self


def plant(*writers):
    ledger, known = a_ledger(), set()
    for writer in writers:
        take(ledger, known, writer.batch())
    return ledger.graph


def by_hub(graph, writer, seq):
    at = graph.find(parse_ref(writer.ref(seq)))
    return Clockwork(graph, at).corrected(at, graph.line(at).at)


def told(graph, code):
    """Type, station, and whether the order is proven, of each moment of a life."""
    return [(one.type, one.station, one.timed.is_order_proven) for one in life(graph, code).moments]


# --- fault 42 ---------------------------------------------------------------------------------


def bind_unbind_bind(tells=True):
    """S02's clock is six minutes ahead, S03's six behind; S03 unbinds what S02 bound."""
    ahead = Station("S02", SIX_MINUTES, tells)
    behind = Station("S03", -SIX_MINUTES, tells)
    first = ahead.when(60).add(bound(PART, FIRST))
    behind.when(70).add(t.ComponentUnbound(PART, FIRST, "board", "rework"), seen=[ahead.ref(first)])
    behind.when(75).add(bound(PART, SECOND))
    return ahead, behind


def test_42_what_one_station_knew_of_the_other_orders_them_whatever_their_clocks_show():
    graph = plant(*bind_unbind_bind())
    assert told(graph, PART) == [
        ("component.bound", "S02", True),
        ("component.unbound", "S03", True),
        ("component.bound", "S03", True),
    ]
    words = [one.timed.words["en"] for one in life(graph, PART).moments]
    assert [text.startswith("by the hub's clock 2026-11-20T06:01:") for text in words] == [True] * 3


@pytest.mark.parametrize(
    ("seconds", "is_proven"), [(72, False), (75, False), (200, True)], ids=["near", "same", "far"]
)
def test_42_what_nothing_orders_is_marked_unless_the_clocks_can_tell(seconds, is_proven):
    ahead, behind = bind_unbind_bind()
    ahead.when(seconds).add(bound(PART, lamp(406)))
    moments = life(plant(ahead, behind), PART).moments
    last = moments[-1]
    assert last.timed.is_order_proven is is_proven
    if not is_proven:
        assert "order not provable (± 5 s)" in last.timed.words["en"]
        assert "先后无法证明 (± 5 s)" in last.timed.words["zh"]


def test_42_stations_that_never_compared_their_clocks_get_no_order_from_them():
    ahead, behind = bind_unbind_bind(tells=False)
    ahead.when(200).add(bound(PART, lamp(406)))
    # S02 wrote a later time, and S03's clock may be anything: by 2 s and drift they count as right.
    stations = [station for _, station, _ in told(plant(ahead, behind), PART)]
    assert stations[:2] == ["S02", "S03"]


def test_42_the_first_in_a_slot_is_the_one_that_was_known_to_the_other():
    late, early = Station("S02", SIX_MINUTES), Station("S03", -SIX_MINUTES)
    first = late.when(60).add(bound(PART, FIRST))
    early.when(70).add(t.ComponentUnbound(PART, FIRST, "board", "broken"), seen=[late.ref(first)])
    early.add(bound(board(903), FIRST), seen=[late.ref(first)])
    found = lanes(plant(late, early), FIRST)
    [built] = [one for _, one in found.ended]
    assert (built.code, built.is_built, built.is_built_proven) == (PART, True, True)
    [now] = [one for group in found.groups for one in group.members]
    assert (now.code, now.is_built) == (board(903), False)


def test_42_the_first_in_a_slot_by_clocks_alone_is_not_proven():
    one, other = Station("S02"), Station("S03")
    one.when(60).add(bound(PART, FIRST))
    other.when(61).add(bound(board(903), FIRST))
    members = [m for group in lanes(plant(one, other), FIRST).groups for m in group.members]
    assert {(m.code, m.is_built, m.is_built_proven) for m in members} == {
        (PART, True, False),
        (board(903), False, True),
    }


def test_the_order_is_the_same_in_whatever_order_events_are_given():
    ahead, behind = bind_unbind_bind()
    graph = plant(ahead, behind)
    places = [one.timed.place for one in life(graph, PART).moments]
    assert in_order(graph, places) == in_order(graph, places[::-1])


def test_results_of_two_stations_are_ordered_by_their_clocks_and_marked_in_the_trace():
    one, other = Station("S02"), Station("S03")
    one.when(60).add(t.OperationCompleted(FIRST, "30", "FAIL", 1))
    other.when(61).add(t.OperationCompleted(FIRST, "30", "PASS", 1))
    [node] = trace(plant(one, other), FIRST, "down").nodes
    assert [(done.value, done.timed.is_order_proven) for done in node.done] == [
        ("FAIL", True),
        ("PASS", False),
    ]


def test_a_trace_names_the_stations_whose_clocks_were_found_wrong():
    graph = plant(*bind_unbind_bind())
    assert [(one.station, str(one.clock)) for one in wrong_clocks(graph, {"S02", "S03"})] == [
        ("S02", "+360 s ± 0.1 s"),
        ("S03", "-360 s ± 0.1 s"),
    ]


# --- the clock of one journal -----------------------------------------------------------------


def test_a_time_between_two_observations_is_interpolated_and_grows_uncertain_with_drift():
    station = Station("S03", 0)
    middle = station.when(12 * 3600).add(t.LotReleased("L", "P"))
    graph = plant(station)
    alone = by_hub(graph, station, middle)
    assert alone.within_ms == 2040 + (12 * 3600 - 1) * 1000 * DRIFT_PPM // 1_000_000
    station.when(24 * 3600).add(t.ClockObserved(4000, 40))
    both = by_hub(plant(station), station, middle)
    assert both.within_ms < alone.within_ms
    assert abs(both.ms - (TRUE_MS + 12 * 3_600_000 - 2000)) < 2


def test_40_a_jump_moves_what_comes_behind_it_and_nothing_before():
    station = Station("S03", 0)
    before = station.when(60).add(t.LotReleased("L", "P"))
    station.off = 86_400_000
    station.when(70).add(t.ClockJumped(86_400_000, "00"))
    after = station.when(80).add(t.LotReleased("L", "P"))
    graph = plant(station)
    for seq, seconds in ((before, 60), (after, 80)):
        found = by_hub(graph, station, seq)
        assert abs(found.ms - TRUE_MS - seconds * 1000) <= found.within_ms < 3000


def test_40_a_boot_in_1970_is_corrected_once_the_hub_is_reached_and_until_then_unknown():
    station = Station("S03", 0)
    station.off = -TRUE_MS + 1000
    station.when(60).add(t.AgentStarted("again", "test", "3"))
    event = station.when(70).add(t.LotReleased("L", "P"))
    assert by_hub(plant(station), station, event) is None
    station.when(80).add(t.ClockObserved(station.off, 40))
    found = by_hub(plant(station), station, event)
    assert abs(found.ms - TRUE_MS - 70_000) <= found.within_ms < 3000


def test_a_clock_that_was_wrong_before_a_start_may_have_been_set_right_since():
    station = Station("S03", 60_000)
    station.when(60).add(t.AgentStarted("again", "test", "3"))
    event = station.when(70).add(t.LotReleased("L", "P"))
    found = by_hub(plant(station), station, event)
    written = TRUE_MS + 60_000 + 70_000
    for truth in (written, written - 60_000):
        assert abs(found.ms - truth) <= found.within_ms


def test_a_time_that_is_no_moment_is_not_corrected():
    writer = Writing("S03", clock_ms=START_MS)
    stamp = b'"hlc":"0198f3c2a1b4.0003","at":"noon","by":"x"'
    line = b'{"t":"lot.released","v":1,' + stamp + b',"b":{"lot":"L","part":"P"}}'
    seq = writer.add_line(line)
    graph = plant(writer)
    assert by_hub(graph, writer, seq) is None
    [timed] = timeline(graph, [graph.find(parse_ref(writer.ref(seq)))])
    assert timed.is_clock_wrong
    assert timed.words["zh"]


def test_both_sides_of_a_fork_have_the_clock_of_their_own_chain():
    station = Station("S03", 0)
    other = station.fork(station.seq)
    other.off = 0
    other.clock_ms += 60_000
    other.add(t.ClockJumped(3_600_000, "01"))
    other.clock_ms += 3_600_000
    jumped = other.add(t.LotReleased("L", "P"))
    plain = station.when(90).add(t.LotReleased("L", "P"))
    ledger, known = a_ledger(), set()
    take(ledger, known, station.batch())
    take(ledger, known, other.batch())
    graph = ledger.graph
    assert by_hub(graph, station, plain).ms - TRUE_MS == 90_000
    written = other.clock_ms
    assert written - by_hub(graph, other, jumped).ms == 3_600_000


# --- what is said of contradicting results ------------------------------------------------------


def contradicting(*, seconds, off=SIX_MINUTES):
    """Two stations give one attempt of one test another result, so many seconds apart."""
    writers = []
    for name, wrong, at, result in (
        ("S02", off, 60, "PASS"),
        ("S03", -SIX_MINUTES, 60 + seconds, "FAIL"),
    ):
        writer = Station(name, wrong, tells=off == SIX_MINUTES).when(at)
        writer.add(t.OperationCompleted(FIRST, "eol_test", result))
        writers.append(writer)
    ledger, known = a_ledger(), set()
    for writer in writers:
        take(ledger, known, writer.batch())
    [found] = [one for one in ledger.findings() if one.code == "order-not-provable"]
    return with_times(ledger.graph, found).words


def test_of_contradicting_results_it_is_said_how_far_times_may_be_off():
    words = contradicting(seconds=2)
    assert "nothing orders them (order not provable, ± " in words["en"]
    assert words["en"].endswith(" s).")
    assert "先后无法证明，± " in words["zh"]


def test_of_contradicting_results_that_clocks_tell_apart_it_is_said_which_came_last():
    words = contradicting(seconds=600)
    assert "(by the hub's clock that of S03 is the newest, 2026-11-20T06:11:" in words["en"]
    assert "按中心时钟，S03 的结果最新" in words["zh"]


def test_of_contradicting_results_of_which_no_clock_is_known_no_seconds_are_said():
    words = contradicting(seconds=600, off=100_000 - TRUE_MS)
    assert words["en"].endswith("nothing orders them (order not provable).")
