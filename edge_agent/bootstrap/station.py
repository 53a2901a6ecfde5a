"""A station ready to run: journal, devices, rules, uplink, loop."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from drivers import Driver, Printer
from drivers.registry import create
from edge_agent.bootstrap.folder import load_trust
from edge_agent.bootstrap.handing import handing_on
from edge_agent.bootstrap.heirs import FileHeirs
from edge_agent.bootstrap.importing import IMPORT, importing
from edge_agent.bootstrap.mirroring import make_mirroring
from edge_agent.bootstrap.opening import open_journal
from edge_agent.bootstrap.peers import make_network
from edge_agent.bootstrap.remaking import note_damage
from edge_agent.bootstrap.uplink import whom
from edge_agent.journal.crashing import VARIABLE, crash_at
from edge_agent.journal.faults import JournalFault
from edge_agent.journal.journal import passed
from edge_agent.settings import Language, Settings
from edge_agent.station.admin_socket import AdminSocket
from edge_agent.station.clock import SystemClock
from edge_agent.station.core import StationCore
from edge_agent.station.devices import Devices
from edge_agent.station.disk import DiskWatch
from edge_agent.station.inbox import Inbox
from edge_agent.station.knowledge import StationKnowledge
from edge_agent.station.loop import Loop, Speaker
from edge_agent.station.machine import facts_of, note
from edge_agent.station.making_room import RoomMaker
from edge_agent.station.marking import PUT_BACK, Marker, marks_folder
from edge_agent.station.messages import DeviceHealth, HubSaid
from edge_agent.station.page_watch import PageWatch
from edge_agent.station.picturing import PRINTER, Picturing, Screen, Show
from edge_agent.station.posting import Posting
from edge_agent.station.printing import Labels, NoPrinter, TemplateLabels
from edge_agent.station.snapshot import DeviceShown
from edge_agent.station.succession import Succession
from edge_agent.station.trimming import Trimmer


@dataclass(frozen=True, slots=True)
class Station:
    """A station ready to run."""

    loop: Loop
    inbox: Inbox
    core: StationCore
    posting: Posting


@contextmanager
def open_station(
    directory: Path,
    settings: Settings,
    speaker: Speaker,
    *,
    language: Language,
    show: Show | None = None,
) -> Iterator[Station]:
    """Everything of a running station; stopped and closed at the end.

    `language` is the one when nobody is signed in; `show` gets pictures for a screen.

    Yields:
        The station: its loop has not begun, its devices and uplink have.

    Raises:
        JournalFault, JournalCorrupt: as `open_journal`.
        ValueError: the crash point asked for by a test does not exist.
    """
    clock = SystemClock()
    crash = os.environ.get(VARIABLE)
    reached = crash_at(crash) if crash else passed
    with open_journal(
        directory,
        clock,
        kib_max=settings.journal_kib_max,
        reached=reached,
        mirror=settings.mirror,
    ) as journal:
        made = [create(table, clock=clock.monotonic) for table in settings.devices]
        inputs = [device for device in made if isinstance(device, Driver)]
        inbox = Inbox(clock.monotonic)
        devices = Devices(inputs, inbox)
        knowledge = StationKnowledge(
            journal,
            clock,
            language=language,
            devices=devices.names,
            has_peers=settings.peers.enabled,
        )
        labels = _labels(made, settings, knowledge)
        disk = DiskWatch(directory, settings.disk, clock)
        core = StationCore(
            journal,
            knowledge,
            clock,
            labels,
            reached=reached,
            double_read_s=settings.double_read_s,
            disk=disk,
        )
        uplink = make_network(directory, settings, journal, core, inbox)
        posting = Posting(inbox, clock)
        screen = None
        if show:
            picturing = Picturing(core, clock, _shown(made, settings), disk.seen)
            screen = Screen(picturing, show, posting.unseen)
        mirroring = make_mirroring(settings.mirror, directory, journal.identity, inbox, clock)

        def changed() -> None:
            uplink.become(whom(journal, load_trust(directory)))
            if mirroring:
                mirroring.become(journal.identity)

        succession = Succession(
            core,
            FileHeirs(directory, journal.identity.station, journal.identity.plant),
            clock,
            reached=reached,
            changed=changed,
        )
        loop = Loop(
            core,
            inbox,
            clock,
            speaker,
            uplink,
            reached=reached,
            screen=screen,
            succession=succession,
        )
        loop.mirroring = mirroring
        pages = PageWatch(directory, clock, lambda health: inbox.put_now(DeviceHealth(health)))
        loop.await_head(settings.start_waits_s, with_neighbours=settings.peers.enabled)
        trimmer = Trimmer(journal, clock, settings.trim)
        loop.trimmer = RoomMaker(journal, clock, settings.peers.store, disk.seen, trimmer)
        marker = loop.marker = Marker(journal, marks_folder(settings.mark, os.environ), clock)
        if put_back := marker.found():
            inbox.post(HubSaid(PUT_BACK, put_back, suspect=True))
        marker.write()
        with suppress(JournalFault):  # looked at again at the next start: it keeps nobody waiting
            note(journal, facts_of(directory, journal.identity.journal, os.environ), clock.now())
        operations = {
            **handing_on(inbox, knowledge, clock),
            IMPORT: importing(directory, inbox, journal, clock),
        }
        admin = AdminSocket(directory, operations)
        try:
            devices.start()
            if journal.is_link_cut:
                uplink.set_link(up=False)
            uplink.start(after=posting.first_picture if show else None)
            admin.start()
            if mirroring:
                mirroring.start()
            pages.start()
            yield Station(loop, inbox, core, posting)
        finally:
            admin.stop()
            inbox.close()
            uplink.stop()
            devices.stop()
            if mirroring:
                mirroring.stop()
            pages.stop()
            note_damage(directory, loop.ended_by, clock.now())
            marker.write()


def _shown(made: Sequence[Driver | Printer], settings: Settings) -> tuple[DeviceShown, ...]:
    """The devices as a screen first shows them: inputs have not reported yet."""
    return tuple(
        DeviceShown(device.name, PRINTER, "ok")
        if isinstance(device, Printer)
        else DeviceShown(device.name, str(table["driver"]), "starting")
        for device, table in zip(made, settings.devices, strict=True)
    )


def _labels(
    made: Sequence[Driver | Printer], settings: Settings, knowledge: StationKnowledge
) -> Labels:
    printers = [device for device in made if isinstance(device, Printer)]
    wanted = [printer for printer in printers if printer.name == settings.printer]
    chosen = wanted or ([] if settings.printer else printers)
    return TemplateLabels(chosen[0], knowledge.shelf.template) if chosen else NoPrinter()
