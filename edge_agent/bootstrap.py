"""Puts a station together: settings, files, journal, devices, uplink. The only place that does.

What is made here is handed over ready; nothing else names a concrete class or reads a file of the
station's folder. Files: `station.toml` (settings), `identity.json` (0600), `trust.json`,
`journal.db`, `journal.lock`.
"""

import json
import os
import random
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, Final, cast

from drivers import Driver, DriverFault, Printer
from drivers.registry import create
from edge_agent.journal.crashing import VARIABLE, crash_at
from edge_agent.journal.faults import JournalFault, StorageReason, fault_of
from edge_agent.journal.genesis import find_first, found, genesis_line, genesis_piece
from edge_agent.journal.identity import (
    Identity,
    MalformedIdentityError,
    Trust,
    read_identity,
    read_trust,
    write_identity,
    write_trust,
)
from edge_agent.journal.journal import Journal, passed
from edge_agent.journal.lock import WriterLock
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.store import DATABASE_NAME, Reached, open_reader, open_writer
from edge_agent.settings import (
    FILE_NAME,
    Language,
    Settings,
    SettingsError,
    load_settings,
    parse_settings,
)
from edge_agent.station import messages
from edge_agent.station.clock import Clock, SystemClock
from edge_agent.station.core import StationCore
from edge_agent.station.devices import Devices
from edge_agent.station.inbox import Inbox
from edge_agent.station.knowledge import StationKnowledge
from edge_agent.station.loop import Loop, Speaker
from edge_agent.station.picturing import PRINTER, Picturing, Screen, Show
from edge_agent.station.posting import Posting, Silent
from edge_agent.station.printing import Labels, NoPrinter, TemplateLabels
from edge_agent.station.snapshot import DeviceShown
from edge_agent.sync import port
from edge_agent.sync.carrying import Brought, Packed, pack, unpack
from edge_agent.sync.enrolling import enroll, read_token
from edge_agent.sync.thread import SyncThread
from edge_agent.sync.uplink import Link, Uplink
from tally.commands.bundle_files import opened_bundle, write_bundle
from tally.master import Words
from tally.proof.anchors import plant_fingerprint
from tally.records.bundle import Bundle, opening
from tally.records.ids import JOURNAL_ID_SIZE, JournalId, Ref
from tally.records.segment import encode
from tally.records.signing import SigningKey

IDENTITY_NAME: Final = "identity.json"
TRUST_NAME: Final = "trust.json"
FILE_BYTES_MAX: Final = 1024 * 1024


def agent_version() -> str:
    """Version of the installed program."""
    return metadata.version("tallystick")


def check_device(table: Mapping[str, Any]) -> str | None:
    """What its driver has against a device's table; touches no device."""
    try:
        create(table, clock=float)
    except DriverFault as fault:
        return fault.words
    return None


def settings_of(directory: Path) -> Settings:
    """The settings in a station's folder.

    Raises:
        SettingsError: every problem of the file, its devices included.
    """
    return load_settings(directory, check_device)


def load_identity(directory: Path) -> Identity:
    """Who this station is.

    Raises:
        JournalFault: J-103 or J-105, the file is missing, or damaged or unreadable.
    """
    try:
        return read_identity(_read(directory, IDENTITY_NAME))
    except MalformedIdentityError as error:
        raise _damaged(directory / IDENTITY_NAME, error) from error


def load_trust(directory: Path) -> Trust:
    """Whom this station trusts.

    Raises:
        JournalFault: J-103 or J-105, the file is missing, or damaged or unreadable.
    """
    try:
        return read_trust(_read(directory, TRUST_NAME))
    except MalformedIdentityError as error:
        raise _damaged(directory / TRUST_NAME, error) from error


def _read(directory: Path, name: str) -> bytes:
    try:
        with (directory / name).open("rb") as file:
            return file.read(FILE_BYTES_MAX)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise JournalFault(
            "J-103",
            StorageReason.MISSING,
            is_retryable=False,
            words=f"Cannot read {directory / name}: {error.strerror}. "
            "Enrol first: tally station enroll DIR TOKEN.",
            words_zh=f"无法读取 {directory / name}:{error.strerror}。"
            "请先注册:tally station enroll DIR TOKEN。",
        ) from error
    except OSError as error:
        raise JournalFault(
            "J-105",
            StorageReason.ACCESS,
            is_retryable=False,
            words=f"Cannot read {directory / name}: {error.strerror}. The station is enrolled; "
            "check owner and permissions of the file, and the disk.",
            words_zh=f"无法读取 {directory / name}:{error.strerror}。"
            "工位已注册;请检查文件的所有者和权限,以及磁盘。",
        ) from error


