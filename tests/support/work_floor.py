"""A plant with a real hub process where S01 and S02 have made boards, and S03 is to build lamps.

`WorkFloor.station` enrols S03 as people do. `offline_copies` of a station know everything that it
knew and never find their hub: many tests can start from the same morning.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess

from edge_agent.journal.store import DATABASE_NAME, open_reader
from hub import bootstrap
from hub.api.admin_client import ask
from tally.events import types as t
from tally.events.decoding import read_line
from tests.support.hub_floor import Station, demo_files, secret_of
from tests.support.hub_process import HubProcess

BOARDS = 200
CODES = 400
LOT = "BAT-18650-2547A"
WORKS_FROM_S = 3600


class WorkFloor:
    """The hub's folder with boards in it; `hub` serves it."""

    def __init__(self, folder):
        self.folder = folder
        hub = bootstrap.create(folder / "hub", plant="NB1", site="NB1")
        try:
            hub.publish(demo_files())
            self.boards = _boards_made(hub)
        finally:
            hub.office.store.close()
        self.hub = HubProcess(folder / "hub")
        self.hub.start()

    def station(self, name="S03", codes=CODES):
        """Enrol a station, grant it codes, let it pull everything; its folder."""
        folder = self.folder / name
        (folder / "labels").mkdir(parents=True)
        write_settings(folder)
        _tally("station", "enroll", folder, self.hub.token(name))
        grant = {"scheme": "bl2@1", "station": name, "count": codes, "request": f"block:{name}"}
        ask(self.hub.folder, "grant", grant)
        said = headless(folder, {"sync": True})
        assert said[-1]["verdict"] == "READY", said
        return folder

    def end(self):
        """Stop the hub if it runs."""
        if self.hub.process is not None:
            self.hub.end()


def offline_copy(station, folder, devices=""):
    """A copy of a station that does not run; its hub is nowhere.

    It has no neighbours either: what the copies of one station say to each other is S-106.
    """
    shutil.copytree(station, folder)
    shutil.rmtree(folder / "labels")
    (folder / "labels").mkdir()
    alone = '[hub]\naddresses = ["127.0.0.1:1"]\n[peers]\nenabled = false\n'
    write_settings(folder, alone, devices)
    return folder


def write_settings(folder, head="", devices=""):
    """A station.toml with a printer, and what else is given."""
    printer = "[disk]\nballast_mib = 0\n"
    printer += '[[device]]\nname = "printer-1"\ndriver = "label_files"\n'
    printer += f"folder = {json.dumps(str(folder / 'labels'))}\n"
    (folder / "station.toml").write_text(head + printer + devices, "utf-8")


def headless(folder, *lines):
    """Run a station without a screen over these lines; its answers to them."""
    given = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines)
    done = _tally("station", "run", folder, "--headless", "--lang", "en", given=given)
    return [line for line in map(json.loads, done.stdout.splitlines()) if line["in"] is not None]


def _tally(*arguments, given=None):
    command = ["tally", *map(str, arguments)]
    done = subprocess.run(
        command, input=given, capture_output=True, check=False, text=True, timeout=55
    )
    assert done.returncode == 0, (command, done.returncode, done.stderr, done.stdout[-2000:])
    return done


def _boards_made(hub):
    """S01 makes boards, S02 tests them."""
    smt, flash = (_joined(hub, name) for name in ("S01", "S02"))
    granted = hub.lease(smt.id, "boards", "pcb-l@1", BOARDS).block
    boards = [f"PCB-L-{granted.start + number:05d}" for number in range(BOARDS)]
    for code in boards:
        made = {"lot": "PCB-L-2546B", "scheme": "pcb-l@1", "block": granted.block, "raw": code}
        smt.add(t.UnitCommissioned(code, "PCB-L@2", step="label", source="serial-1", **made))
        smt.add(t.OperationCompleted(code, "10", "PASS", plan="smt@3"))
        flash.add(t.OperationCompleted(code, "20", "PASS", plan="flash-test@5"))
    for station in (smt, flash):
        for first in range(1, station.seq + 1, 400):
            hub.ingest(station.id, station.piece(first, min(first + 399, station.seq)))
    return boards


def _joined(hub, name):
    station = Station(name)
    began = hub.office.now() - dt.timedelta(seconds=WORKS_FROM_S)
    station.clock_ms = int(began.timestamp() * 1000)
    hub.enroll(secret_of(hub.open_token(name, ["127.0.0.1:1"])), station.piece())
    return station


def events_of(folder):
    """What the station's journal holds, oldest first; also while the station runs."""
    connection = open_reader(folder / DATABASE_NAME)
    try:
        rows = connection.execute("SELECT line FROM event ORDER BY seq").fetchall()
    finally:
        connection.close()
    return [read_line(line).b for (line,) in rows]
