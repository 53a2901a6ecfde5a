"""A line of stations as processes that know each other and never meet a hub.

What the hub would have told them (keys, master data, blocks) stands in their journals already;
where their neighbours are stands in `[peers]`.
"""

import json
import random
import socket
import time
from contextlib import ExitStack, contextmanager, suppress

from edge_agent.journal.store import open_reader
from edge_agent.station import looking
from tests.support.station_process import Running
from tests.support.stations import NOON, Bench, Plant, demo_grants, writing_of

LINE = "L2"
PATIENCE_S = 50


def free_ports(count):
    """Ports that are free now, away from those the kernel hands out."""
    found = []
    with ExitStack() as held:
        while len(found) < count:
            port = random.SystemRandom().randrange(20_000, 32_000)
            with suppress(OSError):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
                found.append(port)
    return found


class Line:
    """Stations of one line below a folder; `start` runs one, `ports` says where its door is.

    `grants`: blocks as (block, scheme, start, count, station); without it those of the demo plant.
    """

    def __init__(self, folder, names=("S02", "S03"), grants=None):
        self.folder = folder
        self.grants = demo_grants() if grants is None else grants
        self.plant = Plant()
        self.plant.publish_demo()
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.benches = {name: self._bench(name) for name in names}
        for bench in self.benches.values():
            self._know(bench)
        self.told = {}
        for name, bench in self.benches.items():
            journal = bench.open(start=False)
            for data in self.plant.everything():
                journal.ingest(data, at=NOON)
            journal.connection.close()
            self.settle(name, [f"127.0.0.1:{port}" for port in self.ports.values()])

    def _bench(self, name):
        (self.folder / name / "labels").mkdir(parents=True)
        return Bench(self.plant, name, self.folder / name, line=LINE)

    def _know(self, bench):
        writing = writing_of(bench.identity.station)
        writing.id, writing.key = bench.identity.journal, bench.identity.key
        self.plant.enrol(writing, LINE)
        for block, scheme, start, number, station in self.grants:
            if station == bench.identity.station:
                self.plant.grant(block, scheme, start, number, bench.identity)

    def settle(self, name, addresses, *, enabled=True, listen="127.0.0.1", mdns=False):
        """Write the settings of a station; its start waits as long as a busy machine needs."""
        folder = self.folder / name
        (folder / "station.toml").write_text(
            f'[peers]\nenabled = {json.dumps(enabled)}\nlisten = "{listen}"\n'
            f"port = {self.ports[name]}\naddresses = {json.dumps(addresses)}\n"
            f"mdns = {json.dumps(mdns)}\n\n[journal]\nstart_waits_s = 60\n\n"
            f'[[device]]\nname = "printer-1"\ndriver = "label_files"\nfolder = "{folder}/labels"\n',
            "utf-8",
        )

    @contextmanager
    def running(self, *names, crash=None):
        """These stations, one after the other; ended at the end."""
        with ExitStack() as stack:
            yield [stack.enter_context(Running(self.folder / name)) for name in names]

    def status(self, name):
        """What `tally station status --json` prints, read while it runs."""
        bench = self.benches[name]
        connection = open_reader(bench.path)
        try:
            return looking.status(connection, bench.identity)
        finally:
            connection.close()

    def held(self, name, other):
        """How far one station holds another's journal; 0: not at all."""
        found = [one for one in self.status(name)["others"] if one["name"] == other]
        return max((one["seq"] for one in found), default=0)


def until(found, patience=PATIENCE_S):
    """What `found()` gives once it is true; fails after a generous while."""
    end = time.monotonic() + patience
    while not (said := found()):
        assert time.monotonic() < end, f"not within {patience} s: {said!r}"
        time.sleep(0.05)
    return said
