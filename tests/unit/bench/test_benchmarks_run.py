"""Every benchmark runs at its smallest size and says what it promises; nothing looks at time."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import machine
from bench.cli import NAMES, bench
from bench.drain import _Round
from bench.machine import Floor
from bench.measuring import Spread, percentile, side_by_side, sliced
from bench.programs import hub_served
from bench.report import Count, Measured, Ratio, Report, show
from bench.syncs import syncs_between_marks

pytestmark = pytest.mark.timeout(300)
"""All of them run for the first test that asks, two dozen programs among them."""


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    where = tmp_path_factory.mktemp("bench")
    command = ["--quick", "--json", "--dir", str(where)]
    ran = CliRunner().invoke(bench, command, catch_exceptions=False)
    assert ran.exit_code == 0, ran.stderr
    assert list(where.iterdir()) == [], "what a benchmark makes it takes away again"
    return {report["bench"]: report for report in json.loads(ran.stdout)}


def test_without_a_name_all_benchmarks_run(reports):
    assert tuple(reports) == NAMES


def test_more_units_than_the_plant_has_codes_is_said_in_words(tmp_path):
    asked = ["screen", "--quick", "--events", "9000000", "--dir", str(tmp_path)]
    ran = CliRunner().invoke(bench, asked, catch_exceptions=False)
    assert ran.exit_code == 1
    assert "1,285,723 units" in ran.stderr
    assert "999,999" in ran.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_ratio_is_positive_and_lies_between_its_rounds(reports, name):
    assert reports[name]["ratios"]
    for ratio in reports[name]["ratios"]:
        spread = ratio["spread"]
        assert 0 < spread["low"] <= spread["median"] <= spread["high"], ratio


@pytest.mark.parametrize(
    ("name", "goals"),
    [
        ("station", {"G1", "G14"}),
        ("ingest", {"G5", "G6"}),
        ("drain", {"G7", "G14"}),
        ("outage", set()),
        ("trace", {"G8", "G9"}),
        ("screen", {"G11", "G12"}),
    ],
)
def test_each_benchmark_answers_its_goals(reports, name, goals):
    found = reports[name]["ratios"] + reports[name]["counts"]
    assert {one.get("goal", "") for one in found} - {""} == goals


@pytest.mark.parametrize("name", NAMES)
def test_a_report_names_the_machine_and_what_was_not_measured(reports, name):
    assert {"Python", "SQLite", "cores", "load", "files on"} == set(reports[name]["machine"])
    assert any(note.startswith("Not measured") for note in reports[name]["notes"])


def test_a_commit_is_one_sync_or_one_transaction(reports):
    (syncs,) = [one for one in reports["station"]["counts"] if one.get("goal") == "G1"]
    assert 0.9 < syncs["value"] < 1.5, syncs


def test_a_backward_trace_has_a_node_for_each_of_the_61_edges_or_the_unit(reports):
    # 60 edges below the unit (the 61st leads to its box), and the unit itself.
    assert "backward 61," in reports["trace"]["size"]


def test_a_drain_counts_what_went_over_the_cable_each_way(reports):
    counts = {one["what"]: one["value"] for one in reports["drain"]["counts"]}
    assert set(counts) == {
        f"{way}, of a journal of {events}" for way in ("to the hub", "back") for events in (200, 50)
    }
    assert all(value > 1 for value in counts.values())


def test_a_drain_says_how_long_the_last_station_waits_and_what_the_hub_needs(reports):
    ratios = {one["what"]: one["spread"]["low"] for one in reports["drain"]["ratios"]}
    assert ratios["slowest / median, 4 stations"] >= 1
    assert ratios["hub's memory, peak / before"] >= 1


def test_a_hub_that_lacks_an_event_of_a_drained_station_ends_the_benchmark(tmp_path):
    current = _Round(tmp_path / "round", 1, 3)
    current.reached = [f"{'00' * 16} 3 {'11' * 32}"]
    with pytest.raises(RuntimeError, match="the hub holds None where a station ends at"):
        current.check()


def test_a_server_that_cannot_start_is_said(tmp_path):
    with (
        pytest.raises(RuntimeError, match="ended before it was ready"),
        hub_served(tmp_path / "no hub"),
    ):
        pass


def test_an_unknown_name_is_a_usage_error():
    assert CliRunner().invoke(bench, ["speed"]).exit_code == 2


# --- measuring --------------------------------------------------------------------------------


def test_a_ratio_is_made_inside_each_round():
    assert Spread.of_ratios([2.0, 30.0, 4.0], [1.0, 10.0, 1.0]) == Spread(3.0, 2.0, 4.0)


def test_a_percentile_is_a_sample():
    samples = list(range(1, 101))
    assert [percentile(samples, share) for share in (0.01, 0.5, 0.99, 1.0)] == [1, 50, 99, 100]


def test_rounds_begin_with_another_work_each_time():
    seen = []
    side_by_side(2, lambda: seen.append("a"), lambda: seen.append("b"))
    assert seen == ["a", "b", "b", "a"]


def test_slices_take_turns_and_keep_samples_apart():
    seen = []
    first, second = sliced(3, 2, lambda: seen.append("a") or 1.0, lambda: seen.append("b") or 2.0)
    assert (first, second) == ([1.0] * 3, [2.0] * 3)
    assert seen == ["a", "a", "b", "b", "a", "b"]


def test_only_syncs_between_the_marks_count():
    log = "1 fdatasync(5) = 0\n1 fsync(99999) = -1 EBADF\n1 fdatasync(5) = 0\n2 fsync(7) = 0\n"
    assert syncs_between_marks(log + "1 fsync(99999) = -1 EBADF\n1 fdatasync(5) = 0\n") == 2


def test_the_floor_is_a_write_that_reached_a_file_of_its_own(tmp_path):
    with Floor(tmp_path) as floor:
        assert floor.sync() > 0
    assert (tmp_path / "floor.bin").stat().st_size > 0


def test_a_folder_in_memory_is_named_as_useless():
    (words,) = machine.warnings(Path("/dev/shm"))
    assert "in memory" in words
    assert "--dir" in words


def test_the_file_system_of_a_folder_is_known():
    assert machine.file_system(Path("/proc/self")) == "proc"


# --- report -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("better", "median", "says"),
    [
        ("lower", 2.0, "reached"),
        ("lower", 2.1, "missed"),
        ("higher", 2.0, "reached"),
        ("higher", 1.9, "missed"),
    ],
)
def test_a_goal_is_reached_by_the_median(better, median, says):
    ratio = Ratio("x / y", Spread(median, 0.1, 9.0), "G1", better, 2.0)
    assert ratio.verdict.endswith(says)


def test_a_report_for_people_shows_ratios_before_absolute_numbers():
    report = Report(
        bench="x",
        rounds=3,
        size="10 things",
        machine={"cores": "2"},
        ratios=(Ratio("ours / theirs", Spread(2.5, 2.0, 3.0), "G5", "higher", 2.0),),
        measured=(Measured("ours", "events/s", Spread(123456.0, 1.0, 2.0)),),
        counts=(Count("on the wire", 15.0, "B/event", "by hand", "G14", 20.0),),
        notes=("a note",),
    )
    text = show(report)
    assert "G5  ours / theirs" in text
    assert "2.50 [2.00-3.00]x" in text
    assert "reached" in text
    assert text.index("ratios") < text.index("123,456") < text.index("a note")
