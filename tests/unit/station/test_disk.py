"""A disk that fills up: its rungs, the days it lasts, a station that stops before it is full."""

import datetime as dt
import json
from types import SimpleNamespace

import pytest

from edge_agent.bootstrap.folder import check_device
from edge_agent.journal.space import DAYS_KEPT, GROWTH_NAME, MIB, Space, look, note_growth
from edge_agent.journal.store import DATABASE_NAME
from edge_agent.settings import SettingsError, parse_settings
from edge_agent.station.core import StationCore
from edge_agent.station.disk import BALLAST_NAME, DiskLimits, DiskWatch, seen_as
from edge_agent.station.knowledge import StationKnowledge
from edge_agent.station.texts import text_of
from tests.support.stations import TestClock
from tests.unit.station.test_core import Floor, build_to_step

USUAL = DiskLimits()
NEVER_ENOUGH = DiskLimits(2**20, 2**20, 2**20, 1)
"""No disk of a test has a TiB free: the real one stands on the lowest rung."""
DAY = dt.date(2026, 11, 20)


def seen(mib, limits=USUAL, **more):
    return seen_as(Space(mib * MIB, 0, 0), limits, **more)


@pytest.mark.parametrize(
    ("mib", "rung"),
    [
        (2048, "ok"),
        (2047, "low"),
        (512, "low"),
        (511, "scarce"),
        (128, "scarce"),
        (127, "stop"),
        (0, "stop"),
    ],
)
def test_each_rung_begins_below_its_limit(mib, rung):
    assert seen(mib).rung == rung


def test_a_station_that_stopped_goes_on_only_with_space_for_its_ballast_and_as_much_again():
    assert seen(255, is_stopped=True).rung == "stop"
    assert seen(256, is_stopped=True).rung == "scarce"


def test_the_words_say_how_much_and_for_how_long_and_what_to_do():
    found = seen_as(Space(1000 * MIB, 0, 0, per_day=5.0 * MIB), USUAL)
    assert "1000 MiB free" in found.words.en
    assert "200 days" in found.words.en
    assert "free space" in found.words.en
    assert "1000 MiB" in found.words.zh
    assert "200 天" in found.words.zh


def test_a_log_that_does_not_stop_growing_is_told_on_any_rung():
    found = seen_as(Space(2**40, 0, 65 * MIB), USUAL)
    assert (found.rung, found.is_well) == ("ok", False)
    assert "65 MiB" in found.words.en
    assert "65 MiB" in found.words.zh
    assert seen_as(Space(2**40, 0, 64 * MIB), USUAL).is_well


def grow(folder, sizes):
    for day, size in enumerate(sizes):
        (folder / DATABASE_NAME).write_bytes(b"x" * size)
        note_growth(folder, DAY + dt.timedelta(days=day))


def test_days_left_follow_from_the_growth_of_the_last_week(tmp_path):
    grow(tmp_path, [1000, 3000, 5000])
    found = look(tmp_path)
    assert found.per_day == 2000
    assert found.days == found.free // 2000


def test_the_first_day_and_a_journal_that_does_not_grow_give_no_days(tmp_path):
    grow(tmp_path, [1000])
    assert look(tmp_path).days is None
    grow(tmp_path, [1000, 1000])
    assert look(tmp_path).days is None


def test_only_the_newest_days_are_kept_and_each_once(tmp_path):
    grow(tmp_path, range(1000, 1000 + 3 * DAYS_KEPT))
    note_growth(tmp_path, DAY + dt.timedelta(days=3 * DAYS_KEPT - 1))
    assert len(json.loads((tmp_path / GROWTH_NAME).read_text())) == DAYS_KEPT


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{",
        b'{"2026-11-20": "x"}',
        b'{"yesterday": 1}',
        b'{"1": 2}',
        b"[" * 4000,
        b"\xff",
    ],
)
def test_nonsense_in_the_growth_file_costs_the_days_and_nothing_else(tmp_path, raw):
    (tmp_path / GROWTH_NAME).write_bytes(raw)
    assert look(tmp_path).per_day is None
    note_growth(tmp_path, DAY)
    assert list(json.loads((tmp_path / GROWTH_NAME).read_text())) == [DAY.isoformat()]