def _damaged(path: Path, error: Exception) -> JournalFault:
    return JournalFault(
        "J-105",
        StorageReason.ACCESS,
        is_retryable=False,
        words=f"{path} is not what the enrolment wrote: {error}. "
        "Restore it from a copy, or enrol this station anew in another folder.",
        words_zh=f"{path} 不是注册时写入的内容:{error}。请从备份恢复,或在另一文件夹重新注册。",
    )


@dataclass(frozen=True, slots=True)
class Station:
    """A station ready to run."""

    loop: Loop
    inbox: Inbox
    core: StationCore
    posting: Posting


@contextmanager
def open_journal(
    directory: Path,
    clock: Clock,
    *,
    kib_max: int = 0,
    reached: Reached = passed,
    starts: bool = True,
) -> Iterator[Journal]:
    """The journal of a station's folder, for its one writer; closed and let go at the end.

    `starts`: the station itself starts, which is recorded as `agent.started`.

    Yields:
        The journal.

    Raises:
        JournalFault: not enrolled, already running, or not writable.
        JournalCorrupt: the newest events are damaged and nothing was written, or the file turned
            out to be damaged elsewhere.
    """
    identity, trust = load_identity(directory), load_trust(directory)
    with WriterLock(directory):
        connection = open_writer(directory / DATABASE_NAME, kib_max=kib_max)
        try:
            journal = Journal(
                connection, identity, trust, entropy=secrets.token_bytes, reached=reached
            )
            if starts:
                journal.start(agent=agent_version(), at=clock.now())
            yield journal
        except sqlite3.Error as error:
            # Met while reading: only transactions sort their errors themselves.
            raise fault_of(error) from error
        finally:
            with suppress(sqlite3.Error):
                connection.close()


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
        directory, clock, kib_max=settings.journal_kib_max, reached=reached
    ) as journal:
        made = [create(table, clock=clock.monotonic) for table in settings.devices]
        inputs = [device for device in made if isinstance(device, Driver)]
        inbox = Inbox(clock.monotonic)
        devices = Devices(inputs, inbox)
        knowledge = StationKnowledge(journal, clock, language=language, devices=devices.names)
        labels = _labels(made, settings, knowledge)
        core = StationCore(
            journal, knowledge, clock, labels, reached=reached, double_read_s=settings.double_read_s
        )
        uplink = _uplink(directory, settings, journal, core, inbox)
        posting = Posting(inbox, clock)
        screen = None
        if show:
            screen = Screen(Picturing(core, clock, _shown(made, settings)), show, posting.unseen)
        loop = Loop(core, inbox, clock, speaker, uplink, reached=reached, screen=screen)
        try:
            devices.start()
            if journal.is_link_cut:
                uplink.set_link(up=False)
            uplink.start()
            yield Station(loop, inbox, core, posting)
        finally:
            inbox.close()
            uplink.stop()
            devices.stop()


def _shown(made: Sequence[Driver | Printer], settings: Settings) -> tuple[DeviceShown, ...]:
    """The devices as a screen first shows them: inputs have not reported yet."""
    return tuple(
        DeviceShown(device.name, PRINTER, "ok")
        if isinstance(device, Printer)
        else DeviceShown(device.name, str(table["driver"]), "starting")
        for device, table in zip(made, settings.devices, strict=True)
    )


def run_with_screen(
    directory: Path,
    settings: Settings,
    *,
    language: Language | None,
    practice: Path | None,
    theme: str,
    is_ascii: bool,
) -> tuple[int, Words | None]:
    """Run the station with the operator's screen in this terminal.

    Args:
        language: keep to this one whoever signs in, until it is changed by hand.
        practice: file of practice codes for the tray; None: no tray.
        theme: one of `edge_agent.ui.themes.THEMES`.
        is_ascii: only ASCII and Han on the screen.

    Returns:
        The exit status, and the words of the fault that stopped the station, if one did.

    Raises:
        JournalFault, JournalCorrupt: as `open_journal`; nothing was drawn.
        PracticeError: the file of practice codes cannot be used.
    """
    # Textual takes a fifth of a second to load: only a station with a screen waits for it.
    from edge_agent.ui.app import StationApp
    from edge_agent.ui.running import run_screen
    from edge_agent.ui.themes import theme_of
    from edge_agent.ui.tray import open_tray

    tray = open_tray(practice) if practice else None
    spoken = language or settings.language

    def make_app(station: Posting) -> StationApp:
        return StationApp(
            station,
            monotonic=SystemClock().monotonic,
            language=spoken,
            is_language_fixed=language is not None,
            tray=tray,
            theme=theme_of(theme),
            is_ascii=is_ascii,
            pace=settings.keyboard,
        )

    return run_screen(
        lambda show: open_station(directory, settings, Silent(), language=spoken, show=show),
        make_app,
    )


