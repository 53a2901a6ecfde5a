"""Goes through a recording and cuts the power: which moments, which outcomes, how many.

The quick sweep takes a sample that is the same in every run, and judges each outcome. With PROVE=1
in the environment every moment is taken, with four outcomes each; SQLite opens every one of them,
and those that it reads alike, after the same promises, are judged once.
"""

import os
import random
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

from tests.crash.disk import HoleLeft, Kept, Lost, Scattered, TailLost, Torn

IS_FULL = os.environ.get("PROVE") == "1"


def fates(number):
    """What may become of unsynced changes at the `number`-th moment: one way, or four."""
    dice = random.Random(number)
    ordered = [Kept(), Torn(), HoleLeft(dice)][number % 3]
    every = [Lost(), TailLost(dice), Scattered(dice), ordered]
    return every if IS_FULL else [every[number // 3 % 4]]


def moments(calls, wanted):
    """Numbers of the calls after which the power goes: promises first, then spread evenly.

    The most that can be lost is unsynced just before a sync, the most that was promised stands
    just after an answer.
    """
    if IS_FULL:
        return range(len(calls) + 1)
    told = [n for n, call in enumerate(calls, 1) if call.is_promise]
    before_sync = [n for n, call in enumerate(calls) if call.kind == "s"]
    renamed = [n + more for n, call in enumerate(calls) if call.kind in "rlu" for more in (0, 1)]
    rest = range(0, len(calls) + 1, max(1, len(calls) // wanted))
    sharp = sorted({*told, *before_sync, *renamed})
    step = max(1, len(sharp) // wanted)
    return sorted({*sharp[::step], *rest})


@contextmanager
def somewhere():
    """A folder for what a power cut left; in memory where there is room: it need not last."""
    shared = Path("/dev/shm")
    in_memory = shared if os.access(shared, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="tally-cut-", dir=in_memory) as folder:
        yield Path(folder)


class Seen:
    """Which outcomes there were: their bytes, and what SQLite reads in them."""

    def __init__(self, disk, place):
        self._disk, self._place = disk, place
        self._read, self._judged = {}, set()

    def is_new(self, left, told):
        """Whether none before was read like this one after as much was said."""
        raw = _digest(left)
        if raw not in self._read:
            self._read[raw] = self._as_read(left)
        before = len(self._judged)
        self._judged.add((self._read[raw], told))
        return len(self._judged) > before

    def _as_read(self, left):
        """Digest of all files, databases as they are read; their bytes where they cannot be."""
        folder = self._place / "read"
        shutil.rmtree(folder, ignore_errors=True)
        self._disk.put(left, folder)
        found = {name: b"" if ".db-" in name else content for name, content in left.items()}
        try:
            for name in left:
                if name.endswith(".db"):
                    with closing(sqlite3.connect(folder / name)) as connection:
                        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                        found[name] = connection.serialize()
        except sqlite3.Error:
            return _digest(left)
        return _digest(found)


def _digest(files):
    """Over names and contents."""
    rows = sorted((name, sha256(content).hexdigest()) for name, content in files.items())
    return sha256(repr(rows).encode()).digest()


def power_cuts(disk, calls, place, wanted):
    """Every chosen moment with every chosen outcome, put on the disk in a fresh folder.

    Yields:
        (number of calls that were made, folder, promises made until then, words for a failure).
    """
    chosen = set(moments(calls, wanted))
    seen, promises, opened = Seen(disk, place), [], 0
    outcomes = judged = 0
    for number in range(len(calls) + 1):
        if number:
            disk.does(calls[number - 1])
            opened += calls[number - 1].kind == "o"
            if calls[number - 1].is_promise:
                promises.append(calls[number - 1])
        if number not in chosen:
            continue
        for again, fate in enumerate(fates(number)):
            left = disk.after_power_cut(fate)
            outcomes += 1
            if IS_FULL and not seen.is_new(left, (len(promises), opened)):
                continue
            judged += 1
            folder = place / "cut"
            shutil.rmtree(folder, ignore_errors=True)
            disk.put(left, folder)
            words = f"power cut after call {number} of {len(calls)}, outcome {again}"
            yield number, folder, promises, f"{words} ({type(fate).__name__})"
    sys.stdout.write(f"{len(chosen)} moments, {outcomes} outcomes, {judged} judged\n")


def lines_of(promises):
    """What was said on stdout, line by line, whole lines only."""
    said = b"".join(p.content for p in promises if p.kind == "p")
    return said.decode().split("\n")[:-1]


def damage(connection):
    """What SQLite itself has against the file."""
    found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    return [one for one in found if one != "ok"]
