"""The station's settings: `station.toml` into frozen values, all problems at once.

The keys are documented in `config/station.example.toml`. Nothing here knows a device: whoever
reads the settings brings the check of a `[[device]]` table. No other module reads settings.
"""

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, Literal

from edge_agent.journal.pruning import KEEP_DAYS_MIN
from edge_agent.scan.keystrokes import Pace
from edge_agent.station.disk import DiskLimits
from edge_agent.station.making_room import StoreLimits
from edge_agent.station.trimming import TrimLimits
from tally.wire.protocol import PEER_PORT

FILE_NAME: Final = "station.toml"
FILE_BYTES_MAX: Final = 256 * 1024
DEVICES_MAX: Final = 32
ADDRESSES_MAX: Final = 8
DISK_MIB_MAX: Final = 2**20
PEERS_MAX: Final = 32
START_WAITS_S: Final = 5

KEYS: Final = (
    "language",
    "double_read_s",
    "printer",
    "hub",
    "peers",
    "journal",
    "disk",
    "keyboard",
    "device",
)

Language = Literal["en", "zh"]
DeviceCheck = Callable[[Mapping[str, Any]], str | None]
"""What is wrong with a device's table, in words; None: nothing."""


class SettingsError(Exception):
    """The settings cannot be used; `problems` names every one, with file, key and line."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """How this station and the others of its line reach each other."""

    enabled: bool = True
    listen: str = "0.0.0.0"  # noqa: S104  (neighbours come from the plant's network, over TLS)
    """Address on which neighbours are answered."""
    port: int = PEER_PORT
    """0: any free one, also when this one is taken."""
    addresses: tuple[str, ...] = ()
    """Where neighbours are, `host:port`, beside those that the hub and the network tell of."""
    mdns: bool = True
    """Ask the network for hints, and give them."""
    store: StoreLimits = field(default_factory=StoreLimits)
    """How much of the disk neighbours' events may take, and how long they stay."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a plant may choose for one station."""

    language: Language = "en"
    """Language of screens and texts when nobody is signed in."""
    addresses: tuple[str, ...] = ()
    """Where the hub is, `host:port`, tried in order; empty: those of the enrolment."""
    peers: PeerSettings = field(default_factory=PeerSettings)
    double_read_s: float = 2.0
    """The same code of the same device within this time is ignored, 0.5 to 10 s."""
    printer: str = ""
    """Name of the device that prints labels; empty: the only one there is."""
    journal_kib_max: int = 0
    """The journal never grows beyond this many KiB; 0: as far as the disk goes."""
    mark: str | None = None
    """Folder for the journal's high-water mark; "": none is kept, None: the usual one."""
    mirror: str = ""
    """Folder on another medium that gets a copy of the own journal; empty: none."""
    start_waits_s: int = START_WAITS_S
    """How long a start waits to hear from hub and neighbours where the own journal ends."""
    trim: TrimLimits = field(default_factory=TrimLimits)
    """From how large a journal on old events are deleted that backups of the hub hold."""
    disk: DiskLimits = field(default_factory=DiskLimits)
    """When a disk that fills up is told, and when it stops the station."""
    keyboard: Pace = field(default_factory=Pace)
    """How fast a scanner types that the screen takes for a keyboard."""
    devices: tuple[Mapping[str, Any], ...] = ()
    """One table a device, in the order of the file; its family reads it."""


def load_settings(directory: Path, check_device: DeviceCheck) -> Settings:
    """Read DIR/station.toml; a station without the file runs on the defaults, without devices.

    Raises:
        SettingsError: every problem of the file.
    """
    path = directory / FILE_NAME
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise SettingsError((f"{path}: cannot be read: {error.strerror}.",)) from error
    return parse_settings(raw, check_device, name=str(path))


def parse_settings(raw: bytes, check_device: DeviceCheck, *, name: str) -> Settings:
    """Read the bytes of a settings file; `name` is what the problems call it.

    Raises:
        SettingsError: every problem of the file.
    """
    if len(raw) > FILE_BYTES_MAX:
        words = f"{name}: expected at most {FILE_BYTES_MAX} bytes, found {len(raw)}."
        raise SettingsError((words,))
    try:
        text = raw.decode("utf-8")
        table = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError((f"{name}: expected TOML in UTF-8: {error}.",)) from error
    reading = _Reading(name, text, check_device)
    journal = reading.table(table, "journal")
    settings = Settings(
        language=reading.language(table.pop("language", "en")),
        addresses=reading.addresses(reading.table(table, "hub")),
        peers=reading.peers(reading.table(table, "peers")),
        double_read_s=reading.seconds(table.pop("double_read_s", 2.0)),
        printer=reading.text(table.pop("printer", ""), "printer"),
        journal_kib_max=reading.kib_max(journal),
        mark=reading.mark(journal),
        mirror=reading.mirror(journal),
        start_waits_s=reading.start_waits(journal),
        trim=reading.trim(journal),
        disk=reading.disk(reading.table(table, "disk")),
        keyboard=reading.pace(reading.table(table, "keyboard")),
        devices=reading.devices(table.pop("device", [])),
    )
    reading.unknown(table, KEYS)
    if reading.problems:
        raise SettingsError(tuple(reading.problems))
    return settings


