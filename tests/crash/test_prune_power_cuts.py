"""A station that loses power while it deletes old events: each is wholly there or wholly gone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.bootstrap.opening import open_journal
from edge_agent.journal.left import own_id, pruned_through
from edge_agent.journal.pruning import broken_segment
from edge_agent.journal.tail import check_range
from tests.crash import cutting
from tests.crash.disk import Disk
from tests.crash.pruning_child import SEGMENTS
from tests.crash.recording import Recorder
from tests.support.stations import Bench, Plant, TestClock

pytestmark = pytest.mark.timeout(3600 if cutting.IS_FULL else 300)
TREE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def recorder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prune")
    place = folder / "S03"
    place.mkdir()
    Bench(Plant(), "S03", place)
    recorder = Recorder(folder, place)
    command = [sys.executable, "-m", "tests.crash.pruning_child", str(place)]
    with recorder.recording():
        subprocess.run(command, check=True, cwd=TREE, stdout=subprocess.PIPE)
    return recorder


def check_what_is_left(folder, told, words):
    """The chain holds, no event is half gone, what was said to be gone is, and work goes on."""
    with open_journal(folder, TestClock()) as journal:
        connection, own = journal.connection, journal.identity
        done = pruned_through(connection)
        assert done >= max((line["pruned"] for line in told), default=0), words
        check_range(connection, own, 1, 1)
        check_range(connection, own, done + 1, journal.seq)
        assert broken_segment(connection, own.journal, own.key.public) is None, words
        assert all(own_id(connection, seq) for seq in range(1, journal.seq + 1)), words
        held = {row[0] for row in connection.execute("SELECT seq FROM event")}
        assert held == {1, *range(done + 1, journal.seq + 1)}, words
        assert cutting.damage(connection) == [], words
        means = journal.ledger.fingerprint().hex64
        connection.execute("DELETE FROM meta WHERE key = 'ruleset'")
    with open_journal(folder, TestClock(), starts=False) as again:
        assert again.ledger.fingerprint().hex64 == means, words
        assert again.ledger.gaps() == (), words
        return done


def test_61_after_a_power_cut_while_events_are_deleted_each_is_there_or_gone(recorder):
    calls = recorder.calls()
    disk = Disk(recorder.folder, recorder.before)
    found = set()
    with cutting.somewhere() as place:
        for _, folder, promises, words in cutting.power_cuts(disk, calls, place, 60):
            told = [json.loads(line) for line in cutting.lines_of(promises)]
            found.add(check_what_is_left(folder, told, words))
    assert len(found) == SEGMENTS, found  # none, and after each segment but the last
