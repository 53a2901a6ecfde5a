"""A station's own events as they were written, and bits that turn in them beside the program."""

from edge_agent.journal.facts import OwnFact
from tally.events.types import LabelPrinted
from tests.support.building import Writing


def label(number):
    """One fact of no consequence."""
    return OwnFact(LabelPrinted(f"BL2-2647-{number:06}", "printer-1", f"job-{number}"))


def copy_of(bench, journal):
    """All own events as their writer has them."""
    own = Writing("S03")
    own.id, own.key = bench.identity.journal, bench.identity.key
    rows = journal.connection.execute("SELECT id, line FROM event ORDER BY seq").fetchall()
    own.ids, own.lines = [row[0] for row in rows], [row[1] for row in rows]
    return own


def flip(bench, seq, column="line", at=3):
    """Turn one bit of an event's line, or of its id."""
    connection = bench.connect()
    (was,) = connection.execute(f"SELECT {column} FROM event WHERE seq = ?", (seq,)).fetchone()
    turned = bytearray(was)
    turned[at] ^= 4
    (trigger,) = connection.execute(
        "SELECT sql FROM sqlite_schema WHERE name = 'event_is_never_changed'"
    ).fetchone()
    connection.execute("DROP TRIGGER event_is_never_changed")
    connection.execute(f"UPDATE event SET {column} = ? WHERE seq = ?", (bytes(turned), seq))
    connection.execute(trigger)


def stored(bench):
    """Ids and lines as they stand in the file."""
    return bench.connect().execute("SELECT id, line FROM event ORDER BY seq").fetchall()


def whole(own):
    """The same as they were written."""
    return list(zip(own.ids, own.lines, strict=True))
