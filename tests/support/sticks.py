"""A hub's folder and stations' folders that no network joins: all there is are files on a stick."""

import json
import os
from pathlib import Path

from click.testing import CliRunner

from edge_agent.bootstrap.folder import IDENTITY_NAME, TRUST_NAME
from edge_agent.bootstrap.opening import open_journal
from edge_agent.cli import station as station_commands
from edge_agent.journal.facts import OwnFact
from edge_agent.journal.genesis import found, genesis_line, genesis_piece
from edge_agent.journal.identity import Identity, Trust, write_identity, write_trust
from edge_agent.journal.store import DATABASE_NAME, open_writer
from edge_agent.station.clock import SystemClock
from hub import bootstrap as at_hub
from hub.cli import hub as hub_commands
from tally.commands.verify import verify as verify_command
from tally.records.ids import JournalId
from tally.records.segment import encode
from tally.records.signing import SigningKey
from tests.support.building import board, bound, lamp
from tests.support.hub_floor import demo_files, secret_of


def run(commands, *words, status=0):
    """Run a command here; gives what it printed."""
    done = CliRunner().invoke(commands, [str(word) for word in words])
    assert done.exit_code == status, (words, done.output, done.exception)
    return done.output


def _begun(folder, plant, name, sealing):
    """A new journal in a station's folder; its first event as the hub is shown it."""
    key = SigningKey(os.urandom(32))
    identity = Identity(JournalId(os.urandom(16)), key, name, plant, sealing)
    line = genesis_line(identity, at=SystemClock().now(), reason="enrolled")
    (folder / IDENTITY_NAME).write_bytes(write_identity(identity))
    connection = open_writer(folder / DATABASE_NAME)
    found(connection, identity, line)
    connection.close()
    return encode(genesis_piece(identity, line))


class Island:
    """A plant without a network.

    Attributes:
        hub: the hub's folder.
        stick: where bundles are put.
    """

    def __init__(self, folder: Path, stations=("S03",), plant="NB1"):
        self.hub = folder / "hub"
        self.stick = folder / "stick"
        self.stick.mkdir(parents=True)
        self.folder = folder
        hub = at_hub.create(self.hub, plant=plant, site="NB1")
        try:
            hub.publish(demo_files())
            for name in stations:
                self._join(hub, name, os.urandom(32))
        finally:
            hub.office.store.close()

    def join(self, name, *, is_old=False):
        """Another station; `is_old`: its program made no key for sealed grants."""
        hub = at_hub.open_hub(self.hub)
        try:
            self._join(hub, name, None if is_old else os.urandom(32))
        finally:
            hub.office.store.close()

    def _join(self, hub, name, sealing):
        folder = self.folder / name
        folder.mkdir()
        genesis = _begun(folder, hub.plant, name, sealing)
        made = hub.enroll(secret_of(hub.open_token(name, ["127.0.0.1:1"])), genesis)
        trust = Trust(
            made.hub_id,
            made.root,
            made.receipt_key,
            made.keys_feed,
            hub.office.secrets.ca_certificate,
            ("127.0.0.1:1",),
            made.line,
            made.site,
        )
        (folder / TRUST_NAME).write_bytes(write_trust(trust))

    def work(self, name, numbers):
        """The station binds one board into each lamp of these numbers."""
        clock = SystemClock()
        with open_journal(self.folder / name, clock) as journal:
            for number in numbers:
                journal.append([OwnFact(bound(board(number), lamp(number)))], None, at=clock.now())

    def out(self, name, file, *options):
        """The station exports."""
        run(station_commands, "journal", self.folder / name, "export", self.stick / file, *options)
        return self.stick / file

    def take(self, name, file, status=0):
        """The station imports; what it said, as JSON."""
        words = ("journal", self.folder / name, "import", file, "--json")
        return json.loads(run(station_commands, *words, status=status))

    def bring(self, *files, status=0):
        """The hub imports; a row a file."""
        words = ("bundle", "import", self.hub, *files, "--json")
        return json.loads(run(hub_commands, *words, status=status))

    def answer(self, name, file, *options):
        """The hub exports for a station."""
        run(hub_commands, "bundle", "export", self.hub, name, self.stick / file, *options)
        return self.stick / file

    def status(self, name):
        """Where a station stands, as JSON; the disk is not the station's alone."""
        found = json.loads(run(station_commands, "status", self.folder / name, "--json"))
        return {key: value for key, value in found.items() if key != "disk"}

    def fingerprint(self):
        """The hub's ledger."""
        return json.loads(run(hub_commands, "fingerprint", self.hub, "--json"))

    def verify(self, file, status=0):
        """What `tally verify` says of a bundle, as JSON."""
        return json.loads(run(verify_command, file, "--json", status=status))
