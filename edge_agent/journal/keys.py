"""Whom to believe: which key writes which journal, anchored in the plant's root key.

The `keys` feed says it (`key.published`, `station.enrolled`, `key.retired`); that feed's own key is
vouched for by the root key of the enrolment. A key of the hub counts, and goes out of use, only
with the root's signature over that. What a journal means is not judged here.
"""

import base64
import binascii
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from edge_agent.journal.identity import Trust
from tally.events.decoding import EventLine, Unread, read_line
from tally.events.types import KeyPublished, KeyRetired, StationEnrolled
from tally.records.ids import JournalId, MalformedIdError, Ref, parse_journal, parse_ref
from tally.records.signing import KEY, RETIRED, PublicKey, key_message, retired_message


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that may sign one journal. `role`: feed, station, receipt or ca; `name` for people.

    Role `retired`: a key of the hub that is out of use; `line` is then the reference of the last
    event of its feed, empty for a receipt key.
    """

    journal: JournalId
    public: PublicKey
    role: str
    name: str
    line: str = ""


class KeyRegistry:
    """The believed keys, in memory and in the table `known_key`."""

    def __init__(self, connection: sqlite3.Connection, trust: Trust) -> None:
        self._connection = connection
        self._trust = trust
        self._keys: dict[JournalId, list[KnownKey]] = {}
        self.reload()

    def reload(self) -> None:
        """Take what the file holds; also after a rollback."""
        self._keys = {}
        rows = self._connection.execute(
            "SELECT journal, public, role, name, line FROM known_key ORDER BY rowid"
        )
        for row in rows:
            self._remember(KnownKey(JournalId(row[0]), PublicKey(row[1]), *row[2:]))

    def of(self, journal: JournalId) -> tuple[KnownKey, ...]:
        """Keys that may sign this journal, in order of arrival; empty for an unknown one."""
        return tuple(k for k in self._keys.get(journal, ()) if k.role in {"feed", "station"})

    def stations(self, name: str) -> tuple[KnownKey, ...]:
        """The journals of the station of this name, oldest first (a replaced PC has another)."""
        found = (key for keys in self._keys.values() for key in keys)
        return tuple(key for key in found if key.role == "station" and key.name == name)

    def neighbours(self, own: str) -> tuple[str, ...]:
        """The other stations of the line of the enrolment, by name."""
        found = (key for keys in self._keys.values() for key in keys)
        line = self._trust.line
        names = {key.name for key in found if key.role == "station" and key.line == line}
        return tuple(sorted(names - {own}))

    def name_of(self, journal: JournalId) -> str:
        """The station's or feed's name for people, empty when unknown."""
        return next((key.name for key in self.of(journal)), "")

    def feed(self, name: str) -> tuple[JournalId, ...]:
        """Journals of this name that the hub writes, oldest first (a restored hub opens more)."""
        return tuple(
            key.journal
            for keys in self._keys.values()
            for key in keys
            if key.role == "feed" and key.name == name
        )

    def is_feed(self, journal: JournalId, name: str) -> bool:
        """Whether the hub writes `name` in this journal."""
        return journal in self.feed(name)

    def receipt_keys(self) -> tuple[PublicKey, ...]:
        """Keys whose receipts count: the enrolment's, and those the root signed since."""
        known = [k for keys in self._keys.values() for k in keys]
        later = [k.public for k in known if k.role == "receipt"]
        over = {k.public for k in known if k.role == "retired" and k.journal == self._trust.hub}
        return tuple(key for key in (self._trust.receipt_key, *later) if key not in over)

    def end_of(self, journal: JournalId) -> Ref | None:
        """The last event of a feed whose key is out of use; None for any other journal."""
        found = (k for k in self._keys.get(journal, ()) if k.role == "retired" and k.line)
        return next((parse_ref(key.line) for key in found), None)

    def vouched_in(self, journal: JournalId, lines: Iterable[bytes]) -> tuple[KnownKey, ...]:
        """Keys for `journal` that its own lines publish under the root's signature.

        The root vouches for them, not the lines: this is how the `keys` feed is read first.
        """
        return tuple(
            key
            for key, signature in _keys_in(lines)
            if key.journal == journal and self._is_rooted(key, signature)
        )

    def learn(self, writer: JournalId, events: Iterable[EventLine | Unread]) -> None:
        """Take the keys that these proven events publish, if they stand in a `keys` feed.

        A restored hub opens another; its first events bring the root's word for it.
        """
        events = tuple(events)
        is_keys = writer == self._trust.keys_feed or self.is_feed(writer, "keys")
        if not is_keys and not self._opens_keys(writer, events):
            return
        for event in events:
            if isinstance(event, Unread):
                continue
            if isinstance(event.b, KeyPublished):
                found = _published(event.b)
                if found and self._is_rooted(*found):
                    self._store(found[0])
            elif isinstance(event.b, KeyRetired):
                key = _retired(event.b, self._trust.root)
                if key:
                    self._store(key)
            elif isinstance(event.b, StationEnrolled):
                key = _enrolled(event.b)
                if key:
                    self._store(key)

    def _opens_keys(self, writer: JournalId, events: Iterable[EventLine | Unread]) -> bool:
        published = (e.b for e in events if isinstance(e, EventLine))
        found = [_published(body) for body in published if isinstance(body, KeyPublished)]
        return any(
            one is not None
            and (one[0].journal, one[0].role, one[0].name) == (writer, "feed", "keys")
            and self._is_rooted(*one)
            for one in found
        )

    def _is_rooted(self, key: KnownKey, signature: bytes) -> bool:
        message = key_message(key.journal, key.public, purpose=key.role, name=key.name)
        return self._trust.root.verifies(KEY, message, signature)

    def _store(self, key: KnownKey) -> None:
        self._connection.execute(
            "INSERT OR IGNORE INTO known_key VALUES (?, ?, ?, ?, ?)",
            (key.journal, key.public.raw, key.role, key.name, key.line),
        )
        self._remember(key)

    def _remember(self, key: KnownKey) -> None:
        known = self._keys.setdefault(key.journal, [])
        if all((k.public, k.role) != (key.public, key.role) for k in known):
            known.append(key)


