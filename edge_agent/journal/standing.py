"""Where events are held beside this disk, as far as somebody signed for it.

Own events: the hub's receipt, neighbours' witnesses. Others' events: those that only neighbours
brought wait until the hub is seen to have them. And where neighbours were found. Small values that
may be lost; none of them is an event or changes what one means.
"""

import base64
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from edge_agent.journal.receipts import read_receipt
from edge_agent.journal.store import Store
from tally.records.ids import EventId, JournalId, parse_event_id, parse_journal, show_journal
from tally.records.witness import Witness

Level = Literal["local", "peers", "hub", "archived"]
_WITNESSES, _BY_NEIGHBOURS, _PEERS = "witnesses", "by_neighbours", "peers"
_MET = "hub_met"


class _KeptWitness(msgspec.Struct, frozen=True):
    journal: str
    name: str
    seq: int
    id: str
    sig: str
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class KeptWitness:
    """A neighbour holds the own journal from behind `dropped` to `seq`; `name` for people."""

    witness: JournalId
    name: str
    seq: int
    event_id: EventId
    signature: bytes
    dropped: int = 0

    def holds(self, seq: int) -> bool:
        """Whether it holds this own event now."""
        return self.dropped < seq <= self.seq


@dataclass(frozen=True, slots=True)
class Durability:
    """Where one own event is on disk: here alone, at so many neighbours, at the hub, in a backup
    of the hub.
    """

    level: Level
    peers: int = 0


class Standing:
    """The writing side, on the one writer's connection."""

    def __init__(self, store: Store, rolled_back: Callable[[], None]) -> None:
        self._store = store
        self._rolled_back = rolled_back

    def witnessed(self, witness: Witness, name: str, dropped: int = 0) -> None:
        """Keep that a neighbour holds the own journal further than before, or less of it.

        `dropped`: to here it holds no lines any more, it needed room.

        Raises:
            JournalFault: nothing was kept.
        """
        kept = {one.witness: one for one in read_witnesses(self._store.connection)}
        before = kept.get(witness.witness)
        new = KeptWitness(
            witness.witness, name, witness.seq, witness.event_id, witness.signature, dropped
        )
        if before is not None:
            farthest = before if before.seq >= witness.seq else new
            new = replace(farthest, dropped=max(before.dropped, dropped))
        if new != before:
            kept[witness.witness] = new
            self._put_witnesses(kept.values())

    def _put_witnesses(self, kept: Iterable[KeptWitness]) -> None:
        rows = [
            _KeptWitness(
                show_journal(one.witness),
                one.name,
                one.seq,
                one.event_id.hex(),
                base64.b64encode(one.signature).decode("ascii"),
                one.dropped,
            )
            for one in kept
        ]
        self._put(_WITNESSES, _json(rows))

    def hub_holds(self, journal: JournalId, seq: int) -> None:
        """The hub has a journal to here, whoever brought it.

        Raises:
            JournalFault: nothing was kept.
        """
        waiting = dict(read_by_neighbours(self._store.connection))
        if waiting.get(journal, seq + 1) <= seq:
            del waiting[journal]
            held = self._store.connection.execute(
                "SELECT max(tip) FROM branch WHERE journal = ?", (journal,)
            ).fetchone()[0]
            more = {journal: seq + 1} if held and held > seq else {}
            self._put(_BY_NEIGHBOURS, _waiting(waiting | more))

    def found_peers(self, peers: Sequence[tuple[JournalId, str]]) -> None:
        """Keep where neighbours are, for a start without the hub.

        Raises:
            JournalFault: nothing was kept.
        """
        if tuple(peers) != read_peers(self._store.connection):
            rows = [(show_journal(journal), address) for journal, address in peers]
            self._put(_PEERS, _json(rows))

    def met_hub(self, epoch: int, run: str, sig: str) -> None:
        """Keep which run of the hub was met last.

        Raises:
            JournalFault: nothing was kept.
        """
        self._put(_MET, _json([epoch, run, sig]))

    def _put(self, key: str, text: str) -> None:
        with self._store.transaction(self._rolled_back):
            self._store.put(key, text)


def read_met_hub(connection: sqlite3.Connection) -> tuple[int, str, str] | None:
    """Epoch, run and signature of the hub that was met last; None before."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (_MET,)).fetchone()
    return msgspec.json.decode(row[0], type=tuple[int, str, str]) if row else None


def came_by_neighbour(store: Store, journal: JournalId, first: int) -> None:
    """Inside the caller's transaction: from here on a journal is known by neighbours alone."""
    waiting = read_by_neighbours(store.connection)
    if waiting.get(journal, first + 1) > first:
        store.put(_BY_NEIGHBOURS, _waiting({**waiting, journal: first}))


def _waiting(by_journal: Mapping[JournalId, int]) -> str:
    return _json({show_journal(journal): seq for journal, seq in by_journal.items()})


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def read_witnesses(connection: sqlite3.Connection) -> Sequence[KeptWitness]:
    """What neighbours signed, in the order in which they first did."""
    raw = _get(connection, _WITNESSES)
    kept = msgspec.json.decode(raw, type=list[_KeptWitness]) if raw else []
    return [
        KeptWitness(
            parse_journal(one.journal),
            one.name,
            one.seq,
            parse_event_id(one.id),
            base64.b64decode(one.sig),
            one.dropped,
        )
        for one in kept
    ]


def held_by_neighbours(witnesses: Sequence[KeptWitness], after: int, to: int) -> int:
    """How many own events above `after`, to `to`, some neighbour holds now."""
    count, reached = 0, after
    for one in sorted(witnesses, key=lambda one: one.dropped):
        end = min(one.seq, to)
        count += max(0, end - max(reached, one.dropped))
        reached = max(reached, end)
    return count


def read_by_neighbours(connection: sqlite3.Connection) -> Mapping[JournalId, int]:
    """Journals of which the hub is not known to have all that is held: from which seq on."""
    raw = _get(connection, _BY_NEIGHBOURS)
    kept = msgspec.json.decode(raw, type=dict[str, int]) if raw else {}
    return {parse_journal(journal): seq for journal, seq in kept.items()}


def read_peers(connection: sqlite3.Connection) -> tuple[tuple[JournalId, str], ...]:
    """Where neighbours were found, `host:port`."""
    raw = _get(connection, _PEERS)
    kept = msgspec.json.decode(raw, type=list[tuple[str, str]]) if raw else []
    return tuple((parse_journal(journal), address) for journal, address in kept)


def durability(connection: sqlite3.Connection, journal: JournalId, seq: int) -> Durability:
    """Where the own event at `seq` is held; the witnesses of a neighbour's copy count as one."""
    receipt = read_receipt(connection, journal)
    if receipt is not None and seq <= receipt.archived_through:
        return Durability("archived")
    if receipt is not None and seq <= receipt.durable_through:
        return Durability("hub")
    count = sum(one.holds(seq) for one in read_witnesses(connection))
    return Durability("peers", count) if count else Durability("local")


def _get(connection: sqlite3.Connection, key: str) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])