def test_a_clock_that_was_set_back_gives_no_wrong_days(tmp_path):
    grow(tmp_path, [1000, 3000])
    (tmp_path / DATABASE_NAME).write_bytes(b"x" * 500)
    note_growth(tmp_path, dt.date(1970, 1, 1))
    assert look(tmp_path).per_day is None


def test_the_ballast_is_kept_where_there_is_space_given_back_at_the_stop_and_taken_again(tmp_path):
    clock = TestClock()
    roomy = DiskWatch(tmp_path, DiskLimits(3, 2, 1, 1), clock)
    assert (tmp_path / BALLAST_NAME).stat().st_size == MIB
    assert roomy.stops() is None
    full = DiskWatch(tmp_path, NEVER_ENOUGH, clock)
    assert full.stops().rung == "stop"
    assert not (tmp_path / BALLAST_NAME).exists()
    DiskWatch(tmp_path, DiskLimits(3, 2, 1, 1), clock)
    assert (tmp_path / BALLAST_NAME).exists()


def test_a_plant_may_do_without_ballast(tmp_path):
    DiskWatch(tmp_path, DiskLimits(ballast_mib=0), TestClock())
    assert not (tmp_path / BALLAST_NAME).exists()


@pytest.fixture
def floor(tmp_path):
    return Floor(folder=tmp_path)


def stopping(floor, folder):
    """The same station on a disk that is nearly full."""
    knowledge = StationKnowledge(
        floor.journal, floor.clock, language="en", devices=frozenset({"camera-1", "serial-1"})
    )
    disk = DiskWatch(folder, NEVER_ENOUGH, floor.clock)
    floor.core = StationCore(
        floor.journal, knowledge, floor.clock, floor.tray, reached=lambda _: None, disk=disk
    )
    return floor


def test_nothing_new_begins_on_a_disk_that_is_nearly_full_and_the_stop_is_recorded_once(
    floor, tmp_path
):
    stopping(floor, tmp_path)
    first = floor.scan("BDG-1107")
    assert (first.verdict, first.code, len(first.events)) == ("NG", "E-903", 1)
    assert "free" in text_of(first, "en")
    again = floor.scan("BDG-1107")
    assert (again.verdict, again.code, again.events) == ("NG", "E-903", ())
    assert floor.core.state.operator is None
    [refusal] = [one.b for one in floor.events() if one.t == "refusal.shown"]
    assert refusal.code == "E-903"
    assert refusal.says["free_mib"].isdecimal()


def test_the_unit_in_hand_is_finished_on_a_disk_that_is_nearly_full(floor, tmp_path):
    build_to_step(floor, 2)
    stopping(floor, tmp_path)
    said = floor.scan(floor.tray.labels[-1], "camera-1")
    assert said.verdict == "OK"
    assert floor.scan("CTLNEXT").verdict == "OK"  # parked: nothing is open any more
    assert floor.scan("CTLNEXT").code == "E-903"


def test_the_rungs_are_settings_and_each_lies_below_the_one_before():
    table = "[disk]\nwarn_mib = 10\noptional_mib = 6\nstop_mib = 4\nballast_mib = 1\nwal_mib = 32\n"
    settings = parse_settings(table.encode(), check_device, name="station.toml")
    assert settings.disk == DiskLimits(10, 6, 4, 1, 32)
    with pytest.raises(SettingsError) as refused:
        parse_settings(
            b"[disk]\nwarn_mib = 1\noptional_mib = 2\nstop_mib = 600\nballast_mib = -1\nsize = 1\n",
            check_device,
            name="station.toml",
        )
    found = "\n".join(refused.value.problems)
    assert "optional_mib: expected at most warn_mib, 1, found 2" in found
    assert "stop_mib: expected at most optional_mib, 2, found 600" in found
    assert "ballast_mib: expected 0 to 4096, found -1" in found
    assert "disk.size: there is no such key" in found


def test_a_folder_that_cannot_be_looked_at_keeps_the_last_look(tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    watch = DiskWatch(
        folder,
        DiskLimits(ballast_mib=0),
        SimpleNamespace(monotonic=iter(range(0, 99, 9)).__next__, now=TestClock().now),
    )
    folder.rmdir()
    assert watch.seen().rung == "ok"
