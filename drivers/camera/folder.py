"""Watches a folder and gives each new or changed picture file once, whole.

Rules:
1. Pictures that are there when the folder is first seen are old, unless the setting says to read
   them: a station that restarts must not scan yesterday again.
2. A file is new when its name is new, or when another file stands under the name, or when its
   size or time of change differ. Bytes equal to the last ones within a second are the writer
   finishing (setting the time of the file), not a new picture.
3. A file without its end is looked at again until it has not changed for `settle_s`.
Names beginning with a dot are files in the making and are never looked at.
"""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from drivers.camera.picture import FILE_BYTES_MAX, outline, why_refused

SUFFIXES = (".png", ".jpg", ".jpeg")
FILES_MAX = 20_000
SETTLE_S = 1.0

Stamp = tuple[int, int, int]  # file number, size, time of change in ns


class FolderFull(Exception):
    """The folder holds more than `FILES_MAX` entries."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture file: its bytes, or why it is refused, in words."""

    name: str
    raw: bytes = b""
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was last taken under a name."""

    stamp: Stamp
    digest: bytes = b""
    at: float = float("-inf")


class FolderWatch:
    """Remembers what was taken from the folder, as long as it stays there."""

    def __init__(self, folder: str, *, read_existing: bool, settle_s: float = SETTLE_S) -> None:
        self._folder = Path(folder)
        self._settle_s = settle_s
        self._is_first = not read_existing
        self._seen: dict[str, _Seen] = {}
        self._unfinished: dict[str, tuple[Stamp, float]] = {}

    def poll(self) -> list[str]:
        """Names of pictures that may be new, by name.

        Raises:
            OSError: the folder cannot be listed.
            FolderFull: it holds too much.
        """
        stamps = self._list()
        for gone in self._seen.keys() - stamps.keys():
            del self._seen[gone]
        for gone in self._unfinished.keys() - stamps.keys():
            del self._unfinished[gone]
        if self._is_first:
            self._is_first = False
            self._seen = {name: _Seen(stamp) for name, stamp in stamps.items()}
        return sorted(
            name
            for name, stamp in stamps.items()
            if name not in self._seen or self._seen[name].stamp != stamp
        )

    def take(self, name: str, now: float) -> Picture | None:
        """The picture under a name; None when it is not whole yet, gone, or not new after all."""
        try:
            stamp, raw = self._read(name)
        except FileNotFoundError:
            return None
        except OSError as error:
            return self._refuse(name, error.strerror or str(error))
        if stamp is None:
            return None  # it changed while it was read: the next poll sees it again
        if stamp[1] > FILE_BYTES_MAX:
            self._seen[name] = _Seen(stamp)
            limit = f"expected at most {FILE_BYTES_MAX} bytes, the file has {stamp[1]}"
            return Picture(name, refusal=limit)
        found = outline(raw)
        if found.missing:
            return self._wait_for_end(name, stamp, found.missing, now)
        self._unfinished.pop(name, None)
        digest = hashlib.blake2b(raw, digest_size=16).digest()
        last = self._seen.get(name)
        is_touched = (
            last is not None
            and last.digest == digest
            and last.stamp[0] == stamp[0]
            and now - last.at < self._settle_s
        )
        self._seen[name] = _Seen(stamp, digest, last.at if last and is_touched else now)
        if is_touched:
            return None
        return Picture(name, raw, why_refused(found))

    def _list(self) -> dict[str, Stamp]:
        stamps: dict[str, Stamp] = {}
        with os.scandir(self._folder) as entries:
            for count, entry in enumerate(entries):
                if count >= FILES_MAX:
                    raise FolderFull
                if entry.name.startswith(".") or not entry.name.lower().endswith(SUFFIXES):
                    continue
                try:
                    status = entry.stat()
                except OSError:  # gone since it was listed, or a link to nowhere
                    continue
                if stat.S_ISREG(status.st_mode):
                    stamps[entry.name] = _stamp(status)
        return stamps

    def _read(self, name: str) -> tuple[Stamp | None, bytes]:
        """Bytes and the stamp they belong to; no stamp when the file changed meanwhile."""
        descriptor = os.open(self._folder / name, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            before = _stamp(os.fstat(descriptor))
            if before[1] > FILE_BYTES_MAX:
                return before, b""
            raw = file.read(FILE_BYTES_MAX + 1)
            after = _stamp(os.fstat(descriptor))
        return (after if before == after and len(raw) == after[1] else None), raw

    def _wait_for_end(self, name: str, stamp: Stamp, missing: str, now: float) -> Picture | None:
        known, since = self._unfinished.get(name, (None, now))
        if known != stamp:
            since = now
        self._unfinished[name] = (stamp, since)
        if now - since < self._settle_s:
            return None
        del self._unfinished[name]
        self._seen[name] = _Seen(stamp)
        return Picture(name, refusal=missing)

    def _refuse(self, name: str, why: str) -> Picture | None:
        """Give up on a file that cannot be opened, until it changes."""
        try:
            stamp = _stamp((self._folder / name).stat())
        except OSError:
            return None
        self._seen[name] = _Seen(stamp)
        return Picture(name, refusal=why)


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_ino, status.st_size, status.st_mtime_ns
