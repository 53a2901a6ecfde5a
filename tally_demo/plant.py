"""Sets up the demo plant below one folder: DIR/hub and DIR/S01 … DIR/S04, and runs it.

Everything is done by the commands that a plant's people would type: `tally hub init`, `import`,
`serve`, `grant`, `enroll-token`, `tally station enroll`, `run`. The master data and the blocks come
from `config/demo`. Read next: `tally_demo.work` for what people then do there.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Self

from tally_demo.commands import DemoError, read, run
from tally_demo.devices import Hand, Scanner
from tally_demo.headless import Headless
from tally_demo.processes import Child, Children

STATIONS: Final = ("S01", "S02", "S03", "S04")
HUB_READY_S: Final = 60.0
ROUNDS_MAX: Final = 12
"""Rounds of syncing in which all stations must have come to hold the same."""


def demo_folder() -> Path:
    """The folder of the demo plant's data: in the installed package, or in the repository.

    Raises:
        DemoError: neither place has it.
    """
    package = Path(str(files("tally_demo")))
    places = (package / "config" / "demo", package.parent / "config" / "demo")
    for place in places:
        if (place / "grants.toml").is_file():
            return place
    raise DemoError(
        f"The demo plant is missing: expected grants.toml in {places[0]} or {places[1]}. "
        "Install Tallystick again."
    )


@dataclass(frozen=True, slots=True)
class Place:
    """One station with what stands on its bench."""

    name: str
    folder: Path
    station: Headless
    scanner: Scanner
    hand: Hand


class Plant:
    """A hub and four stations below `directory`.

    Attributes:
        addresses: where the hub says it can be reached, one line each.
    """

    def __init__(
        self, directory: Path, tell: Callable[[str], None], *, port: int | None = None
    ) -> None:
        """`port`: of the hub; None: the first free one."""
        self.directory = directory.resolve()
        self.hub_folder = self.directory / "hub"
        self.addresses: list[str] = []
        self.places: dict[str, Place] = {}
        self.children = Children()
        self._tell = tell
        self._port = port
        self._hub: Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every program and unplug the scanners; the data stay."""
        self.children.end_all()
        for place in self.places.values():
            place.scanner.unplug()

    @property
    def console(self) -> str:
        """Where a browser finds the hub."""
        words = (word for line in self.addresses for word in line.split())
        return next((word for word in words if word.startswith("http://")), "")

    def set_up(self) -> None:
        """Make the hub and the stations, grant the blocks, enrol; nothing runs but the hub.

        Raises:
            DemoError: the folder is in use, or a command did not do its work.
        """
        config = demo_folder()
        for name in ("hub", *STATIONS):
            if (self.directory / name).exists():
                raise DemoError(
                    f"{self.directory / name} exists already. Give an empty folder; the demo "
                    "always begins with new data."
                )
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DemoError(
                f"The folder {self.directory} cannot be made: {error.strerror}. Give another one."
            ) from error
        self._tell("hub: new plant, master data, blocks")
        run("hub", "init", self.hub_folder, "--plant", "Ningbo lamps", "--site", "NB1")
        run("hub", "import", self.hub_folder, *_master_files(config))
        self._serve()
        grants = tomllib.loads((config / "grants.toml").read_text("utf-8"))["grant"]
        self._tell(f"{', '.join(STATIONS)}: enrolling")
        at_once = ThreadPoolExecutor()
        try:
            # Mostly the starting of programs, so that stations side by side take half the time.
            for done in [at_once.submit(self._enroll, name, config, grants) for name in STATIONS]:
                done.result()
        finally:
            at_once.shutdown(cancel_futures=True)

    def start(self, name: str) -> Place:
        """Start one station headless, with its scanner plugged in."""
        place = self.bench(name)
        self.places[name] = place
        place.scanner.plug_in()
        place.station.start()
        return place

    def stop(self, name: str) -> int:
        """End one station's input and take its scanner away; its exit status."""
        place = self.places.pop(name)
        status = place.station.end()
        place.scanner.unplug()
        return status

    def start_all(self, names: tuple[str, ...] = STATIONS) -> None:
        """Start these stations and wait until each has pulled what the hub has.

        They are started here and not by threads: what `setpriv --pdeathsig` watches is the thread.
        """
        self._tell(f"{', '.join(names)}: starting")
        for name in names:
            self.start(name)
        for name in names:
            self.sync(name)

    def sync(self, name: str) -> None:
        """Let a station send and pull everything.

        Raises:
            DemoError: it could not; the words are the station's.
        """
        line = self.places[name].station.say({"sync": True})
        if line.verdict != "READY":
            raise DemoError(f"{name} could not sync: {line.printed}")

    def settle(self) -> list[dict[str, Any]]:
        """Sync all stations until hub and stations hold the same events; the fingerprints then.

        Returns:
            `tally … fingerprint --json` of the hub and each station, with `name` added.
        """
        found: list[dict[str, Any]] = []
        for _ in range(ROUNDS_MAX):
            for name in self.places:
                self.sync(name)
            found = self.fingerprints()
            if len({json.dumps(one["frontier"], sort_keys=True) for one in found}) == 1:
                break
        return found

    def fingerprints(self) -> list[dict[str, Any]]:
        """The hub's fingerprint and those of the stations, as their commands print them."""
        hub = {"name": "hub", **read("hub", "fingerprint", self.hub_folder)}
        others = [
            {"name": name, **read("station", "fingerprint", place.folder)}
            for name, place in self.places.items()
        ]
        return [hub, *others]

    def grant(self, grant: dict[str, Any]) -> None:
        """Give a block to a station, as one table of `grants.toml` says."""
        run(
            "hub", "grant", self.hub_folder, grant["scheme"], grant["station"], grant["count"],
            "--start", grant["start"], "--block", grant["block"],
        )  # fmt: skip

    def _serve(self) -> None:
        log = self.directory / "logs" / "hub.txt"
        port = ["--port", str(self._port)] if self._port else []
        self._hub = self.children.start(
            "hub", ["hub", "serve", str(self.hub_folder), "--host", "127.0.0.1", *port], log
        )
        said = _Listening(self._hub)
        self.addresses = said.until_served()
        self._tell(f"hub: serving, console at {self.console}")

    def _enroll(self, name: str, config: Path, grants: list[dict[str, Any]]) -> None:
        """Make one station, and give it the blocks that are its own."""
        folder = self.directory / name
        for part in ("labels", "pictures"):
            (folder / part).mkdir(parents=True)
        shutil.copytree(config / "templates", folder / "templates")
        (folder / "station.toml").write_text(_settings(folder), "utf-8")
        token = run("hub", "enroll-token", self.hub_folder, name).stdout.strip()
        run("station", "enroll", folder, token)
        for grant in grants:
            if grant["station"] == name:
                self.grant(grant)

    def bench(self, name: str) -> Place:
        """A station that is not running, with what stands on its bench."""
        folder = self.directory / name
        log = self.directory / "logs" / f"{name}.txt"
        return Place(
            name,
            folder,
            Headless(name, folder, self.children, log),
            Scanner(folder / "scanner"),
            Hand(folder / "labels", folder / "pictures"),
        )


