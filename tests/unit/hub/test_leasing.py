"""Grants: disjoint, repeatable, refused with the arithmetic, balanced."""

import datetime as dt
import threading

import pytest

from hub.services import Refused
from tally.events import types as t
from tests.support.building import bound
from tests.support.hub_floor import a_hub, demo_files, enrolled


@pytest.fixture
def hub():
    hub = a_hub()
    hub.publish(demo_files())
    return hub


@pytest.fixture
def station(hub):
    return enrolled(hub)


def test_grants_follow_each_other(hub, station):
    first = hub.lease(station.id, "r1", "pcb-l@1", 100)
    second = hub.lease(station.id, "r2", "pcb-l@1", 50)
    assert (first.block.start, first.block.count, first.block.block) == (0, 100, "B-01")
    assert (second.block.start, second.block.block) == (100, "B-02")
    assert second.at.seq == first.at.seq + 1


def test_the_same_request_has_the_same_grant(hub, station):
    first = hub.lease(station.id, "r1", "bl2@1", 100)
    again = hub.lease(station.id, "r1", "bl2@1", 100)
    assert (again.at, again.block, again.repeated) == (first.at, first.block, True)
    assert len(hub.show("blocks")) == 1


@pytest.mark.parametrize("wish", [("pcb-l@1", 100, None), ("bl2@1", 99, None), ("bl2@1", 100, 5)])
def test_a_request_id_is_not_used_for_another_wish(hub, station, wish):
    hub.lease(station.id, "r1", "bl2@1", 100)
    scheme, count, start = wish
    with pytest.raises(Refused) as refusal:
        hub.lease(station.id, "r1", scheme, count, start=start)
    assert refusal.value.code == "request_reused"


def test_two_stations_may_use_the_same_request_id(hub, station):
    other = enrolled(hub, "S02")
    one = hub.lease(station.id, "r1", "bl2@1", 10)
    two = hub.lease(other.id, "r1", "bl2@1", 10)
    assert one.block.start != two.block.start


def test_a_start_may_be_chosen_where_nothing_was_granted(hub, station):
    hub.lease(station.id, "r1", "bl2@1", 172, start=401, block="B-01")
    hub.lease(station.id, "r2", "bl2@1", 20, start=381, block="B-02")
    with pytest.raises(Refused, match="was granted before") as refusal:
        hub.lease(station.id, "r3", "bl2@1", 2, start=400)
    assert refusal.value.code == "no_capacity"
    # The allocator steps over both.
    assert hub.lease(station.id, "r4", "bl2@1", 400).block.start == 573


def test_numbers_go_on_behind_a_start_that_somebody_chose(hub, station):
    hub.lease(station.id, "r1", "bl2@1", 172, start=401)
    hub.lease(station.id, "r2", "bl2@1", 20, start=381)
    assert hub.lease(station.id, "r3", "bl2@1", 10).block.start == 573


def test_a_name_of_a_block_is_unique(hub, station):
    hub.lease(station.id, "r1", "bl2@1", 1, block="B-01")
    with pytest.raises(Refused, match="names are unique"):
        hub.lease(station.id, "r2", "bl2@1", 1, block="B-01")


def test_a_lease_beyond_the_scheme_is_refused_with_the_arithmetic(hub, station):
    hub.lease(station.id, "r1", "pcb-l@1", 99_000)
    with pytest.raises(Refused, match="leaves 1000; asked for 1001") as refusal:
        hub.lease(station.id, "r2", "pcb-l@1", 1001)
    assert refusal.value.code == "no_capacity"
    assert hub.lease(station.id, "r3", "pcb-l@1", 1000).block.start == 99_000