def _labels(
    made: Sequence[Driver | Printer], settings: Settings, knowledge: StationKnowledge
) -> Labels:
    printers = [device for device in made if isinstance(device, Printer)]
    wanted = [printer for printer in printers if printer.name == settings.printer]
    chosen = wanted or ([] if settings.printer else printers)
    return TemplateLabels(chosen[0], knowledge.shelf.template) if chosen else NoPrinter()


def _uplink(
    directory: Path, settings: Settings, journal: Journal, core: StationCore, inbox: Inbox
) -> SyncThread:
    identity, trust = journal.identity, load_trust(directory)
    whom = port.Identity(
        journal=identity.journal,
        key=identity.key,
        run=journal.run,
        previous_run=journal.previous_run,
        agent=agent_version(),
        hub=trust.hub,
        receipt_key=trust.receipt_key,
    )
    path = directory / DATABASE_NAME

    def open_view() -> port.JournalView:
        # The same shapes under other names: the journal does not know the uplink.
        view = OutgoingJournal.at(path, identity, lambda: core.schemes)
        return cast("port.JournalView", view)

    addresses = settings.addresses or trust.addresses
    try:
        uplink = Uplink(addresses, trust.hub, trust.ca_pem, Link())
    except ValueError as error:
        raise _damaged(directory / TRUST_NAME, error) from error
    draw: Callable[[], float] = random.SystemRandom().random
    return SyncThread(whom, open_view, Postbox(inbox), uplink, draw)


