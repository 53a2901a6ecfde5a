"""What the wall clock of a station shows, and when it jumps, changes nothing but what is shown."""

import datetime as dt

import pytest

from tally.events import types as t
from tally.events.decoding import read_line
from tests.crash.station_child import Shift
from tests.support.stations import Bench, Plant, TestClock


def at(text):
    return dt.datetime.fromisoformat(text)


# What the clock shows as each lamp is begun.
WALLS = {
    "right": ("2026-11-20T12:00+08:00", "2026-11-20T12:10+08:00", "2026-11-20T12:20+08:00"),
    "the hour that comes twice": (
        "2026-11-01T01:30-04:00",
        "2026-11-01T01:30-05:00",
        "2026-11-01T01:40-05:00",
    ),
    "the hour that is left out": (
        "2026-03-08T01:59:59-05:00",
        "2026-03-08T03:00:00-04:00",
        "2026-03-08T03:10:00-04:00",
    ),
    "half and quarter hours": (
        "2026-11-20T09:30+05:30",
        "2026-11-20T09:55+05:45",
        "2026-11-20T13:00+08:45",
    ),
    "zone changed while it runs": (
        "2026-11-20T12:00+08:00",
        "2026-11-19T20:10-08:00",
        "2026-11-20T04:20+00:00",
    ),
    "boot in 1970": (
        "1970-01-01T00:00:01+00:00",
        "1970-01-01T00:10:00+00:00",
        "2026-11-20T12:00+08:00",
    ),
    "a day on and back": (
        "2026-11-20T12:00+08:00",
        "2026-11-21T12:00+08:00",
        "2026-11-20T12:20+08:00",
    ),
    "ten years on and back": (
        "2026-11-20T12:00+08:00",
        "2036-11-20T12:00+08:00",
        "2026-11-20T12:20+08:00",
    ),
    "ten years back and on": (
        "2026-11-20T12:00+08:00",
        "2016-11-20T12:00+08:00",
        "2026-11-20T12:20+08:00",
    ),
    "before 1970": (
        "1969-12-31T23:59:59+00:00",
        "1900-01-01T00:00:00+00:00",
        "2026-11-20T12:00+08:00",
    ),
    "the end of the calendar": (
        "9998-12-31T23:59:59+00:00",
        "9999-12-31T20:00:00+08:00",
        "2026-11-20T12:00+08:00",
    ),
}


def shift_with(walls):
    """Three lamps, each begun with the clock set anew and a start of the program in between."""
    bench, clock = Bench(Plant()), TestClock()
    shift = Shift(bench.open(), clock)
    for number, wall in enumerate(walls):
        clock.at = at(wall)
        if number == 0:
            shift.scan("BDG-1107")
        shift.build(f"PCB-L-{900 + number:05}")
        shift.journal.start(agent="test", at=clock.now())
    return shift


def own_events(journal):
    rows = journal.connection.execute("SELECT line FROM event ORDER BY seq").fetchall()
    return [read_line(line) for (line,) in rows]


def without_times(events):
    """What was recorded, without stamps, and without ids that follow from them."""
    return [
        (event.t, getattr(event.b, "unit", None), event.by, len(event.seen)) for event in events
    ]


@pytest.mark.parametrize("walls", WALLS.values(), ids=WALLS)
def test_work_goes_on_and_the_same_is_recorded_whatever_the_wall_clock_shows(walls):
    shift = shift_with(walls)
    events = own_events(shift.journal)
    finished = [e.b.unit for e in events if isinstance(e.b, t.OperationCompleted)]
    assert len(set(finished)) == 3
    assert without_times(events) == without_times(own_events(shift_with(WALLS["right"]).journal))
    stamps = [event.hlc for event in events]
    assert stamps == sorted(set(stamps))
    assert all(at(event.at).utcoffset() is not None for event in events)
    assert shift.journal.ledger.cases() == ()


def test_each_event_shows_the_clock_and_the_zone_that_people_saw():
    shown = [
        event.at for event in own_events(shift_with(WALLS["the hour that comes twice"]).journal)
    ]
    assert sum(text.startswith("2026-11-01T01:3") for text in shown) > 2
    assert {text[-6:] for text in shown if text.startswith("2026-11-01")} == {"-04:00", "-05:00"}
