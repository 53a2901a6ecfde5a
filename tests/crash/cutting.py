"""Goes through a recording and cuts the power: which moments, which outcomes, how many.

The quick sweep takes a sample that is the same in every run; with PROVE=1 in the environment every
moment is taken, with four outcomes each.
"""

import os
import random
import shutil
import tempfile
from contextlib import contextmanager
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


def power_cuts(disk, calls, place, wanted):
    """Every chosen moment with every chosen outcome, put on the disk in a fresh folder.

    Yields:
        (number of calls that were made, folder, promises made until then, words for a failure).
    """
    chosen = set(moments(calls, wanted))
    promises = []
    for number in range(len(calls) + 1):
        if number:
            disk.does(calls[number - 1])
            if calls[number - 1].is_promise:
                promises.append(calls[number - 1])
        if number not in chosen:
            continue
        for again, fate in enumerate(fates(number)):
            folder = place / "cut"
            shutil.rmtree(folder, ignore_errors=True)
            disk.put(disk.after_power_cut(fate), folder)
            words = f"power cut after call {number} of {len(calls)}, outcome {again}"
            yield number, folder, promises, f"{words} ({type(fate).__name__})"


def lines_of(promises):
    """What was said on stdout, line by line, whole lines only."""
    said = b"".join(p.content for p in promises if p.kind == "p")
    return said.decode().split("\n")[:-1]


def damage(connection):
    """What SQLite itself has against the file."""
    found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    return [one for one in found if one != "ok"]
