"""One journal goes on in the place of another: after a copy or restore, or on a replaced computer.

Rules (`sync.md` 3.6, `docs/decisions/0115-…`):
1. A station has one open journal. Whoever goes on in its place closes it: feed `keys` says so, its
   blocks are written off, and it gets no further ones.
2. A journal's own key may name a successor once, if the plant's policy allows it. Of two copies
   the second is told so; only a person's token makes it a station again.
3. Events of a closed journal that still arrive are kept like all others.
"""

from __future__ import annotations

from typing import Final

from hub.services import feeds, registering, revoking, writing_off
from hub.services.answers import Enrolled, Notice, Refused
from hub.services.feeds import Entry
from hub.services.office import Office
from hub.store.port import Journal
from tally.events.types import JournalClosed
from tally.records.ids import JournalId, parse_journal, show_journal
from tally.records.signing import SUCCESSION, succession_message

_KEY: Final = "successor:"
_CLOSED_AT: Final = "closed_at:"


def succeed(office: Office, journal: JournalId, genesis: bytes, signature: bytes) -> Enrolled:
    """See `hub.services.hub.Hub.succeed`."""
    first = registering.read_genesis(genesis)
    with office.store.transaction():
        row = office.registered(journal)
        registering.check_writer(office, row.name, first.opened)
        message = succession_message(office.secrets.hub_id, row.id, first.ids[0])
        if not row.key.verifies(SUCCESSION, message, signature):
            raise Refused("forged", f"The key of {row.name} did not sign for this successor.")
        if first.opened.predecessor != show_journal(row.id):
            raise Refused("malformed", f"The journal does not name {row.name}'s as predecessor.")
        known = successor_of(office, row.id)
        if known != first.segment.journal:  # else the reply was lost; it is asked again
            revoking.check_key(office, row)
            _check_open(office, row, known)
            new = registering.register(office, row.name, first)
            close(office, row, new.id, "succeeded")
    return registering.facts(office, row.name)


def take_place(office: Office, new: Journal) -> None:
    """A person let this journal take a station's place: close the one before it, if it is open.

    Inside the caller's transaction.
    """
    own = [j for j in office.store.journals() if (j.role, j.name) == ("station", new.name)]
    for row in own:
        if row.id != new.id and successor_of(office, row.id) is None:
            close(office, row, new.id, "enrolled")


def close(office: Office, row: Journal, successor: JournalId, reason: str) -> None:
    """Say in feed `keys` that the journal ends and write its blocks off, in the transaction."""
    body = JournalClosed(
        show_journal(row.id),
        row.name,
        show_journal(successor),
        "succeeded" if reason == "succeeded" else "enrolled",
    )
    feeds.append(office, "keys", [Entry(body)])
    learn(office, body)
    writing_off.write_off(office, row.id, reason)


def learn(office: Office, body: JournalClosed) -> None:
    """Remember who goes on and since when, also of an event that came back to a restored hub."""
    office.store.put(_KEY + body.journal, body.successor)
    office.store.put(_CLOSED_AT + body.journal, office.now().isoformat())


def successor_of(office: Office, journal: JournalId) -> JournalId | None:
    """The journal that goes on in the place of this one; None while it is open."""
    found = office.store.get(_KEY + show_journal(journal))
    return None if found is None else parse_journal(found)


def closed_at(office: Office, journal: JournalId) -> str | None:
    """When this hub learned that another journal goes on, RFC 3339; None while it is open."""
    return office.store.get(_CLOSED_AT + show_journal(journal))


def line_of(office: Office, journal: JournalId) -> tuple[JournalId, ...]:
    """A journal and those that went on after it, in order."""
    line = [journal]
    while (after := successor_of(office, line[-1])) is not None and after not in line:
        line.append(after)
    return tuple(line)


def notices(office: Office, row: Journal) -> tuple[Notice, ...]:
    """What a station has to be told whose journal is closed."""
    if row.role != "station" or successor_of(office, row.id) is None:
        return ()
    return (
        Notice(
            "closed",
            0,
            f"Another computer goes on as {row.name}, or a copy of this one that was first. What "
            f"is recorded here is kept, but no codes are given out. If this computer shall be "
            f"{row.name}: tally station enroll DIR TOKEN, with a new token of the plant admin.",
            f"另一台电脑(或本机更早联网的副本)已接替 {row.name}。"
            f"这里的记录都会保留,但不再发放编码。"
            f"若应由本机担任 {row.name}:请用管理员的新令牌运行 tally station enroll DIR TOKEN。",
        ),
    )


def check_not_closed(office: Office, row: Journal) -> None:
    """Before codes are granted.

    Raises:
        Refused: `closed`.
    """
    if successor_of(office, row.id) is not None:
        raise Refused(
            "closed",
            f"Journal {show_journal(row.id)} of {row.name} is closed: another goes on in its "
            f"place and gets the codes.",
        )


def _check_open(office: Office, row: Journal, known: JournalId | None) -> None:
    if known is not None:
        raise Refused(
            "succeeded",
            f"Another copy of {row.name} went on in journal {show_journal(known)} before this "
            f"one, and each journal has one successor. Decide which computer is {row.name}; for "
            f"this one: tally hub enroll-token DIR {row.name}, then tally station enroll here.",
        )
    if not office.lets_succeed:
        raise Refused(
            "not_allowed",
            f"At this plant a person lets a station go on after a copy or restore. A token for "
            f"{row.name}: tally hub enroll-token DIR {row.name}",
        )
