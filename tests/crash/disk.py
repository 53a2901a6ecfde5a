"""A disk that loses power: which files and bytes there may be after any number of recorded calls.

What holds on the disks that we require (they honour a flush):
1. A sync of a file keeps everything written to it before. Later writes may be there or not, each
   sector of 512 bytes for itself: lost, kept, reordered, torn; its length too.
2. A sync of a folder keeps the names given and taken in it before. Later ones may be there or not,
   in their order (a journalling file system). A new file's name is not kept by a sync of the file.
3. What one file has tells nothing about another.

The index of SQLite's log (`-shm`) is not followed: SQLite makes it anew after a crash.
"""

import itertools
import os
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512


@dataclass(eq=False)
class File:
    """Contents of one file: what is on the disk for certain, and the changes that may be lost."""

    durable: bytearray = field(default_factory=bytearray)
    changes: list = field(default_factory=list)

    def sync(self):
        """All changes become certain."""
        for change in self.changes:
            _apply(self.durable, change)
        self.changes = []

    def content(self, fate):
        """What a power cut leaves, as `fate` will have it."""
        left = bytearray(self.durable)
        for change in fate.written(self.changes):
            _apply(left, change)
        return bytes(left)


@dataclass(frozen=True)
class Write:
    """Bytes at an offset."""

    at: int
    content: bytes


@dataclass(frozen=True)
class Cut:
    """A new length."""

    size: int


def _apply(content, change):
    if isinstance(change, Cut):
        del content[change.size :]
        content.extend(bytes(change.size - len(content)))
        return
    content.extend(bytes(max(0, change.at - len(content))))
    content[change.at : change.at + len(change.content)] = change.content


# --- what may become of changes that were not synced ------------------------------------------


class Lost:
    """Nothing that was not synced is there."""

    def written(self, changes):
        return []

    def named(self, count):
        return 0


class Kept:
    """Everything is there: the program was killed, the machine goes on."""

    def written(self, changes):
        return changes

    def named(self, count):
        return count


class Torn(Kept):
    """Everything but the second half of the newest write of each file."""

    def written(self, changes):
        if not changes or isinstance(changes[-1], Cut):
            return changes[:-1]
        last = changes[-1]
        middle = (last.at + len(last.content) // 2) // SECTOR * SECTOR
        half = last.content[: max(0, middle - last.at)]
        return [*changes[:-1], Write(last.at, half)]


class Scattered:
    """Each sector has any of the versions it ever had since the sync, and so has the length."""

    def __init__(self, dice):
        self._dice = dice

    def written(self, changes):
        """Sector by sector: of the changes that touch it, a first few are there."""
        ends = [c.size if isinstance(c, Cut) else c.at + len(c.content) for c in changes]
        if not changes:
            return []
        last = (max(ends) + SECTOR - 1) // SECTOR
        wanted = [self._dice.randint(0, len(changes)) for _ in range(last + 1)]
        left = []
        for number, change in enumerate(changes):
            if isinstance(change, Cut):
                if number < self._dice.randint(0, len(changes)):
                    left.append(change)
            else:
                left += [part for sector, part in _sectors(change) if number < wanted[sector]]
        return left

    def named(self, count):
        return self._dice.randint(0, count)


class TailLost(Kept):
    """The disk took the changes in order and stopped somewhere."""

    def __init__(self, dice):
        self._dice = dice

    def written(self, changes):
        return changes[: self._dice.randint(0, len(changes))]

    def named(self, count):
        return self._dice.randint(0, count)


class HoleLeft(Kept):
    """All changes are there but one."""

    def __init__(self, dice):
        self._dice = dice

    def written(self, changes):
        missing = self._dice.randrange(len(changes)) if changes else 0
        return [change for number, change in enumerate(changes) if number != missing]


def _sectors(write):
    at, end = write.at, write.at + len(write.content)
    while at < end:
        stop = min(end, (at // SECTOR + 1) * SECTOR)
        yield at // SECTOR, Write(at, write.content[at - write.at : stop - write.at])
        at = stop


# --- the disk ---------------------------------------------------------------------------------


class Disk:
    """One folder and what is in it, driven by recorded calls."""

    def __init__(self, folder, before):
        self._folder = str(folder)
        self._durable = {}
        for path in sorted(Path(before).rglob("*")):
            if path.is_file() and not path.name.endswith("-shm"):
                name = str(path.relative_to(before))
                self._durable[name] = File(bytearray(path.read_bytes()))
        self._folders = {str(p.relative_to(before)) for p in Path(before).rglob("*") if p.is_dir()}
        self._folders.add(".")
        self._names = dict(self._durable)
        self._renamings = {name: [] for name in self._folders}
        self._open = {}
        self.syncs = 0

    def does(self, call):
        """Take one call."""
        match call.kind:
            case "o":
                self._opened(call.fd, self._inside(call.content.decode()), call.number)
            case "c":
                self._open.pop(call.fd, None)
            case "w" | "t" if isinstance(file := self._open.get(call.fd), File):
                is_cut = call.kind == "t"
                file.changes.append(
                    Cut(call.number) if is_cut else Write(call.number, call.content)
                )
            case "s":
                self._synced(self._open.get(call.fd))
            case "r":
                old, new = map(self._inside, call.names)
                self._name(new, self._names[old], old)
            case "l":
                old, new = map(self._inside, call.names)
                self._name(new, self._names[old])
            case "u":
                name = self._inside(call.content.partition(b"\0")[0].decode())
                if name in self._names:
                    self._name(None, None, name)

    def _opened(self, fd, name, flags):
        if name in self._folders:
            self._open[fd] = name
            return
        if name.endswith("-shm"):
            return
        if name not in self._names:
            assert flags & os.O_CREAT, f"{name} was never made"
            self._name(name, File())
        file = self._open[fd] = self._names[name]
        if flags & os.O_TRUNC:
            file.changes.append(Cut(0))

    def _synced(self, what):
        self.syncs += 1
        if isinstance(what, File):
            what.sync()
        elif what is not None:
            for change in self._renamings[what]:
                _rename(self._durable, change)
            self._renamings[what] = []

    def _name(self, new, file, old=None):
        change = (new, file, old)
        _rename(self._names, change)
        self._renamings[str(Path(new or old).parent)].append(change)

    def _inside(self, path):
        assert path.startswith(self._folder), path
        return os.path.relpath(path, self._folder)

    def after_power_cut(self, fate):
        """Name to bytes of everything that is there when the power comes back."""
        names = dict(self._durable)
        for changes in self._renamings.values():
            for change in itertools.islice(changes, fate.named(len(changes))):
                _rename(names, change)
        contents = {}
        for file in names.values():
            if file not in contents:
                contents[file] = file.content(fate)
        return {name: contents[file] for name, file in names.items()}

    @property
    def is_certain(self):
        """Whether a power cut now has only one outcome."""
        return not any(self._renamings.values()) and not any(
            file.changes for file in self._names.values()
        )

    def put(self, left, place):
        """Write what a power cut left into a new folder."""
        for folder in sorted(self._folders):
            (place / folder).mkdir(parents=True, exist_ok=True)
        for name, content in left.items():
            (place / name).write_bytes(content)
            (place / name).chmod(0o600)


def _rename(names, change):
    new, file, old = change
    if old is not None:
        names.pop(old, None)
    if new is not None:
        names[new] = file
