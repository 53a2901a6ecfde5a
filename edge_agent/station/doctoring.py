"""`tally station doctor`: what a technician looks at, each check in words; changes nothing."""

import sqlite3
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.x509 import load_pem_x509_certificates

from edge_agent.journal.authorities import authorities
from edge_agent.journal.copy_stamp import stamp_of
from edge_agent.journal.faults import JournalCorrupt, JournalFault
from edge_agent.journal.holes import lost_in, lost_words
from edge_agent.journal.identity import Identity, MalformedIdentityError, read_trust
from edge_agent.journal.left import pruned_through
from edge_agent.journal.lock import LOCK_NAME
from edge_agent.journal.mending import damaged_words
from edge_agent.journal.projecting import not_taken_in, not_taken_words
from edge_agent.journal.pruning import broken_segment
from edge_agent.journal.remaking import found_in, remade_words
from edge_agent.journal.shrinking import can_shrink
from edge_agent.journal.store import DATABASE_NAME, open_reader
from edge_agent.journal.tail import audit, check_range, check_tail
from edge_agent.station import machine, marking
from edge_agent.station.clock import SystemClock
from edge_agent.station.disk import BALLAST_NAME, DiskLimits, look_at
from edge_agent.station.looking import hub_noted, newest_event
from edge_agent.station.mirroring import mirror_checked
from edge_agent.station.page_watch import background_checked
from tally.ledger.sqlite import SqliteLedger
from tally.wire.clocks import WRONG_MS, YEARS, ClockOffset

USUAL_LIMITS: Final = DiskLimits()
AUTHORITY_WARNS: Final = timedelta(days=365)
CERTIFICATE_WARNS: Final = timedelta(days=30)
_TRUST_NAME: Final = "trust.json"
_WAL_RESET_FIXED: Final = (3, 51, 3)


@dataclass(frozen=True, slots=True)
class Checked:
    """One check: well or not, and what was found."""

    check: str
    is_well: bool
    words: str


def devices_checked(devices: Sequence[Mapping[str, Any]]) -> list[Checked]:
    """The settings could be read; each device as far as its path can be looked at."""
    found = [Checked("settings", is_well=True, words=f"{len(devices)} devices")]
    return found + [_device(table) for table in devices]


def _device(table: Mapping[str, Any]) -> Checked:
    name = f"device {table.get('name')}"
    for key in ("port", "folder"):
        path = table.get(key)
        if isinstance(path, str) and not Path(path).exists():
            return Checked(name, is_well=False, words=f"{key} {path} is not there.")
    return Checked(name, is_well=True, words=str(table.get("driver")))


def examine(
    directory: Path,
    identity: Identity,
    limits: DiskLimits = USUAL_LIMITS,
    marks: Path | None = None,
    mirror: str = "",
) -> list[Checked]:
    """Files, disk, clock, SQLite, the whole chain, what the ledger could not read, mark, mirror."""
    found = [_disk(directory, limits), _sqlite(), _running(directory), _secret(directory)]
    found.append(_trust(directory))
    try:
        connection = open_reader(directory / DATABASE_NAME)
    except (JournalFault, JournalCorrupt) as fault:
        return [*found, Checked("journal", is_well=False, words=fault.words)]
    try:
        found += [_clock(connection), *_of_the_hub(connection), *_certificate(connection)]
        found += [_wal(directory, limits), _pages(connection)]
        found.append(Checked("pages in the background", *background_checked(directory)))
        if (remade := found_in(connection)) is not None:
            words = f"{remade.at}: {remade_words(remade)[0]}"
            found.append(Checked("made anew", is_well=True, words=words))
        found += _authority(directory, connection)
        found.append(_chain(connection, identity))
        found += [_ledger(connection), *_copy(connection)]
        found += _machine(directory, connection, identity)
        is_well, words = marking.checked(marks, connection, identity.journal)
        found.append(Checked("mark", is_well, words))
        if mirror:
            found.append(Checked("mirror", *mirror_checked(mirror, directory, identity)))
    except sqlite3.Error as error:
        found.append(Checked("journal", is_well=False, words=f"It cannot be read: {error}."))
    finally:
        connection.close()
    return found


def endings(directory: Path, connection: sqlite3.Connection) -> list[Checked]:
    """The hub's certificate, as last seen, and its CA, where the end is near or has passed."""
    found = [*_certificate(connection), *_authority(directory, connection)]
    return [one for one in found if not one.is_well]