class Postbox:
    """The uplink's effects, as messages of the loop (`port.Mailbox`)."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def post(self, effect: port.Effect) -> "Future[None]":
        """Queue it; the future is done once it is on the disk."""
        message = _message_of(effect)
        self._inbox.post(message)
        return message.done


def _message_of(effect: port.Effect) -> messages.UplinkMessage:
    match effect:
        case port.SaveReceipt(receipt):
            return messages.ReceiptCame(receipt)
        case port.Ingest():
            return messages.IngestAsked(effect.data)
        case port.LinkTurned(online, said):
            return messages.LinkChanged(online, said.code, Words(said.en, said.zh))
        case port.Noticed(said, forked=forked):
            return messages.HubSaid(said.code, Words(said.en, said.zh), suspect=forked)
        case port.HubNoted(clock, end):
            return messages.HubNoted(clock.offset_ms, clock.within_ms, end)
        case port.HubAhead(have):
            return messages.HubSaid("S-102", _copied(have.seq), suspect=True)


def _copied(seq: int) -> Words:
    return Words(
        f"The hub holds events of this station up to {seq} that are not in its journal: this "
        "computer was copied, or restored from an image. No code is given out until the station is "
        "enrolled anew; other work goes on.",
        f"中心上有本工位到 {seq} 的记录,但本机日志中没有:此电脑曾被复制或从镜像恢复。"
        "重新注册之前不再发放编码,其他工作可继续。",
    )


# --- bundles ----------------------------------------------------------------------------------


def export_journal(directory: Path, file: Path, *, with_all: bool) -> Packed:
    """Write a bundle of a station, which may be running, and read it again.

    Raises:
        JournalFault, JournalCorrupt: the station's files cannot be read.
        BundleFault: the bundle cannot be written.
    """
    identity, trust = load_identity(directory), load_trust(directory)
    connection = open_reader(directory / DATABASE_NAME)
    try:
        connection.execute("BEGIN")  # one moment: what is listed is what is written
        packed = pack(connection, identity, trust, with_all=with_all, made=SystemClock().now())
        beginning = opening(packed.bundle, identity.key)
        size = len(beginning) + sum(part.size for part in packed.bundle.parts)
        write_bundle(file, beginning, packed.parts(), size=size)
    except sqlite3.Error as error:
        raise fault_of(error) from error
    finally:
        connection.close()
    return packed


def import_journal(directory: Path, file: Path) -> tuple[Bundle, Brought]:
    """Take what a bundle brings into the journal of a station that does not run.

    Raises:
        JournalFault, JournalCorrupt: as `open_journal`; J-101 when the station runs.
        BundleFault: the bundle cannot be read, or is of another plant; nothing was taken.
    """
    clock, trust = SystemClock(), load_trust(directory)
    with (
        opened_bundle(file, plant_fingerprint(trust.root)) as (bundle, raw),
        open_journal(directory, clock, starts=False) as journal,
    ):
        return bundle, unpack(journal, bundle, raw, at=clock.now())


# --- enrolment ------------------------------------------------------------------------------------


class AlreadyEnrolledError(Exception):
    """The folder is a station already; a replaced computer gets a new folder and a new journal."""


def enroll_here(directory: Path, token: str, devices: Sequence[str], language: str) -> str:
    """Make `directory` a station: key, journal, the hub's answer, settings.

    Key and journal are on the disk before the hub is asked, so that a cut in between can be
    repeated with the same token.

    Returns:
        The station's name.

    Raises:
        AlreadyEnrolledError: it is one already.
        EnrolmentError: the hub refused or could not be reached; the words say why.
        SettingsError: the devices are not described as their drivers expect.
        JournalFault: the folder cannot be written.
    """
    if (directory / TRUST_NAME).exists():
        raise AlreadyEnrolledError(
            f"{directory} is station {load_identity(directory).station} already. "
            "To replace it, enrol in another folder: it gets a journal and blocks of its own."
        )
    asked = read_token(token)
    settings = _settings_text(devices, language) if devices else None
    if settings:
        parse_settings(settings, check_device, name=FILE_NAME)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _damaged(directory, error) from error
    with WriterLock(directory):
        enrolment = enroll(asked, partial(_genesis, directory, asked.after))
        if settings:
            _write(directory / FILE_NAME, settings, mode=0o644)
        # Last: with this file the folder is a station.
        _write(directory / TRUST_NAME, write_trust(enrolment.trust), mode=0o644)
    return enrolment.station


def _genesis(directory: Path, after: Ref | None, plant: str, name: str) -> bytes:
    """Event 1 as the hub is shown it: of the journal that an attempt began, or of a new one."""
    path = directory / IDENTITY_NAME
    if path.exists() and (directory / DATABASE_NAME).exists():
        identity = load_identity(directory)
        line = _begun(directory)
        if line is not None and (identity.plant, identity.station) == (plant, name):
            return encode(genesis_piece(identity, line))
    for stale in (path, *(directory / (DATABASE_NAME + end) for end in ("", "-wal", "-shm"))):
        stale.unlink(missing_ok=True)
    key = SigningKey(secrets.token_bytes(32))
    identity = Identity(JournalId(secrets.token_bytes(JOURNAL_ID_SIZE)), key, name, plant)
    line = genesis_line(identity, at=SystemClock().now(), reason="enrolled", after=after)
    _write(path, write_identity(identity), mode=0o600)
    connection = open_writer(directory / DATABASE_NAME)
    found(connection, identity, line)
    connection.close()
    return encode(genesis_piece(identity, line))


def _begun(directory: Path) -> bytes | None:
    """Event 1 that an attempt left; None if it was cut short before, so no hub has seen it."""
    connection = open_writer(directory / DATABASE_NAME)
    try:
        return find_first(connection)
    except sqlite3.Error as error:
        raise fault_of(error) from error
    finally:
        connection.close()


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file so that after a power cut it is there whole, or not at all."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _settings_text(devices: Sequence[str], language: str) -> bytes:
    """station.toml with the devices of the command line, `key=value` with commas between."""
    lines = [f'language = "{language}"']
    for device in devices:
        lines += ["", "[[device]]"]
        for pair in device.split(","):
            key, equals, value = pair.partition("=")
            if not equals or not key.isidentifier():
                words = (
                    f"--device {device!r}: expected key=value with commas between, found {pair!r}."
                )
                raise SettingsError((words,))
            is_whole = value.isascii() and value.isdecimal()
            lines.append(f"{key} = {int(value) if is_whole else json.dumps(value)}")
    return ("\n".join(lines) + "\n").encode()
