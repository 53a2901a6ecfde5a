"""Builds a hub from a folder: the only place that names the concrete store, clock and randomness.

`create` makes the folder, `restore` makes one from a backup, `open_hub` the hub that writes (under
the lock), `open_view` one that only reads and works beside a serving hub, `in_memory` one for
simulations, `serve` the running service.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import ipaddress
import json
import os
import shutil
import socket
import struct
import tempfile
import time
import zoneinfo
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from hub import backup, trust
from hub.recovery import RecoveryKey, new_key
from hub.refresher import Refresher
from hub.renewing import RENEW, Renewal, finish, renew
from hub.services import Hub, authority, checking, copies, feeds, refreshing, restoring, unread
from hub.services.office import Office
from hub.services.operations import OPERATIONS, perform
from hub.settings import PORT_FIRST, SETTINGS_FILE, Settings, load
from hub.store.port import StoreFault
from hub.store.sqlite import SqliteStore, open_for_reading, open_for_writing
from hub.store.sqlite.opening import DATABASE_FILE, DATABASE_FILES, take_lock
from tally.records.ids import show_journal

SERVING_FILE: Final = "serving.json"
ADMIN_LINK: Final = "admin-link"
"""An operation that a serving hub offers besides those of the services."""
ADDRESSES_MAX: Final = 32
"""In a token."""
_SIOCGIFADDR: Final = 0x8915
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

_FIRST_SETTINGS: Final = """\
# Settings of this hub; config/hub.example.toml explains every key.

[serve]

[plant]
"""


def create(directory: Path, *, plant: str, site: str, recovery: bytes = b"") -> Hub:
    """Make a new hub's folder: keys, settings, store with its feeds begun.

    Args:
        directory: made if missing.
        plant, site: names.
        recovery: public half of the key for which backups seal the hub's keys.

    Raises:
        FileExistsError: a hub's keys or events are there already; nothing was changed.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = take_lock(directory)
    try:
        if (directory / DATABASE_FILE).exists():
            raise FileExistsError(f"{directory / DATABASE_FILE} exists already.")
        clock = _clock(load(directory))
        secrets = trust.new_secrets(
            plant=plant, site=site, clock=clock, entropy=os.urandom, recovery=recovery
        )
        trust.save(directory, secrets)
        try:
            settings = directory / SETTINGS_FILE
            if not settings.exists():
                settings.write_text(_FIRST_SETTINGS, "utf-8")
            return _begun(_open(directory, os.dup(lock), None))
        except BaseException:  # nobody has seen these keys: without them it can be tried again
            for name in (*DATABASE_FILES, trust.SECRETS_FILE):
                (directory / name).unlink(missing_ok=True)
            raise
    finally:
        os.close(lock)


def back_up(
    directory: Path, file: Path, *, progress: Callable[[int], None] | None = None
) -> backup.Checked:
    """Write a backup of a hub, which may be serving, and check it.

    Raises:
        BackupFault, TrustFault, StoreFault, SettingsError: in words.
    """
    secrets = trust.load(directory)
    if not (directory / DATABASE_FILE).exists():
        raise _lost()
    return backup.write(
        directory / DATABASE_FILE,
        file,
        secrets,
        settings=_settings_text(directory),
        now=_clock(load(directory))(),
        entropy=os.urandom,
        progress=progress,
    )


def renew_recovery(directory: Path) -> RecoveryKey:
    """Another recovery key for the backups to come; the private half is kept nowhere.

    Raises:
        TrustFault: the hub's keys cannot be used.
    """
    secrets, key = trust.load(directory), new_key(os.urandom)
    trust.save_again(directory, replace(secrets, recovery=key.public))
    return key


