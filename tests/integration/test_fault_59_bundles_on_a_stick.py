"""Fault 59: sticks that are pulled out, cut short, flipped, full, read-only, foreign, old."""

import os
import random
import resource
import shutil
import subprocess
from dataclasses import replace

import pytest

from edge_agent.bootstrap.folder import load_identity
from edge_agent.bootstrap.opening import open_journal
from edge_agent.cli import station as station_commands
from edge_agent.station.clock import SystemClock
from hub import trust
from hub.cli import hub as hub_commands
from tally.commands.verify import verify
from tally.records.bundle import CLOSED, PART_BYTES_MAX, opening, parts_in, read_opening
from tests.support.hub_process import HubProcess
from tests.support.station_process import TALLY
from tests.support.sticks import Island, run

WORK = range(401, 421)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An island whose station has worked and exported, to be copied."""
    island = Island(tmp_path_factory.mktemp("made") / "island")
    island.take("S03", island.answer("S03", "first.tlyb"))
    island.work("S03", WORK)
    island.out("S03", "S03.tlyb")
    return island


@pytest.fixture
def island(made, tmp_path):
    folder = tmp_path / "island"
    shutil.copytree(made.folder, folder)
    copy = object.__new__(Island)
    copy.folder, copy.hub, copy.stick = folder, folder / "hub", folder / "stick"
    return copy


@pytest.fixture
def file(island):
    return island.stick / "S03.tlyb"


def edges(file):
    """The offset at which each part ends, after that of the first part's beginning."""
    with file.open("rb") as raw:
        bundle = read_opening(raw)
        found = [raw.tell()]
    for part in bundle.parts:
        found.append(found[-1] + part.size)
    return found


def stored(told):
    return sum(one["stored"] for one in told)


def test_fault_59_a_station_without_any_network_gets_its_codes_and_gives_its_work_by_stick(
    tmp_path,
):
    island = Island(tmp_path / "island")
    run(hub_commands, "grant", island.hub, "bl2@1", "S03", 100, "--block", "B-1")
    told = island.take("S03", island.answer("S03", "to.tlyb"))
    assert told["stored"] > 10
    assert "B-1" in run(station_commands, "codes", island.folder / "S03")
    island.work("S03", WORK)
    assert island.status("S03")["unsent"] == len(WORK) + 1  # and one start
    out = island.out("S03", "out.tlyb")
    assert island.verify(out, 0)["ok"]
    assert stored(island.bring(out)) == len(WORK) + 1
    back = island.answer("S03", "back.tlyb", "--since", out)
    assert island.take("S03", back)["acknowledged"] == island.status("S03")["seq"]
    assert island.status("S03")["unsent"] == 0


def test_fault_59_what_a_neighbour_did_arrives_by_stick_when_the_answer_knows_what_is_held(
    tmp_path,
):
    island = Island(tmp_path / "island", ("S02", "S03"))
    for name in ("S02", "S03"):
        island.take(name, island.answer(name, f"to-{name}.tlyb"))
        island.work(name, (401, 402))
        island.bring(island.out(name, f"{name}.tlyb"))
    back = island.answer("S03", "back.tlyb", "--since", island.stick / "S03.tlyb")
    assert "S02" in [one["writer"] for one in island.verify(back)["journals"]]
    island.take("S03", back)
    assert "S02" in [one["name"] for one in island.status("S03")["others"]]
    onward = island.out("S03", "onward.tlyb")  # and a stick of S03 carries it on, as S02 wrote it
    assert "S02" in [one["writer"] for one in island.verify(onward)["journals"]]
    assert stored(island.bring(onward)) == 0


def test_fault_59_imported_twice_changes_nothing(island, file):
    assert stored(island.bring(file)) == len(WORK) + 1
    before = island.fingerprint()
    assert stored(island.bring(file, file)) == 0
    assert island.fingerprint() == before


def test_fault_59_an_older_bundle_than_what_is_there_changes_nothing(island, file):
    island.work("S03", (430, 431))
    island.bring(island.out("S03", "newer.tlyb"))
    newest = island.answer("S03", "newest.tlyb")
    island.take("S03", newest)
    before = island.fingerprint()
    assert stored(island.bring(file)) == 0
    assert island.fingerprint() == before
    told = island.take("S03", island.stick / "first.tlyb")
    assert (told["stored"], told["acknowledged"]) == (0, None)
    assert island.status("S03")["unsent"] == 0


