"""Looks at the computer: what tells it from another, hashed (`sync.md` 3.6, F5).

What is seen first counts as right. What is another at a later start is recorded once and told to
technicians until a person says that it is right; it stops nobody, since copies may share all of it
and a repaired PC none. What cannot be read is left out. `TALLY_MACHINE` names another folder in
the place of `/`, as a container has its host's; empty: nothing is looked at.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.journal import Journal
from edge_agent.journal.machine import (
    KEY,
    Facts,
    Kept,
    changed_parts,
    fact,
    read_kept,
    text_of,
    with_new,
)
from edge_agent.journal.store import DATABASE_NAME
from tally.events.types import MachineChanged, MachineConfirmed, MachinePart
from tally.records.ids import JournalId

VARIABLE: Final = "TALLY_MACHINE"
ADAPTERS_MAX: Final = 16
BYTES_MAX: Final = 256
NAMES: Final[Mapping[MachinePart, str]] = {
    "machine": "the system's id",
    "network": "the network adapters",
    "disk": "the disk",
    "file": "the journal's file",
}


def facts_of(directory: Path, journal: JournalId, environment: Mapping[str, str]) -> Facts:
    """What this computer is, as far as it can be read, by part and hash."""
    root = environment.get(VARIABLE, "/")
    if not root:
        return ()
    found: list[tuple[MachinePart, str]] = list(_places(directory))
    found += (("machine", text) for text in _text_of(Path(root) / "etc/machine-id"))
    found += (("network", text) for text in _adapters(Path(root) / "sys/class/net"))
    return tuple(fact(journal, name, value) for name, value in sorted(set(found)))


def note(journal: Journal, now: Facts, at: datetime) -> tuple[MachinePart, ...]:
    """At a start: keep what there is, and record what is not as confirmed; what that is.

    Raises:
        JournalFault: nothing was kept.
    """
    kept = read_kept(journal.connection)
    if not now:
        return kept.changed if kept else ()
    if kept is None:
        journal.keep(KEY, text_of(Kept(now, now)))
        return ()
    found = Kept(with_new(kept.confirmed, now), now)
    is_news = found.changed != kept.changed or changed_parts(kept.now, now)
    if found.changed and is_news:
        body = MachineChanged(found.changed, found.confirmed, now)
        journal.append([OwnFact(body)], None, at=at, remember={KEY: text_of(found)})
    elif found != kept:
        journal.keep(KEY, text_of(found))
    return found.changed


def confirm(journal: Journal, now: Facts, *, badge: str, reason: str, at: datetime) -> None:
    """A person says that this is the right computer; recorded.

    Raises:
        JournalFault: nothing was kept.
    """
    body = MachineConfirmed(now, reason)
    journal.append([OwnFact(body, badge)], None, at=at, remember={KEY: text_of(Kept(now, now))})


def checked(
    directory: Path, connection: sqlite3.Connection, journal: JournalId
) -> tuple[bool, str] | None:
    """For `tally station doctor`: whether this is the computer that was known, and what to do."""
    kept = read_kept(connection)
    if kept is None or not kept.now:
        return None
    changed = changed_parts(kept.confirmed, facts_of(directory, journal, os.environ))
    if not changed:
        return True, "It is the one that the station knows."
    return False, changed_words(changed)


def changed_words(changed: Sequence[MachinePart]) -> str:
    """What is another, what that may mean, and what to do."""
    what = ", ".join(NAMES[part] for part in changed)
    return (
        f"Not as known: {what}. If this folder was copied from another computer, one of the two "
        "must not run. If it is the same computer with another part, or moved on purpose: tally "
        "station confirm-machine DIR --as BADGE --reason TEXT. Work goes on."
    )


def _text_of(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            text = file.read(BYTES_MAX).decode("ascii", "replace").strip()
    except OSError:
        return
    if text:
        yield text


def _adapters(folder: Path) -> Iterator[str]:
    """Addresses of adapters that are hardware; virtual ones come and go."""
    try:
        real = [one for one in folder.iterdir() if (one / "device").exists()]
    except OSError:
        return
    found = {text for one in real for text in _text_of(one / "address")}
    yield from sorted(found)[:ADAPTERS_MAX]


def _places(directory: Path) -> Iterator[tuple[MachinePart, str]]:
    try:
        system = os.statvfs(directory).f_fsid
        if system:
            yield "disk", str(system)
        yield "file", str((directory / DATABASE_NAME).stat().st_ino)
    except OSError:
        return