class _Listening:
    """Reads what the hub prints until it serves, and goes on reading so that it never blocks."""

    def __init__(self, hub: Child) -> None:
        self._hub = hub
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._is_over = False
        threading.Thread(target=self._listen, daemon=True).start()

    def until_served(self) -> list[str]:
        """The lines with its addresses.

        Raises:
            DemoError: it ended, or said none within `HUB_READY_S`.
        """
        until = time.monotonic() + HUB_READY_S
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_over or len(list(self._addresses())) >= 2, HUB_READY_S
            )
            found = list(self._addresses())
        if len(found) >= 2 and time.monotonic() <= until:
            return found
        raise DemoError(
            f"The hub did not serve within {HUB_READY_S:g} s: expected its addresses on stdout, "
            f"found {self._lines!r}.\n{self._hub.last_words()}"
        )

    def _addresses(self) -> Iterator[str]:
        return (line for line in self._lines if "://" in line)

    def _listen(self) -> None:
        try:
            for raw in self._hub.stdout:
                with self._changed:
                    self._lines.append(raw.decode("utf-8", "replace").strip())
                    self._changed.notify_all()
        except ValueError:
            pass  # the pipe was closed here while it was being read
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()


def _master_files(config: Path) -> list[Path]:
    patterns = ("*.toml", "*.csv", "plans/*.toml", "templates/*.toml")
    found = (path for pattern in patterns for path in config.glob(pattern))
    return sorted(path for path in found if path.name != "grants.toml")


def _settings(folder: Path) -> str:
    """A station's settings: scanner on its pty, camera and label printer on folders."""
    return f"""\
# Settings of a demo station. Every key: config/station.example.toml.

[disk]
ballast_mib = 0
[peers]
listen = "127.0.0.1"
port = 0
mdns = false

[[device]]
name = "serial-1"
driver = "serial_port"
port = {json.dumps(str(folder / "scanner"))}

[[device]]
name = "camera-1"
driver = "camera"
folder = {json.dumps(str(folder / "pictures"))}

[[device]]
name = "printer-1"
driver = "label_files"
folder = {json.dumps(str(folder / "labels"))}
"""
