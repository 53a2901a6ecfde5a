"""The allocator under 64 requests at once, with the hub killed in the middle."""

import signal
import subprocess
import sys
from pathlib import Path

from hub.bootstrap import create, open_hub
from hub.services.rebuilding import check
from tally.records.ids import show_journal
from tests.support.hub_floor import demo_files, enrolled

CHILD = Path(__file__).with_name("hub_leasing_child.py")


def _prepared(directory):
    hub = create(directory, plant="NB1", site="NB1")
    hub.publish(demo_files())
    station = enrolled(hub)
    hub.office.store.close()
    return station


def _granted_until_killed(directory, station, lines):
    """What 64 threads were granted before SIGKILL, as {request: (start, count)}."""
    command = [sys.executable, str(CHILD), str(directory), show_journal(station.id), "64"]
    granted = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            request, start, count = line.split()
            granted[request] = (int(start), int(count))
            if len(granted) == lines:
                child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    return granted


def test_grants_never_overlap_and_none_is_lost_when_the_hub_is_killed(tmp_path):
    station = _prepared(tmp_path / "hub")
    told = {}
    for lines in (100, 150):
        first = _granted_until_killed(tmp_path / "hub", station, lines)
        assert all(told.get(request, grant) == grant for request, grant in first.items())
        told |= first
    hub = open_hub(tmp_path / "hub")
    try:
        blocks = {row["request"]: (row["start"], row["count"]) for row in hub.show("blocks")}
        # What was answered is there; what was not may be there too, and the same request finds it.
        assert told.items() <= blocks.items()
        counters = [c for start, count in blocks.values() for c in range(start, start + count)]
        assert len(counters) == len(set(counters)) == 7 * len(blocks)
        request, grant = next(iter(told.items()))
        again = hub.lease(station.id, request, "bl2@1", 7)
        assert ((again.block.start, again.block.count), again.repeated) == (grant, True)
        leases = hub.office.secrets.feeds["leases"].journal
        assert hub.frontier()[leases][0] == 1 + len(blocks)
        assert check(hub.office).differences == ()
    finally:
        hub.office.store.close()
