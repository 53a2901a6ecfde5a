"""Whether SQLite can read every page of the journal's file, and what the last look found.

The note `pages.json` beside the file says when all of it was last looked at, and what was damaged;
then the next start makes a new file (`remaking`). A note that is lost is written by the next look.
"""

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_agent.journal.faults import JournalCorrupt, fault_of
from edge_agent.journal.store import DATABASE_NAME, open_reader

DAMAGED: Final = "J-206"
REMADE: Final = "J-207"
NOTE_NAME: Final = "pages.json"
WORDS_MAX: Final = 400
_FILE_BYTES_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class Note:
    """When the file was looked at, ISO 8601, and what was damaged, empty for nothing."""

    at: str
    damage: str


def look_at_pages(directory: Path) -> str:
    """What SQLite finds damaged in the file, table by table; empty for nothing.

    Each table is a transaction of its own, so that a long look holds no snapshot for long.

    Raises:
        JournalFault: the file cannot be read now, which says nothing about its pages.
    """
    try:
        with closing(open_reader(directory / DATABASE_NAME)) as connection:
            rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            found = (_look_at_table(connection, name) for (name,) in rows.fetchall())
            return "; ".join(filter(None, found))[:WORDS_MAX]
    except JournalCorrupt as fault:
        return fault.found[:WORDS_MAX]
    except sqlite3.Error as error:
        return _damage(error)[:WORDS_MAX]


def _look_at_table(connection: sqlite3.Connection, table: str) -> str:
    try:
        rows = connection.execute("SELECT * FROM pragma_quick_check(?)", (table,)).fetchall()
    except sqlite3.Error as error:
        return f"{table}: {_damage(error)}"
    said = [str(row[0]) for row in rows if row[0] != "ok"]
    return f"{table}: {said[0]}" if said else ""


def _damage(error: sqlite3.Error) -> str:
    """The words of an error that tells of damage; any other is raised, sorted."""
    fault = fault_of(error)
    if isinstance(fault, JournalCorrupt):
        return str(error)
    raise fault from error


def read_note(directory: Path) -> Note | None:
    """The note of the last look; None where none can be read."""
    try:
        with (directory / NOTE_NAME).open("rb") as file:
            found = json.loads(file.read(_FILE_BYTES_MAX))
        return Note(str(found["at"])[:40], str(found["damage"])[:WORDS_MAX])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def write_note(directory: Path, note: Note) -> None:
    """Keep what a look found.

    Raises:
        OSError: it could not be kept.
    """
    beside = directory / f"{NOTE_NAME}.new"
    beside.write_text(json.dumps({"at": note.at, "damage": note.damage}), "utf-8")
    descriptor = os.open(beside, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    beside.replace(directory / NOTE_NAME)