def test_an_unknown_scheme_is_refused_with_the_nearest(hub, station):
    with pytest.raises(Refused, match="Did you mean bl2@1"):
        hub.lease(station.id, "r1", "bl2@2", 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": 0},
        {"count": -1},
        {"count": 2**53},
        {"start": -1},
        {"request_id": ""},
        {"request_id": "\udcff"},
        {"block": "a b"},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(hub, station, wrong):
    wish = {"request_id": "r", "scheme_id": "bl2@1", "count": 1} | wrong
    with pytest.raises(Refused) as refusal:
        hub.lease(station.id, **wish)
    assert refusal.value.code == "malformed"


def test_a_dated_scheme_prints_the_period_of_the_block(hub, station):
    assert hub.lease(station.id, "r1", "bl2@1", 1).block.period == "2026-11-20"
    later = hub.lease(station.id, "r2", "bl2@1", 1, period=dt.date(2026, 12, 24))
    assert (later.block.period, later.block.start) == ("2026-12-24", 1)
    assert hub.lease(station.id, "r3", "pcb-l@1", 1).block.period is None


@pytest.mark.parametrize("day", [dt.date(1, 1, 1), dt.date(1999, 12, 31), dt.date(9999, 12, 31)])
def test_a_day_that_no_code_of_the_scheme_can_print_is_refused_with_its_life(hub, station, day):
    with pytest.raises(Refused, match="prints dates \\(YYWW\\) of 20") as refusal:
        hub.lease(station.id, "r1", "bl2@1", 1, period=day)
    assert refusal.value.code == "no_capacity"
    assert hub.show("blocks") == []


def test_a_period_for_a_scheme_without_a_date_is_refused(hub, station):
    with pytest.raises(Refused, match="prints no date"):
        hub.lease(station.id, "r1", "pcb-l@1", 1, period=dt.date(2026, 12, 24))


def test_the_same_request_for_another_period_is_another_wish(hub, station):
    first = hub.lease(station.id, "r1", "bl2@1", 1, period=dt.date(2026, 12, 24))
    assert hub.lease(station.id, "r1", "bl2@1", 1).at == first.at
    with pytest.raises(Refused, match=r"of 2026-12-24\. A different"):
        hub.lease(station.id, "r1", "bl2@1", 1, period=dt.date(2027, 1, 7))


def test_a_counter_that_restarts_daily_counts_in_each_day(hub, station):
    daily = b"""
[[scheme]]
scheme = "slip"
version = 1
level = "unit"
starts = 2025-01-01
field = [
  { kind = "literal", text = "T" },
  { kind = "date", format = "YYDDD" },
  { kind = "counter", width = 4, reset = "day" },
]
"""
    hub.publish([("slip.toml", daily)])
    days = [dt.date(2026, 11, 20), dt.date(2026, 11, 21)]
    starts = [
        hub.lease(station.id, f"{day}{n}", "slip@1", 10, period=day).block.start
        for day in days
        for n in range(2)
    ]
    assert starts == [0, 10, 0, 10]


def test_requests_at_once_never_overlap(hub, station):
    granted, problems = [], []

    def ask(number):
        try:
            granted.append(hub.lease(station.id, f"r{number % 32}", "bl2@1", 7).block)
        except Refused as refusal:
            problems.append(refusal.words)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(granted) == 64
    counters = [c for s in {b.start for b in granted} for c in range(s, s + 7)]
    assert len(counters) == len(set(counters)) == 32 * 7


def test_the_books_of_a_block_balance(hub, station):
    hub.lease(station.id, "r1", "bl2@1", 10, block="B-01")
    for counter in range(4):
        station.add(t.CodeReserved(f"BL2-2647-{counter:06}", "bl2@1", "B-01", counter))
    station.add(t.UnitCommissioned("BL2-2647-000000", "BL2@4"))
    station.add(t.LabelScrapped("BL2-2647-000001", "smeared"))
    station.add(bound("PCB-L-00001", "BL2-2647-000000"))
    hub.ingest(station.id, station.piece(2))
    [row] = hub.show("balance")
    counts = {"unused": 6, "in_flight": 2, "commissioned": 1, "scrapped": 1, "unexplained": 0}
    assert {key: row[key] for key in counts} == counts


def test_a_counter_that_was_jumped_over_is_unexplained(hub, station):
    hub.lease(station.id, "r1", "bl2@1", 10, block="B-01")
    station.add(t.CodeReserved("BL2-2647-000005", "bl2@1", "B-01", 5))
    hub.ingest(station.id, station.piece(2))
    [row] = hub.show("balance")
    assert (row["unused"], row["in_flight"], row["unexplained"]) == (4, 1, 5)


def test_preprinted_codes_are_used_in_any_order(hub, station):
    hub.lease(station.id, "r1", "pcb-l@1", 10, block="B-01")
    for counter in (7, 2):
        station.add(t.UnitCommissioned(f"PCB-L-{counter:05}", "PCB-L@2", block="B-01"))
    hub.ingest(station.id, station.piece(2))
    [row] = hub.show("balance")
    assert (row["unused"], row["commissioned"], row["unexplained"]) == (8, 2, 0)