def known_keys(connection: sqlite3.Connection, role: str) -> tuple[PublicKey, ...]:
    """The believed keys of one role as the file holds them, in order of arrival."""
    rows = connection.execute("SELECT public FROM known_key WHERE role = ? ORDER BY rowid", (role,))
    return tuple(PublicKey(row[0]) for row in rows)


def _keys_in(lines: Iterable[bytes]) -> Iterator[tuple[KnownKey, bytes]]:
    for line in lines:
        event = read_line(line) if b'"key.published"' in line else None
        if isinstance(event, EventLine) and isinstance(event.b, KeyPublished):
            found = _published(event.b)
            if found:
                yield found


def _published(body: KeyPublished) -> tuple[KnownKey, bytes] | None:
    """The key and the root's signature over it; None when they are not in shape."""
    try:
        key = KnownKey(parse_journal(body.journal), _public(body.key), body.purpose, body.name)
        return key, base64.b64decode(body.sig, validate=True)
    except (binascii.Error, MalformedIdError, ValueError):
        return None


def _retired(body: KeyRetired, root: PublicKey) -> KnownKey | None:
    """The key that is out of use, if the root said so."""
    try:
        journal, public = parse_journal(body.journal), _public(body.key)
        signature = base64.b64decode(body.sig, validate=True)
        if body.last and parse_ref(body.last).journal != journal:
            return None
    except (binascii.Error, MalformedIdError, ValueError):
        return None
    message = retired_message(journal, public, purpose=body.purpose, name=body.name, last=body.last)
    if not root.verifies(RETIRED, message, signature):
        return None
    return KnownKey(journal, public, "retired", body.name, body.last)


def _enrolled(body: StationEnrolled) -> KnownKey | None:
    try:
        journal, public = parse_journal(body.journal), _public(body.key)
    except (binascii.Error, MalformedIdError, ValueError):
        return None
    return KnownKey(journal, public, "station", body.station, body.line)


def _public(text: str) -> PublicKey:
    raw = base64.b64decode(text, validate=True)
    if len(raw) != 32:  # Ed25519, RFC 8032
        raise ValueError(f"expected a key of 32 bytes, got {len(raw)}")
    return PublicKey(raw)
