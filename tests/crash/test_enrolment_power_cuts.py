"""A computer that loses power while it becomes a station: the same token still makes it one."""

import subprocess
from contextlib import suppress

import pytest

from edge_agent.bootstrap.enrolment import AlreadyEnrolledError, enroll_here
from edge_agent.bootstrap.folder import load_identity, settings_of
from edge_agent.bootstrap.opening import open_journal
from edge_agent.sync.enrolling import EnrolmentError
from tests.crash import cutting
from tests.crash.disk import Disk
from tests.crash.recording import Recorder
from tests.support.hub_process import hub_process
from tests.support.station_process import TALLY
from tests.support.stations import TestClock

pytestmark = pytest.mark.timeout(3600 if cutting.IS_FULL else 300)

DEVICE = "name=serial-1,driver=serial_port,port=/dev/ttyUSB0"


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with hub_process(tmp_path_factory.mktemp("floor") / "hub") as serving:
        yield serving


@pytest.fixture(scope="module")
def enrolment(hub, tmp_path_factory):
    """A recorded enrolment, its token, and the journal that the hub then knows."""
    folder = tmp_path_factory.mktemp("enrolment")
    place = folder / "S03"
    place.mkdir()
    recorder, token = Recorder(folder, place), hub.token("S03")
    command = [TALLY, "station", "enroll", str(place), token, "--device", DEVICE]
    with recorder.recording():
        subprocess.run(command, check=True, capture_output=True)
    return recorder, token, load_identity(place).journal


def when_the_hub_was_shown_event_1(calls):
    """Number of the first call after which the hub may know the journal."""
    founded = next(
        n for n, c in enumerate(calls) if c.kind == "u" and c.content.endswith(b"db-wal\0")
    )
    return next(n for n, c in enumerate(calls, 1) if c.kind == "n" and n > founded)


def enrolled_after_all(folder, token):
    """Do as people do: the same command again; the journal that it ended up with."""
    with suppress(AlreadyEnrolledError):
        assert enroll_here(folder, token, [DEVICE], "en") == "S03"
    assert [table["name"] for table in settings_of(folder).devices] == ["serial-1"]
    with open_journal(folder, TestClock()) as journal:
        assert journal.seq == 2
        return journal.identity.journal


def test_after_a_power_cut_the_same_token_makes_the_same_station(hub, enrolment):
    recorder, token, journal = enrolment
    calls = recorder.calls()
    shown = when_the_hub_was_shown_event_1(calls)
    disk = Disk(recorder.folder, recorder.before)
    count = 0
    with cutting.somewhere() as place:
        for number, folder, _, words in cutting.power_cuts(disk, calls, place, 400):
            count += 1
            if number < shown:
                # With a token of its own: that of the record may be used up by the record.
                with suppress(EnrolmentError):  # the hub knows the journal, from the record
                    enrolled_after_all(folder, hub.token("S03"))
                    continue
            assert enrolled_after_all(folder, token) == journal, words
    assert count > 100


def test_the_folder_is_a_station_once_the_command_said_so(enrolment):
    recorder, token, journal = enrolment
    calls = recorder.calls()
    disk = Disk(recorder.folder, recorder.before)
    with cutting.somewhere() as place:
        for _, folder, promises, words in cutting.power_cuts(disk, calls, place, 400):
            if any("is enrolled" in line for line in cutting.lines_of(promises)):
                with pytest.raises(AlreadyEnrolledError):
                    enroll_here(folder, token, [DEVICE], "en")
                assert load_identity(folder).journal == journal, words
