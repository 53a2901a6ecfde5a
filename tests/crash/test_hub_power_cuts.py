"""A hub that loses power at any moment: what it signed for, granted and published is there."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hub.bootstrap import create, open_hub
from hub.services import Refused, journals
from hub.services.rebuilding import check
from hub.settings import SettingsError
from hub.store.port import StoreFault
from hub.trust import TrustFault
from tally.records.ids import GENESIS, parse_event_id, parse_journal
from tests.crash import cutting
from tests.crash.disk import Disk, Kept
from tests.crash.recording import Recorder
from tests.support.hub_floor import Station

pytestmark = pytest.mark.timeout(7200 if cutting.IS_FULL else 400)

TREE = Path(__file__).parents[2]
IN_WORDS = (TrustFault, StoreFault, SettingsError)


def record(folder, synchronous="FULL"):
    place = folder / "hub"
    place.mkdir()
    recorder = Recorder(folder, place)
    command = [sys.executable, "-m", "tests.crash.hub_child", str(place), synchronous]
    with recorder.recording():
        subprocess.run(command, check=True, cwd=TREE, stdout=subprocess.PIPE)
    return recorder


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """The recording of a hub's making and of a day's work, with a restart at noon."""
    return record(tmp_path_factory.mktemp("day"))


# --- what is held against it ------------------------------------------------------------------


def check_receipts(hub, told, words):
    for line in told:
        if "receipt" in line:
            at = (line["seq"], parse_event_id(line["id"]))
            assert hub.common(parse_journal(line["receipt"]), [at]) == at, words


def check_grants(hub, told, words):
    """Every grant is there, the same request has the same one, and no range was given twice."""
    granted = [line for line in told if "grant" in line]
    rows = {(row["journal"], row["request"]): row for row in hub.show("blocks")}
    for line in granted:
        row = rows[line["grant"], line["request"]]
        assert (row["start"], row["count"]) == (line["start"], line["count"]), words
    if not granted:
        return
    last = granted[-1]
    journal = parse_journal(last["grant"])
    again = hub.lease(journal, last["request"], "bl2@1", last["count"])
    assert (again.block.start, again.repeated) == (last["start"], True), words
    hub.lease(journal, "after the power cut", "bl2@1", 9)
    ranges = [(row["start"], row["count"]) for row in hub.show("blocks")]
    counters = [n for start, count in ranges for n in range(start, start + count)]
    assert len(counters) == len(set(counters)), words


def check_decisions(hub, told, words):
    known = {d.ref for case in hub.office.store.ledger.cases() for d in case.decisions}
    assert {line["ref"] for line in told if "decided" in line} <= known, words


def check_stations(hub, told, words):
    """Who was enrolled is known; a token that was not used up lets its station in."""
    for line in told:
        if "enrolled" in line:
            assert hub.key_of(parse_journal(line["enrolled"])) is not None, words
        if "token" in line:
            station = Station(line["station"])
            enrolled = hub.enroll(line["token"], station.piece())
            assert enrolled.station == line["station"], words


def check_chains(hub, words):
    """Every journal runs from its beginning to where the hub says that it stands."""
    store = hub.office.store
    for journal in store.journals():
        reached = {0: GENESIS}
        for first, before, ids, _, _ in journals.runs(store, journal):
            assert reached[first - 1] == before, words
            reached[first + len(ids) - 1] = ids[-1]
        for branch in store.branches(journal.no):
            assert reached[branch.tip_seq] == branch.tip_id, words


def check_what_is_left(folder, told, words):
    """Start the hub again, the product's own way, and hold it against what it had said."""
    try:
        hub = open_hub(folder)
    except IN_WORDS:
        # Cut short while it was made: as the words say, clear the folder and make it again.
        assert not told, words
        shutil.rmtree(folder)
        hub = create(folder, plant="NB1", site="NB1")
    try:
        made = [line["made"] for line in told if "made" in line]
        assert made in ([], [hub.root.raw.hex()]), words
        assert cutting.damage(hub.office.store._connection) == [], words
        check_chains(hub, words)
        assert check(hub.office).differences == (), words
        check_receipts(hub, told, words)
        check_grants(hub, told, words)
        check_decisions(hub, told, words)
        check_stations(hub, told, words)
    finally:
        hub.office.store.close()


def sweep(recorder, wanted):
    """Cut the power again and again; how often."""
    disk = Disk(recorder.folder, recorder.before)
    count = 0
    with cutting.somewhere() as place:
        for _, folder, promises, words in cutting.power_cuts(disk, recorder.calls(), place, wanted):
            told = [json.loads(line) for line in cutting.lines_of(promises)]
            check_what_is_left(folder, told, words)
            count += 1
    return count


# --- tests ------------------------------------------------------------------------------------


def test_the_record_is_whole_and_has_a_checkpoint_amid_the_work(day):
    disk = Disk(day.folder, day.before)
    syncs, opened = [], {}
    for call in day.calls():
        disk.does(call)
        if call.kind == "o":
            opened[call.fd] = call.content.rpartition(b"/")[2].decode()
        if call.kind == "s":
            syncs.append(opened[call.fd])
    found = {
        path.name: path.read_bytes()
        for path in day.folder.iterdir()
        if not path.name.endswith("-shm")
    }
    assert disk.after_power_cut(Kept()) == found
    assert syncs.count("hub.db") >= 3  # twice when it was closed
    assert "hub.db-wal" in syncs[syncs.index("hub.db") :]


def test_after_a_power_cut_at_any_moment_nothing_acknowledged_is_missing(day):
    assert sweep(day, 150) > 250


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_a_hub_that_does_not_wait_for_the_disk_would_be_caught(tmp_path, synchronous):
    with pytest.raises((AssertionError, Refused, KeyError, *IN_WORDS)):
        sweep(record(tmp_path, synchronous), 150)


def test_5_a_disk_that_lies_about_a_sync_is_refused_in_words_or_gone_on_from(tmp_path):
    recorder = record(tmp_path, "OFF")
    disk = Disk(recorder.folder, recorder.before)
    said, gone_on = [], 0
    with cutting.somewhere() as place:
        for _, folder, _, _ in cutting.power_cuts(disk, recorder.calls(), place, 150):
            try:
                hub = open_hub(folder)
            except IN_WORDS as fault:
                said.append(str(fault))
                continue
            hub.office.store.close()
            gone_on += 1
    assert gone_on > 0
    assert said
    assert all(said)