def _disk(directory: Path, limits: DiskLimits) -> Checked:
    try:
        seen = look_at(directory, limits)
    except OSError as error:
        return Checked("disk", is_well=False, words=f"It cannot be looked at: {error.strerror}.")
    words = f"{seen.words.en} Expected at least {limits.warn_mib} MiB."
    if limits.ballast_mib and not (directory / BALLAST_NAME).exists():
        words += " There is no ballast: it is kept from the next start on a disk with space."
    return Checked("disk", is_well=seen.rung == "ok", words=words)


def _sqlite() -> Checked:
    words = f"SQLite {sqlite3.sqlite_version}"
    if sqlite3.sqlite_version_info < _WAL_RESET_FIXED:
        words += "; below 3.51.3 a WAL must have one writer, which the journal's lock ensures"
    return Checked("sqlite", is_well=True, words=words + ".")


def _running(directory: Path) -> Checked:
    try:
        holder = (directory / LOCK_NAME).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        holder = ""
    is_alive = holder.isdecimal() and Path("/proc", holder).exists()
    words = f"It runs as process {holder}." if is_alive else "It does not run now."
    return Checked("station", is_well=True, words=words)


def _secret(directory: Path) -> Checked:
    mode = (directory / "identity.json").stat().st_mode & 0o777
    words = f"identity.json has mode {mode:04o}, expected 0600."
    return Checked("identity", is_well=mode & 0o077 == 0, words=words)


def _trust(directory: Path) -> Checked:
    try:
        read_trust((directory / _TRUST_NAME).read_bytes())
    except OSError as error:
        return Checked("trust", is_well=False, words=f"{_TRUST_NAME}: {error.strerror}.")
    except MalformedIdentityError as error:
        return Checked("trust", is_well=False, words=f"{_TRUST_NAME}: {error}")
    return Checked("trust", is_well=True, words="Plant root and hub are pinned.")


def _pages(connection: sqlite3.Connection) -> Checked:
    """The whole file, also what the chain does not cover: ledger, state, blocks."""
    try:
        rows = connection.execute("PRAGMA integrity_check(3)").fetchall()
        damage = "; ".join(str(row[0]) for row in rows if row[0] != "ok")
    except sqlite3.DatabaseError as error:
        damage = str(error)
    words = f"The file is damaged: {damage[:400]}." if damage else "Every page of the file fits."
    if not damage and not can_shrink(connection):
        words += (
            " It was made by an earlier version: what is deleted in it is used again, and the file"
            " itself does not become smaller."
        )
    return Checked("pages", is_well=not damage, words=words)


def _clock(connection: sqlite3.Connection) -> Checked:
    now = SystemClock().now()
    newest = newest_event(connection)
    last = None
    if newest is not None:
        try:
            last = datetime.fromisoformat(newest.at)
        except ValueError:
            last = None
    words = f"It is {now.isoformat(timespec='seconds')}."
    if now.year not in YEARS:
        return Checked("clock", is_well=False, words=f"{words} Expected a year from 2025 to 2100.")
    if last is not None and last.tzinfo and last > now:
        return Checked(
            "clock",
            is_well=False,
            words=f"{words} The newest event was recorded later, at {newest.at if newest else ''}: "
            "the clock was set back. Work goes on; set the clock right.",
        )
    return Checked("clock", is_well=True, words=words)


def _of_the_hub(connection: sqlite3.Connection) -> list[Checked]:
    """The clock against the hub's, as last seen."""
    noted = hub_noted(connection)
    if noted is None:
        return []
    clock = ClockOffset(noted["clock_offset_ms"], noted["clock_within_ms"])
    words = f"{clock} against the hub's, seen {noted['at']}, expected at most {WRONG_MS // 1000} s."
    if clock.is_wrong:
        words += " Work goes on and nothing is lost; set the clock right, here or at the hub."
    return [Checked("clock of the hub", is_well=not clock.is_wrong, words=words)]


def _certificate(connection: sqlite3.Connection) -> list[Checked]:
    """The hub's certificate, as last seen."""
    noted = hub_noted(connection)
    if noted is None:
        return []
    try:
        end = datetime.fromtimestamp(ssl.cert_time_to_seconds(noted["certificate_end"]), UTC)
    except ValueError:
        return []
    now = SystemClock().now()
    has_ended, is_near = end < now, end - now < CERTIFICATE_WARNS
    words = f"The hub's certificate {'ended' if has_ended else 'is good until'} {end:%Y-%m-%d}."
    if is_near:
        words += (
            " Work and sync go on. A hub renews it by itself: look at this station's clock, then "
            "at what tally hub serve says."
        )
    return [Checked("certificate", is_well=not is_near, words=words)]


