"""Journals with two histories: from which event on nobody can say which computer wrote what.

Known from feed `keys`, where the hub says what it has proven, and from the branches held here: a
neighbour may see a copy before the hub does. Both histories are kept as facts (`others`); nothing
of them is believed alone (`in_doubt`). Reads only.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from edge_agent.journal.others import Ingested
from edge_agent.journal.returning import keys_feeds
from tally.events.decoding import EventLine, read_line
from tally.events.types import JournalClosed, JournalForked
from tally.master import Words
from tally.records.ids import JournalId, MalformedIdError, Ref, parse_journal

_OF_THE_HUB: Final = """SELECT line FROM branch
    CROSS JOIN foreign_event ON place BETWEEN (branch << 40) AND (branch << 40 | (1 << 40) - 1)
    WHERE journal = ? AND substr(line, 1, 21) = CAST('{"t":"journal.forked"' AS BLOB)"""
_HELD_HERE: Final = """SELECT journal, min(coalesce(first - 1, 0)) FROM branch
    WHERE branch > (SELECT min(b.branch) FROM branch b WHERE b.journal = branch.journal)
      AND journal IN (SELECT k.journal FROM known_key k WHERE k.role = 'station')
    GROUP BY journal"""


def forked_in(connection: sqlite3.Connection) -> Mapping[JournalId, int]:
    """Journals of stations with two histories: the last event that both share, 0 for none."""
    found = {JournalId(journal): after for journal, after in connection.execute(_HELD_HERE)}
    for feed in keys_feeds(connection):
        for (line,) in connection.execute(_OF_THE_HUB, (feed,)):
            event = read_line(line)
            if isinstance(event, EventLine) and isinstance(event.b, JournalForked):
                _note(found, event.b)
    return found


def _note(found: dict[JournalId, int], body: JournalForked) -> None:
    try:
        journal = parse_journal(body.journal)
    except MalformedIdError:
        return
    found[journal] = min(body.after, found.get(journal, body.after))


def in_doubt(forked: Mapping[JournalId, int], ref: Ref) -> bool:
    """Whether an event stands behind the place where its journal parts."""
    after = forked.get(ref.journal)
    return after is not None and ref.seq > after


def told_of_fork(done: Ingested, own: str) -> Ingested:
    """What was taken in from feed `keys`, with words if it says that `own` is not alone any more.

    The hub says so itself to whoever reaches it; this is for a station that only neighbours reach.
    """
    for event in done.events:
        body = event.b if isinstance(event, EventLine) else None
        if isinstance(body, JournalForked | JournalClosed) and body.journal == own:
            said = _FORKED if isinstance(body, JournalForked) else _CLOSED
            return replace(done, own_differs=True, code="S-102", words=said.en, words_zh=said.zh)
    return done


_FORKED: Final = Words(
    "The hub holds two histories of this station: this computer was copied, or restored from an "
    "image. No code is given out until it has a journal and codes of its own, for which it asks "
    "the hub as soon as it reaches it; other work goes on.",
    "中心持有本工位的两份历史:此电脑曾被复制或从镜像恢复。在连上中心并取得自己的日志和编码之前"
    "不发放编码,其他工作可继续。",
)
_CLOSED: Final = Words(
    "Another journal goes on in the place of this one: another computer is this station now, or a "
    "copy of this one that was first. What is recorded here is kept, and no code is given out.",
    "另一本日志已接替本日志:另一台电脑(或更早联网的副本)现在是本工位。这里的记录会保留,但不发放编码。",
)
