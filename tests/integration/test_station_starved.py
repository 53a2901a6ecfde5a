"""Fault 64 (`docs/design/reliability.md` 4.3) at the station: no free files, no memory, hardly any
processor. What it answered is on the disk, and what it cannot do it says.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import threading
from pathlib import Path

import pytest

from edge_agent.journal.store import open_reader
from edge_agent.journal.tail import check_range
from tests.support.station_process import Died, Running, enrolled, tally

pytestmark = pytest.mark.timeout(240)
BADGE = {"badge": "BDG-1107"}
MIB = 1024 * 1024


@pytest.fixture
def bench(tmp_path):
    return enrolled(tmp_path / "S03")


def say_wrong(station, text):
    """A scan that is refused; a lead unlocks what locks after several."""
    answer = station.say(text)
    if answer["verdict"] == "LOCK":
        station.say({"badge": "BDG-2004"})
    return answer


def on_disk(bench):
    """Ids of all own events, after checking every hash."""
    with contextlib.closing(open_reader(bench.path)) as connection:
        (last,) = connection.execute("SELECT max(seq) FROM event").fetchone()
        check_range(connection, bench.identity, 1, last)
        return {event_id.hex() for (event_id,) in connection.execute("SELECT id FROM event")}


def is_whole(bench):
    """Whether the doctor finds nothing and the station starts and works."""
    with Running(bench.folder) as station:
        station.say(BADGE)
        station.say({"badge": "BDG-2004"})
        works = bool(station.say("X-after")["events"])
        station.end()
    return works and tally("station", "doctor", bench.folder).returncode == 0


def test_64_with_not_one_free_file_every_answer_is_true_and_files_bring_it_back(bench):
    with Running(bench.folder) as station:
        station.say(BADGE)
        pid = station.process.pid
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        # Standard streams stay; what else is open stays too, and nothing can be opened anew.
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        for number in range(3):
            say_wrong(station, f"X-{number}")
        unprinted = station.say({"command": "CTLNEXT"})
        assert unprinted["verdict"] == "NG"
        assert "Too many open files" in unprinted["text"]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        assert station.say({"command": "CTLNEXT"})["verdict"] == "OK"
        status, _ = station.end()
    assert status == 0
    assert set(station.events) <= on_disk(bench)
    assert is_whole(bench)


def test_64_a_station_that_gets_no_more_memory_loses_no_answer(bench):
    with Running(bench.folder) as station:
        station.say(BADGE)
        pid = station.process.pid
        size = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
        _, hard = resource.prlimit(pid, resource.RLIMIT_AS)
        resource.prlimit(pid, resource.RLIMIT_AS, (size + MIB, hard))
        with contextlib.suppress(Died):  # it may end; it may not lie
            for number in range(60):
                say_wrong(station, f"X-{number}" + "y" * 3000)
        station.end()
    assert set(station.events) <= on_disk(bench)
    assert is_whole(bench)


def test_64_a_station_that_gets_the_processor_now_and_then_answers_everything_in_order(bench):
    done = threading.Event()
    with Running(bench.folder) as station:
        station.say(BADGE)

        def starve():
            while not done.is_set():
                station.process.send_signal(signal.SIGSTOP)
                done.wait(0.04)
                station.process.send_signal(signal.SIGCONT)
                done.wait(0.01)

        starving = threading.Thread(target=starve)
        starving.start()
        try:
            answers = [station.say(f"X-{number}")["in"] for number in range(20)]
        finally:
            done.set()
            starving.join()
        station.end()
    assert answers == [f"X-{number}" for number in range(20)]
    assert set(station.events) <= on_disk(bench)