def _authority(directory: Path, connection: sqlite3.Connection) -> list[Checked]:
    """The hub's CA that lasts longest of those that this station trusts."""
    try:
        trust = read_trust((directory / _TRUST_NAME).read_bytes())
        found = load_pem_x509_certificates(authorities(connection, trust).encode())
    except (OSError, ValueError):
        return []  # `_trust` says what is wrong with the file
    end = max(one.not_valid_after_utc for one in found)
    is_near = end - SystemClock().now() < AUTHORITY_WARNS
    words = f"The hub's CA is good until {end:%Y-%m-%d}."
    if is_near:
        words += (
            " Work and sync go on, also when it has ended. Look at this station's clock; the plant "
            "admin renews it: tally hub renew DIR --ca"
        )
    return [Checked("authority", is_well=not is_near, words=words)]


def _wal(directory: Path, limits: DiskLimits) -> Checked:
    path = directory / f"{DATABASE_NAME}-wal"
    size = path.stat().st_size if path.exists() else 0
    most = limits.wal_mib * 1024
    words = f"{size // 1024} KiB wait to be written back, expected at most {most}."
    if size > most * 1024:
        words += " Another program holds the journal open (a backup, a virus scanner?): close it."
    return Checked("wal", is_well=size <= most * 1024, words=words)


def _chain(connection: sqlite3.Connection, identity: Identity) -> Checked:
    try:
        tail = check_tail(connection, identity, events=2**40)
        check_range(connection, identity, 1, 1)
    except JournalCorrupt as fault:
        return Checked("chain", is_well=False, words=_damage(connection, identity, fault))
    done = pruned_through(connection)
    if not done:
        words = f"All {tail.seq} events hash to the signed head {tail.event_id.hex()[:16]}."
        return Checked("chain", is_well=True, words=words)
    broken = broken_segment(connection, identity.journal, identity.key.public)
    if broken is not None:
        first, last = broken
        words = (
            f"Events {first} to {last} were deleted here and the ids left of them are not those "
            "that were sealed: the file was changed. The hub and its backups hold the events."
        )
        return Checked("chain", is_well=False, words=words)
    words = (
        f"Events {done + 1} to {tail.seq} hash to the signed head {tail.event_id.hex()[:16]}. "
        f"Events 2 to {done} were deleted here; their ids are those that were sealed, the hub and "
        "its backups hold them."
    )
    return Checked("chain", is_well=True, words=words)


def _machine(directory: Path, connection: sqlite3.Connection, identity: Identity) -> list[Checked]:
    found = machine.checked(directory, connection, identity.journal)
    return [Checked("computer", *found)] if found else []


def _copy(connection: sqlite3.Connection) -> list[Checked]:
    stamp = stamp_of(connection)
    if stamp is None:
        return []
    words = (
        f"This is a copy of station {stamp.station}, made {stamp.made} at event {stamp.seq}. It "
        "does not run until it is adopted: tally station adopt DIR"
    )
    return [Checked("copy", is_well=False, words=words)]


def _damage(connection: sqlite3.Connection, identity: Identity, fault: JournalCorrupt) -> str:
    """What is wrong, also where the station has not met it yet."""
    (tip,) = connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
    try:
        damaged = audit(connection, identity, tip).lines
    except JournalCorrupt as found:
        return found.words
    if not damaged:
        return fault.words
    lost = [seq for seq in damaged if seq in lost_in(connection)]
    open_ones = [seq for seq in damaged if seq not in lost]
    said = [damaged_words(open_ones)[0]] if open_ones else []
    return " ".join([*said, *([lost_words(lost)[0]] if lost else [])])


def _ledger(connection: sqlite3.Connection) -> Checked:
    not_taken, first = not_taken_in(connection)
    if not_taken:
        return Checked("ledger", is_well=False, words=not_taken_words(not_taken, first)[0])
    count = SqliteLedger(connection).uninterpreted()
    words = f"{count} events of a newer version are kept and not interpreted."
    return Checked("ledger", is_well=True, words=words)