def test_fault_59_a_bundle_cut_anywhere_gives_the_parts_before_the_cut_and_names_the_rest(
    island, file
):
    whole, ends = file.read_bytes(), edges(file)
    cut = island.stick / "cut.tlyb"
    places = {*range(0, len(whole), max(1, len(whole) // 40)), *ends, *(e - 1 for e in ends)}
    for place in sorted(places - {len(whole)}):
        cut.write_bytes(whole[:place])
        report = island.verify(cut, 1)
        held = sum(end <= place for end in ends[1:])
        assert (report["ok"], report["holding"]) == (False, held), place
        missing = len(ends) - 1 - held if place >= ends[0] else 1
        assert len(report["problems"]) >= missing, place


@pytest.mark.parametrize("part", [0, 1])
def test_fault_59_a_cut_bundle_is_imported_as_far_as_it_is_whole(island, file, part):
    whole, ends = file.read_bytes(), edges(file)
    cut = island.stick / "cut.tlyb"
    cut.write_bytes(whole[: ends[part + 1] - 1])
    (told,) = island.bring(cut, status=1)
    assert len(told["problems"]) == len(ends) - 1 - part
    assert all("is missing: the file ends before it is whole" in one for one in told["problems"])
    assert len(told["parts"]) == part
    assert stored(island.bring(file)) == len(WORK) + 1 - told["stored"]


def test_fault_59_one_flipped_bit_is_found_wherever_it_is(island, file):
    whole, start = file.read_bytes(), edges(file)[0]
    dice = random.Random(59)
    flipped = island.stick / "flipped.tlyb"
    for at in sorted(dice.sample(range(len(whole)), 120)):
        data = bytearray(whole)
        data[at] ^= 1 << dice.randrange(8)
        flipped.write_bytes(data)
        report = island.verify(flipped, 1)
        assert report["problems"], at
        if at >= start:  # in a part: that one alone is lost, or what rests on its keys
            assert report["parts"] > report["holding"], at


def test_fault_59_a_flipped_part_is_named_and_the_others_are_taken(island, file):
    data, ends = bytearray(file.read_bytes()), edges(file)
    data[ends[0] + 400] ^= 4  # in the keys, which the hub has
    file.write_bytes(data)
    (told,) = island.bring(file, status=1)
    assert told["stored"] == len(WORK) + 1
    assert "was changed" in told["problems"][0]
    assert len(told["problems"]) == 1


def test_fault_59_a_bundle_of_another_plant_is_refused_by_key_and_left_alone(island, tmp_path):
    other = Island(tmp_path / "other")
    foreign = other.answer("S03", "foreign.tlyb")
    before = foreign.read_bytes(), island.fingerprint(), island.status("S03")
    assert "is of another plant" in run(
        hub_commands, "bundle", "import", island.hub, foreign, status=1
    )
    words = run(station_commands, "journal", island.folder / "S03", "import", foreign, status=1)
    assert "is of another plant" in words
    assert (foreign.read_bytes(), island.fingerprint(), island.status("S03")) == before
    report = other.verify(foreign)
    refused = run_verify_for(island, foreign)
    assert report["ok"]
    assert "Expected the plant" in refused


def run_verify_for(island, file):
    """Verify a file for somebody who trusts the island's plant."""
    plant = trust.load(island.hub).fingerprint
    return run(verify, file, "--plant", plant[:12], status=1)


def test_fault_59_a_stick_without_space_is_said_so_and_keeps_nothing(island):
    def no_space():
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    target = island.stick / "full.tlyb"
    with open_journal(island.folder / "S03", SystemClock()):  # it runs, with its files
        done = subprocess.run(
            [TALLY, "station", "journal", island.folder / "S03", "export", target],
            capture_output=True,
            text=True,
            preexec_fn=no_space,
            check=False,
        )
    assert done.returncode == 1
    assert "does not fit" in done.stderr
    assert "Traceback" not in done.stderr
    assert [one.name for one in island.stick.glob("full*")] == []


def test_fault_59_a_place_that_cannot_be_written_is_said_so(island):
    for target in ("/proc/S03.tlyb", "/sys/S03.tlyb", island.stick / "absent" / "S03.tlyb"):
        words = run(station_commands, "journal", island.folder / "S03", "export", target, status=1)
        assert "cannot be written" in words, target


def test_fault_59_a_bundle_that_exists_is_never_overwritten(island, file):
    before = file.read_bytes()
    words = run(station_commands, "journal", island.folder / "S03", "export", file, status=1)
    assert "exists already" in words
    assert "exists already" in run(
        hub_commands, "bundle", "export", island.hub, "S03", file, status=1
    )
    assert file.read_bytes() == before


def test_fault_59_a_stick_that_gives_back_other_bytes_keeps_nothing(island, monkeypatch):
    # The one thing no file system here does by itself: to forget what was flushed.
    flush = os.fsync

    def worn(descriptor):
        flush(descriptor)
        size = os.fstat(descriptor).st_size
        if size > 2000:
            os.pwrite(descriptor, b"\xff", size - 300)

    monkeypatch.setattr(os, "fsync", worn)
    target = island.stick / "worn.tlyb"
    words = run(station_commands, "journal", island.folder / "S03", "export", target, status=1)
    assert "did not read back as it was written" in words
    assert [one.name for one in island.stick.glob("worn*")] == []


def test_fault_59_a_running_station_exports_and_asks_to_be_stopped_before_an_import(island, file):
    with open_journal(island.folder / "S03", SystemClock()):
        assert island.verify(island.out("S03", "while.tlyb"))["ok"]
        words = run(station_commands, "journal", island.folder / "S03", "import", file, status=1)
    assert "J-101" in words
    assert "stop it first" in words


def test_fault_59_anything_else_that_lies_on_a_stick_is_refused_in_words(island):
    junk = island.stick / "junk.tlyb"
    dice = random.Random(7)
    beginnings = (
        b"",
        b"\n",
        b"{}",
        b'{"tally":"bundle/2"}\n' + b"A" * 88 + b"\n",
        b'{"tally":"bundle/1"}\n' + b"A" * 88 + b"\n",
        b'{"tally":"bundle/1","plant":' + b"[" * 200_000,
        b'{"tally":"bundle/1","plant":"' + b"x" * 9_000_000,
        dice.randbytes(PART_BYTES_MAX),
    )
    before = island.fingerprint(), island.status("S03")
    for beginning in beginnings:
        junk.write_bytes(beginning)
        for words in (
            run(hub_commands, "bundle", "import", island.hub, junk, status=1),
            run(station_commands, "journal", island.folder / "S03", "import", junk, status=1),
        ):
            assert str(junk) in words
            assert len(words) < 1000
    run(hub_commands, "bundle", "import", island.hub, island.stick, status=2)
    run(hub_commands, "bundle", "import", island.hub, island.stick / "absent.tlyb", status=1)
    assert (island.fingerprint(), island.status("S03")) == before


def test_fault_59_a_file_that_is_none_keeps_no_other_from_being_taken(island, file):
    junk = island.stick / "junk.tlyb"
    junk.write_bytes(b"holiday pictures")
    told = island.bring(junk, file, status=1)
    assert [one["stored"] for one in told] == [0, len(WORK) + 1]
    assert "This is no bundle" in told[0]["problems"][0]


def test_fault_59_a_hub_that_serves_takes_a_bundle_and_answers_beside_its_work(island, file):
    hub = HubProcess(island.hub)
    hub.start()
    try:
        assert stored(island.bring(file)) == len(WORK) + 1
        back = island.answer("S03", "back.tlyb", "--since", file)
        assert stored(island.bring(file)) == 0
    finally:
        hub.end()
    assert island.take("S03", back)["acknowledged"] == island.status("S03")["seq"]


def test_fault_59_of_many_problems_a_person_is_shown_the_first_and_their_number(island, file):
    with file.open("rb") as raw:
        bundle = read_opening(raw)
    key = load_identity(island.folder / "S03").key
    many = island.stick / "many.tlyb"
    many.write_bytes(opening(replace(bundle, parts=bundle.parts[:1] * 500), key))
    for words in (
        run(hub_commands, "bundle", "import", island.hub, many, status=1),
        run(station_commands, "journal", island.folder / "S03", "import", many, status=1),
        run(verify, many, status=1),
    ):
        assert words.count("NOT OK") == 20
        assert "and 48" in words


def test_fault_59_the_parts_of_a_bundle_are_read_in_order_and_each_is_what_the_list_says(file):
    with file.open("rb") as raw:
        bundle = read_opening(raw)
        found = list(parts_in(bundle, raw))
        assert raw.read() == b""
    assert [one.words for one in found] == [""] * len(bundle.parts)
    assert [str(one.fields) for one in found] == [str(one) for one in bundle.parts]


def test_the_grants_on_a_stick_are_for_their_station_alone(island):
    island.join("S04")
    run(hub_commands, "grant", island.hub, "bl2@1", "S03", 100, "--block", "B-SECRET")
    file = island.answer("S03", "sealed.tlyb")
    assert b"B-SECRET" not in file.read_bytes()
    with file.open("rb") as raw:
        bundle = read_opening(raw)
        found = list(parts_in(bundle, raw))
    names = {part.fields.journal for part in found if part.is_closed}
    assert len(names) == 1, "the feed of grants, and nothing else"
    told = island.verify(file, 0)
    assert (told["ok"], told["sealed"]) == (True, sum(part.is_closed for part in found))

    other = island.take("S04", file, status=1)
    assert len(other["problems"]) == told["sealed"]
    assert "sealed for the station that the bundle was made for" in other["problems"][0]
    assert stored(island.bring(file)) == 0, "at the hub all of it is at home"

    island.take("S03", file)
    assert "B-SECRET" in run(station_commands, "codes", island.folder / "S03")


def test_a_changed_seal_on_a_stick_opens_nothing_and_harms_no_other_part(island):
    run(hub_commands, "grant", island.hub, "bl2@1", "S03", 100)
    file = island.answer("S03", "sealed.tlyb")
    whole = bytearray(file.read_bytes())
    at = whole.index(CLOSED) + len(CLOSED) + 40
    whole[at] ^= 1
    file.write_bytes(whole)
    told = island.take("S03", file, status=1)
    assert len(told["problems"]) == 1
    assert "was changed" in told["problems"][0]
    assert told["held"] > 0


def test_a_station_of_an_older_version_is_told_how_to_get_its_grants_sealed(island):
    island.join("S04", is_old=True)
    told = run(hub_commands, "bundle", "export", island.hub, "S04", island.stick / "old.tlyb")
    assert "To get one, enrol the station anew" in told
    assert island.take("S04", island.stick / "old.tlyb")["problems"] == []