def restore(
    file: Path,
    directory: Path,
    key: RecoveryKey,
    *,
    progress: Callable[[int], None] | None = None,
) -> Hub:
    """Make a hub's folder from a backup: the same hub in its next epoch (`services.restoring`).

    Nothing stands in the folder before everything was proven.

    Raises:
        BackupFault: the folder is not empty, the key is another, the file is cut off or changed.
        StoreFault: the database in it is not sound, or of a newer version.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise backup.BackupFault(
            f"{directory} is not empty: a backup is restored into a new or empty folder only, so "
            f"that nothing is overwritten. Name another, or move the old one away."
        )
    secrets = backup.open_keys(file, key)
    is_new = not directory.exists()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".restoring.", dir=directory))
    try:
        header = backup.unpack(file, made / DATABASE_FILE)
        (made / SETTINGS_FILE).write_text(header.settings, "utf-8")
        now = _clock(load(made))()
        trust.save(made, trust.renewed(secrets, os.urandom, now))
        office = _open(made, take_lock(made), None)
        with _closed_unless_usable(office):
            _check_pair(replace(office, secrets=secrets))
            checking.check(office.store, progress)
        _renewed(office).office.store.close()
        # The keys last: without them the folder is no hub's.
        for name in (SETTINGS_FILE, *DATABASE_FILES, trust.SECRETS_FILE):
            if (made / name).exists():
                (made / name).rename(directory / name)
    except BaseException:
        shutil.rmtree(directory if is_new else made, ignore_errors=True)
        raise
    shutil.rmtree(made)
    return open_hub(directory)


def open_hub(directory: Path, *, reached: Callable[[str], None] | None = None) -> Hub:
    """The hub that writes; holds DIR/hub.lock until its store is closed.

    Args:
        directory: the hub's folder.
        reached: told each point of a transaction as it is passed; for tests that stop there.

    Raises:
        TrustFault: its keys cannot be used.
        StoreFault: in use, damaged, of a newer version.
        SettingsError: hub.toml has problems.
    """
    trust.load(directory)
    if not (directory / DATABASE_FILE).exists():
        raise _lost()
    hub = _matching(_open(directory, take_lock(directory), reached))
    with _closed_unless_usable(hub.office):
        finish(directory, hub)
    return hub


def _open(directory: Path, lock: int, reached: Callable[[str], None] | None) -> Office:
    """Store, keys and clock of a folder whose lock is held; the store gives it back."""
    try:
        secrets = trust.load(directory)
        settings = load(directory)
        connection = open_for_writing(directory / DATABASE_FILE)
        try:
            store = SqliteStore(connection, lock=lock, reached=reached)
        except BaseException:
            connection.close()
            raise
    except BaseException:
        os.close(lock)
        raise
    return Office(
        store,
        secrets,
        _clock(settings),
        os.urandom,
        lets_succeed=settings.own_key_suffices,
        codes_asked_max=settings.codes_asked_max,
    )


def open_view(directory: Path) -> Hub:
    """A hub that only reads; close its store soon, an open view keeps the file's log from
    shrinking.

    Raises:
        TrustFault: its keys cannot be used.
        StoreFault: no hub here, damaged, of a newer version.
        SettingsError: hub.toml has problems.
    """
    secrets = trust.load(directory)
    clock = _clock(load(directory))
    if not (directory / DATABASE_FILE).exists():
        raise _lost()
    store = SqliteStore(open_for_reading(directory / DATABASE_FILE), is_view=True)
    office = Office(store, secrets, clock, os.urandom)
    return _matching(office)


def in_memory(
    secrets: trust.Secrets,
    clock: trust.Clock,
    entropy: trust.Entropy,
    *,
    image: bytes | None = None,
    is_restored: bool = False,
    reached: Callable[[str], None] | None = None,
) -> Hub:
    """A hub without a file, whose time and randomness are the caller's.

    Args:
        secrets, clock, entropy: as every hub has them.
        image: a database to begin with, as `sqlite3.Connection.serialize` gives one.
        is_restored: the image is that of a backup, and `secrets` are `trust.renewed`.
        reached: as for `open_hub`.
    """
    connection = open_for_writing(None)
    if image is not None:
        connection.deserialize(image)
    office = Office(SqliteStore(connection, reached=reached), secrets, clock, entropy)
    if is_restored:
        return _renewed(office)
    return _begun(office) if image is None else _matching(office)


def serve(
    directory: Path,
    *,
    host: str | None,
    port: int | None,
    say: Callable[[str], None],
    warn: Callable[[str], None],
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        directory: the hub's folder.
        host: for stations; None: as in the settings.
        port: P; None: as in the settings, else the first free pair.
        say: told the addresses, a line each, once all doors are open.
        warn: told what somebody has to look at while it serves.
    """
    # Half a second of import that no other command pays.
    from hub.api.admin import admin_app
    from hub.api.announcing import Announcer
    from hub.api.bell import Bell
    from hub.api.integrators import integrators_app
    from hub.api.serving import LOOPBACK, open_doors
    from hub.api.serving import serve as run
    from hub.api.sessions import Sessions
    from hub.api.stations import Desk, stations_app
    from hub.web import desk as console
    from hub.web.app import console_app, plain_app
    from hub.web.sessions import LINK_SECONDS, Admissions

    settings = load(directory)
    hub = open_hub(directory)
    office = hub.office
    try:
        where = host or settings.host
        tls = trust.tls_context(directory, office.secrets, office.now())
        authority.publish_missing(office)
        renewal = Renewal(directory, office, tls, warn)
        renewal.look()
        alarm = unread.Alarm(office, warn)
        alarm.look()
        doors = open_doors(directory, where, port or settings.port, PORT_FIRST)
        bell = Bell()
        sessions = Sessions(
            lambda: hub.receipt_key, hub.epoch, time.monotonic, os.urandom, os.urandom(32)
        )
        now_ms = lambda: int(office.now().timestamp() * 1000)  # noqa: E731
        desk = Desk(hub, sessions, bell, now_ms, run=copies.begin(office))
        admissions = Admissions(time.monotonic, os.urandom)
        ends = partial(trust.certificate_end, directory)
        pages = console_app(console.Desk(hub, bell, admissions, time.monotonic, ends))
        address = f"http://{LOOPBACK}:{doors.port}/"

        def operate(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
            if name == ADMIN_LINK:
                return {"url": f"{address}in/{admissions.invite()}", "seconds": int(LINK_SECONDS)}
            if name == RENEW:
                done = renew(directory, hub, given)
                renewal.look()
                return done
            return perform(hub, name, given)

        announcer = Announcer(show_journal(hub.hub_id), where, doors.port + 1)
        refresher = Refresher(office, warn)

        def ready() -> None:
            announcer.start()
            refresher.start()
            _note_serving(directory, where, doors.port)
            say(f"Console   {address}  (to sign in: tally hub admin-link {directory})")
            say(f"Stations  https://{_shown(where)}:{doors.port + 1}/")

        def hourly() -> None:
            renewal.look()
            alarm.look()

        run(
            doors,
            plain=plain_app(integrators_app(hub), pages),
            stations=stations_app(desk),
            admin=admin_app((*OPERATIONS, ADMIN_LINK, RENEW), operate, bell),
            tls=tls,
            bell=bell,
            on_ready=ready,
            hourly=hourly,
        )
        announcer.stop()
        refresher.stop()
    finally:
        (directory / SERVING_FILE).unlink(missing_ok=True)
        office.store.close()


def addresses(directory: Path) -> tuple[str, ...]:
    """host:port of the stations' door, for tokens: as set, else as now served, else the default."""
    settings = load(directory)
    if settings.addresses:
        return settings.addresses
    host, port = settings.host, settings.port or PORT_FIRST
    try:
        serving = json.loads((directory / SERVING_FILE).read_text("utf-8"))
        host, port = str(serving["host"]), int(serving["port"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not serving: the settings say where it will
    own = _own_addresses() if host in {"0.0.0.0", "::"} else [host]  # noqa: S104
    own = [*own, *(_own_addresses_6() if host == "::" else ())][:ADDRESSES_MAX]
    return tuple(f"{_shown(each)}:{port + 1}" for each in own)


def _begun(office: Office) -> Hub:
    """A new hub, its feeds begun; only here, once in the life of its keys."""
    with _closed_unless_usable(office), office.store.transaction():
        feeds.open_feeds(office)
        refreshing.note_made(office)
    return Hub(office)


def _matching(office: Office) -> Hub:
    """The hub, if its keys and its events belong together.

    Raises:
        StoreFault: they are of two hubs, there are no events, or they cannot be read.
    """
    with _closed_unless_usable(office):
        _check_pair(office)
    return Hub(office)


def _check_pair(office: Office) -> None:
    with office.store.reading():
        known = {journal.id: journal.key for journal in office.store.journals()}
        if not known:
            raise _lost()
        own = office.secrets.feeds.values()
        if any(known.get(feed.journal) != feed.key.public for feed in own):
            raise StoreFault(
                f"{DATABASE_FILE} and {trust.SECRETS_FILE} are of two hubs: the feeds in the one "
                f"are not signed by the keys in the other. Restore both from the same backup.",
                is_retryable=False,
            )


def _renewed(office: Office) -> Hub:
    """A hub that was just restored, with its new feeds begun; once for each restore."""
    with _closed_unless_usable(office), office.store.transaction():
        restoring.begin_anew(office)
    return Hub(office)


@contextmanager
def _closed_unless_usable(office: Office) -> Iterator[None]:
    """Give back lock and connection of a store that cannot be used."""
    try:
        yield
    except BaseException:
        office.store.close()
        raise


def _lost() -> StoreFault:
    """Beginning the feeds again under the same keys would be a second history of each."""
    return StoreFault(
        f"{DATABASE_FILE} is missing or empty, with all events of this hub. Restore it from the "
        f"newest backup; if this hub never served, clear its folder and make a new one.",
        is_retryable=False,
    )


def _settings_text(directory: Path) -> str:
    try:
        raw = (directory / SETTINGS_FILE).read_bytes()[: backup.SETTINGS_BYTES_MAX]
    except FileNotFoundError:
        raw = b""
    return raw.decode("utf-8", "replace")


def _clock(settings: Settings) -> trust.Clock:
    """In the plant's zone. A zone whose file counts leap seconds moves what the C library calls
    UTC, so the moment is counted from 1970; of the zone only the offset is taken.
    """
    zone = zoneinfo.ZoneInfo(settings.zone) if settings.zone else None

    def clock() -> dt.datetime:
        now = _EPOCH + dt.timedelta(microseconds=time.time_ns() // 1000)
        return now.astimezone(zone or now.astimezone().tzinfo)

    return clock


def _note_serving(directory: Path, host: str, port: int) -> None:
    serving = {"pid": os.getpid(), "host": host, "port": port}
    beside = directory / (SERVING_FILE + ".new")
    beside.write_text(json.dumps(serving), "utf-8")
    beside.rename(directory / SERVING_FILE)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _own_addresses() -> Sequence[str]:
    """IPv4 addresses of this machine's interfaces, loopback last."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                answer = fcntl.ioctl(asking.fileno(), _SIOCGIFADDR, request)
            except OSError:
                continue  # an interface without an address
            found.append(socket.inet_ntoa(answer[20:24]))
    lan = [one for one in found if not one.startswith("127.")]
    return [*lan[:15], "127.0.0.1"]


def _own_addresses_6() -> Sequence[str]:
    """IPv6 addresses of this machine that mean the same everywhere: none of one cable only."""
    import ifaddr  # only a hub that serves IPv6 needs it

    found = (ip.ip[0] for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv6)
    read = map(ipaddress.IPv6Address, found)
    return [str(one) for one in sorted(read) if not (one.is_link_local or one.is_loopback)]