class _Reading:
    """Notes each problem with its line and goes on with something harmless."""

    def __init__(self, name: str, text: str, check_device: DeviceCheck) -> None:
        self._name = name
        self._check_device = check_device
        self._lines = text.splitlines()
        self.problems: list[str] = []

    def note(self, key: str, expected: str, found: object) -> None:
        where = self._line_of(key)
        shown = repr(found)[:80]
        self.problems.append(f"{where}: {key}: expected {expected}, found {shown}.")

    def unknown(self, rest: Mapping[str, object], known: tuple[str, ...], inside: str = "") -> None:
        for key in rest:
            near = difflib.get_close_matches(key[:80], known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(known)}."
            where = self._line_of(key)
            self.problems.append(f"{where}: {inside}{key}: there is no such key.{hint}")

    def table(self, table: dict[str, Any], key: str) -> dict[str, Any]:
        found = table.pop(key, {})
        if isinstance(found, dict):
            return dict(found)
        self.note(key, f"a table, [{key}]", found)
        return {}

    def language(self, found: object) -> Language:
        if found == "zh":
            return "zh"
        if found != "en":
            self.note("language", "'en' or 'zh'", found)
        return "en"

    def text(self, found: object, key: str) -> str:
        if isinstance(found, str) and len(found) <= 4096 and "\0" not in found:
            return found
        self.note(key, "text", found)
        return ""

    def seconds(self, found: object) -> float:
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        if is_number and 0.5 <= found <= 10:  # type: ignore[operator]  # checked in is_number
            return float(found)  # type: ignore[arg-type]  # the same
        self.note("double_read_s", "0.5 to 10 seconds", found)
        return 2.0

    def kib_max(self, table: dict[str, Any]) -> int:
        found = table.pop("kib_max", 0)
        if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= 2**31:
            return found
        self.note("kib_max", "KiB, 0 for no limit of its own", found)
        return 0

    def mark(self, table: dict[str, Any]) -> str | None:
        found = table.pop("mark", None)
        if found is None or (isinstance(found, str) and re.fullmatch(r"|/[^\0]{0,4095}", found)):
            return found
        self.note("mark", "a folder, as in '/var/lib/marks', or '' for none", found)
        return ""

    def mirror(self, table: dict[str, Any]) -> str:
        found = table.pop("mirror", "")
        if isinstance(found, str) and re.fullmatch(r"|/[^\0]{0,4095}", found):
            return found
        self.note("mirror", "a folder on another medium, as in '/media/mirror', or ''", found)
        return ""

    def start_waits(self, table: dict[str, Any]) -> int:
        return self._whole(table, "start_waits_s", START_WAITS_S, 0, 60)

    def trim(self, table: dict[str, Any]) -> TrimLimits:
        usual = TrimLimits()
        found = {
            "prune_at_gib": self._whole(table, "prune_at_gib", usual.at_gib, 0, 2**20),
            "keep_days": self._whole(table, "keep_days", usual.keep_days, KEEP_DAYS_MIN, 36_500),
        }
        self.unknown(table, ("kib_max", "mark", "mirror", "start_waits_s", *found), "journal.")
        return TrimLimits(found["prune_at_gib"], found["keep_days"])

    def disk(self, table: dict[str, Any]) -> DiskLimits:
        """Each rung lies below the one before it."""
        usual = DiskLimits()
        found = {
            "warn_mib": self._whole(table, "warn_mib", usual.warn_mib, 0, DISK_MIB_MAX),
            "optional_mib": self._whole(table, "optional_mib", usual.optional_mib, 0, DISK_MIB_MAX),
            "stop_mib": self._whole(table, "stop_mib", usual.stop_mib, 0, DISK_MIB_MAX),
            "ballast_mib": self._whole(table, "ballast_mib", usual.ballast_mib, 0, 4096),
            "wal_mib": self._whole(table, "wal_mib", usual.wal_mib, 17, DISK_MIB_MAX),
        }
        self.unknown(table, tuple(found), "disk.")
        for key, above in (("optional_mib", "warn_mib"), ("stop_mib", "optional_mib")):
            if found[key] > found[above]:
                self.note(key, f"at most {above}, {found[above]}", found[key])
        return DiskLimits(**found)

    def pace(self, table: dict[str, Any]) -> Pace:
        """Milliseconds in the file, seconds in the value."""
        usual = Pace()
        found = {
            "keys_min": self._whole(table, "keys_min", usual.keys_min, 3, 32),
            "gap_median_ms": self._whole(table, "gap_median_ms", 30, 1, 500),
            "gap_ms": self._whole(table, "gap_ms", 100, 10, 1000),
            "hold_ms": self._whole(table, "hold_ms", 40, 1, 500),
        }
        self.unknown(table, tuple(found), "keyboard.")
        if found["gap_median_ms"] > found["gap_ms"]:
            self.note("gap_median_ms", f"at most gap_ms, {found['gap_ms']}", found["gap_median_ms"])
        return Pace(
            keys_min=found["keys_min"],
            gap_median_max=found["gap_median_ms"] / 1000,
            gap_max=found["gap_ms"] / 1000,
            hold_max=found["hold_ms"] / 1000,
        )

    def _whole(self, table: dict[str, Any], key: str, usual: int, low: int, high: int) -> int:
        found = table.pop(key, usual)
        if isinstance(found, int) and not isinstance(found, bool) and low <= found <= high:
            return found
        self.note(key, f"{low} to {high}", found)
        return usual

    def addresses(self, table: dict[str, Any]) -> tuple[str, ...]:
        found = self._addresses(table, ADDRESSES_MAX)
        self.unknown(table, ("addresses",), "hub.")
        return found

    def peers(self, table: dict[str, Any]) -> PeerSettings:
        usual = PeerSettings()
        found = PeerSettings(
            enabled=self._flag(table, "enabled"),
            listen=self._address(table.pop("listen", usual.listen)),
            port=self._whole(table, "port", usual.port, 0, 65535),
            addresses=self._addresses(table, PEERS_MAX),
            mdns=self._flag(table, "mdns"),
            store=StoreLimits(
                self._whole(table, "store_percent", usual.store.percent, 1, 90),
                self._whole(table, "keep_days", usual.store.keep_days, 1, 3650),
            ),
        )
        known = ("enabled", "listen", "port", "addresses", "mdns", "store_percent", "keep_days")
        self.unknown(table, known, "peers.")
        return found

    def _flag(self, table: dict[str, Any], key: str) -> bool:
        found = table.pop(key, True)
        if isinstance(found, bool):
            return found
        self.note(key, "true or false", found)
        return True

    def _address(self, found: object) -> str:
        try:
            return str(ip_address(found if isinstance(found, str) else ""))
        except ValueError:
            self.note("listen", "an address of this machine, as in '10.0.0.7'", found)
            return "127.0.0.1"

    def _addresses(self, table: dict[str, Any], most: int) -> tuple[str, ...]:
        found = table.pop("addresses", [])
        if not isinstance(found, list) or len(found) > most:
            self.note("addresses", f"a list of at most {most} 'host:port'", found)
            return ()
        for one in found:
            if not isinstance(one, str) or not re.fullmatch(r"[^\s/]{1,255}:\d{1,5}", one):
                self.note("addresses", "'host:port', as in '10.0.0.5:8443'", one)
        return tuple(str(one) for one in found)

    def devices(self, found: object) -> tuple[Mapping[str, Any], ...]:
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            self.note("device", "tables, [[device]]", found)
            return ()
        if len(found) > DEVICES_MAX:
            self.note("device", f"at most {DEVICES_MAX} devices", len(found))
        names = [one.get("name") for one in found]
        for twice in sorted({str(name) for name in names if names.count(name) > 1}):
            self.note("device", "each name once", twice)
        for number, one in enumerate(found[:DEVICES_MAX], 1):
            words = self._check_device(one)
            if words is not None:
                self.problems.append(f"{self._line_of('device', number)}: {words}")
        return tuple(found)

    def _line_of(self, key: str, nth: int = 1) -> str:
        """Where a key stands, or its nth table; the last one if they stand in one line."""
        pattern = re.compile(rf"\s*(\[+\s*)?[\"']?{re.escape(key)}[\"']?\s*(=|\])")
        lines = [number for number, line in enumerate(self._lines, 1) if pattern.match(line)]
        return f"{self._name}, line {lines[:nth][-1]}" if lines else self._name
