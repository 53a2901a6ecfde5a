"""Plants as earlier versions of the program left them: `tests/golden/plants`, unpacked and run.

A hub's folder and a station's; events that the hub does not have yet, a lamp on the bench.
"""

import json
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing, contextmanager
from pathlib import Path

from edge_agent.bootstrap.folder import load_identity
from hub.bootstrap import open_hub
from hub.services import journals
from tests.support.hub_process import HubProcess
from tests.support.station_process import TALLY

PLANTS = Path(__file__).parents[1] / "golden" / "plants"
VERSIONS = tuple(sorted(int(path.name[6:-7]) for path in PLANTS.glob("plant-*.tar.xz")))
THIS = (TALLY,)


def other_version(least, most):
    """The command of a program that speaks this range of protocols, and in longer messages."""
    return (sys.executable, "-m", "tests.support.other_version", str(least), str(most))


class Plant:
    """One unpacked plant.

    Attributes:
        hub, station: folders.
        told: ids of the events that the station had answered with, hex.
    """

    def __init__(self, version, place):
        with tarfile.open(PLANTS / f"plant-{version}.tar.xz") as packed:
            packed.extractall(place)  # our own files; Debian's 3.11.2 knows no filter yet
        self.hub, self.station = place / "plant" / "hub", place / "plant" / "S03"
        self.told = json.loads((place / "plant" / "told.json").read_text("utf-8"))
        self.settle("127.0.0.1:1")

    def settle(self, address):
        """Tell the station where its hub is, and give it a printer."""
        labels = self.station / "labels"
        labels.mkdir(exist_ok=True)
        printer = f'name = "printer-1"\ndriver = "label_files"\nfolder = "{labels}"\n'
        text = f'[hub]\naddresses = ["{address}"]\n[[device]]\n{printer}'
        (self.station / "station.toml").write_text(text, "utf-8")

    @contextmanager
    def serving(self, program=THIS):
        """The hub's program on the hub's folder, found by the station."""
        hub = HubProcess(self.hub)
        hub.start(program)
        self.settle(hub.stations)
        try:
            yield hub
        finally:
            hub.end()

    def work(self, *lines, program=THIS):
        """Run the station over these lines; its answers to them."""
        given = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines)
        command = [*program, "station", "run", str(self.station), "--headless", "--lang", "en"]
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        said = [json.loads(line) for line in done.stdout.splitlines()]
        self.told += [event for line in said for event in line["events"]]
        return [line for line in said if line["in"] is not None]

    def rows(self):
        """Every own event as it lies in the station's file: (seq, id, line)."""
        with closing(sqlite3.connect(self.station / "journal.db")) as connection:
            return connection.execute("SELECT seq, id, line FROM event ORDER BY seq").fetchall()

    def ids_at_hub(self):
        """Every event id of the station that the hub, which is stopped, holds; hex."""
        hub = open_hub(self.hub)
        try:
            store = hub.office.store
            row = store.find_journal(load_identity(self.station).journal)
            return {one.hex() for _, _, ids, _, _ in journals.runs(store, row) for one in ids}
        finally:
            hub.office.store.close()


def schema_of(path):
    """The version that a database says it has."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]
