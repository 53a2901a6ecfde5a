"""DIR/hub.toml as frozen settings with all problems at once.

`config/hub.example.toml` shows every key. Names of plant and site are no settings: they stand in
the hub's keys and never change. No other module reads settings.
"""

from __future__ import annotations

import tomllib
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hub.trust import ADDRESS
from tally.master.reading import Problem, Table

SETTINGS_FILE: Final = "hub.toml"
SETTINGS_BYTES_MAX: Final = 64 * 1024
PORT_FIRST: Final = 8440


class SettingsError(Exception):
    """The settings cannot be used; `problems` are all of them, each naming file and key."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Settings:
    """How this hub serves."""

    host: str = "0.0.0.0"  # noqa: S104  (stations come from the plant's network, over TLS)
    """Address on which stations are served; the plain port is always on loopback."""
    port: int | None = None
    """P: console and integrators; P+1: stations. None: the first free pair from 8440."""
    addresses: tuple[str, ...] = ()
    """host:port as stations reach P+1; put into tokens. Empty: this machine's addresses."""
    zone: str = ""
    """IANA name of the plant's time zone; empty: this machine's."""
    own_key_suffices: bool = True
    """Whether a station that was copied or restored goes on in a new journal by its own key; if
    not, a person's token is needed."""
    codes_asked_max: int = 1000
    """How many codes a station gets at once by asking, unless it had a larger block before."""


def load(directory: Path) -> Settings:
    """The settings of a hub; defaults where the file or a key is missing.

    Raises:
        SettingsError: with every problem.
    """
    path = directory / SETTINGS_FILE
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise SettingsError([f"{path} cannot be read: {error.strerror}."]) from error
    if len(raw) > SETTINGS_BYTES_MAX:
        raise SettingsError([f"{path} has {len(raw)} bytes; the limit is {SETTINGS_BYTES_MAX}."])
    try:
        return parse(tomllib.loads(raw.decode("utf-8")), str(path))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path} is not TOML: {error}."]) from error


def parse(values: dict[str, Any], file: str = SETTINGS_FILE) -> Settings:
    """Settings from the tables of a file.

    Raises:
        SettingsError: with every problem.
    """
    problems: list[Problem] = []
    top = Table(values, file=file, key="", problems=problems)
    default = Settings()
    host, port, addresses, zone = default.host, default.port, default.addresses, default.zone
    serve = top.optional_table("serve", "a table [serve]")
    if serve is not None:
        host = serve.text("host", pattern=r"[A-Za-z0-9:._-]+", words="an address", default=host)
        found = serve.whole("port", low=0, high=65534, default=0)
        port = found or None
        addresses = serve.texts("addresses", pattern=ADDRESS, words="host:port")
        serve.close()
    plant = top.optional_table("plant", "a table [plant]")
    if plant is not None:
        zone = plant.optional("zone") or ""
        if zone and not _is_zone(zone):
            plant.note("zone", "an IANA time zone, as in Asia/Shanghai", zone)
        plant.close()
    own_key, codes_asked = default.own_key_suffices, default.codes_asked_max
    stations = top.optional_table("stations", "a table [stations]")
    if stations is not None:
        own_key = stations.flag("own_key_suffices", default=own_key)
        codes_asked = stations.whole("codes_asked_max", low=0, high=10**9, default=codes_asked)
        stations.close()
    top.close()
    if problems:
        raise SettingsError([str(problem) for problem in problems])
    return Settings(host, port, addresses, zone, own_key, codes_asked)


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
