"""A station's journal in memory, with real keys and a real chain, as the sync sees one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from edge_agent.journal.space import Space
from edge_agent.sync.port import CutPiece, CutSeal, Identity, Runway, Side
from tally.events.decoding import write_line
from tally.events.types import Body, JournalOpened, LotReceived
from tally.records.chain import chain_ids
from tally.records.ids import GENESIS, EventId, JournalId, show_journal
from tally.records.segment import encode, piece_of
from tally.records.signing import PublicKey, SigningKey, sign_head
from tally.records.witness import Witness
from tally.wire.messages import Position


def seeded(name: str, size: int = 32) -> bytes:
    """Bytes that are the same in every run."""
    return hashlib.sha256(name.encode()).digest()[:size]


class OwnJournal:
    """Implements `edge_agent.sync.port.JournalView`; `acked` and `held` are set by the test."""

    def __init__(self, name: str = "S03", *, seed: str = "", reason: str = "new") -> None:
        self.name = name
        self.journal = JournalId(seeded("journal " + (seed or name), 16))
        self.key = SigningKey(seeded("key " + (seed or name)))
        self.lines: list[bytes] = []
        self.ids: list[EventId] = []
        self.acked = 0
        self.acked_epoch = 0
        self.archived_to = 0
        self.met: tuple[int, str, str] | None = None
        self.later_keys: tuple[PublicKey, ...] = ()
        self.over_keys: tuple[PublicKey, ...] = ()
        self.held: dict[JournalId, Position] = {}
        self.codes: list[Runway] = []
        self.disk: Space | None = None
        self.broken: tuple[int, ...] = ()
        self.gone: dict[int, int] = {}
        self.heir: bytes | None = None
        opened = JournalOpened(
            journal=show_journal(self.journal),
            key=_b64(self.key.public.raw),
            plant="NB1",
            writer=name,
            role="station",
            reason=reason,
        )
        self.record(opened)

    def identity(
        self, hub: JournalId, receipt_key: SigningKey, root: PublicKey | None = None
    ) -> Identity:
        """Who this station is, trusting that hub; without `root` no other key is vouched for."""
        public = receipt_key.public
        return Identity(self.journal, self.key, "run-1", None, "test", hub, root or public, public)

    def record(self, *bodies: Body, at: str = "2026-11-20T14:31:07.412+08:00") -> None:
        """Append events."""
        for body in bodies:
            stamp = f"{len(self.lines) + 1:012x}.0000"
            self.lines.append(write_line(body, hlc=stamp, at=at, by="BDG-1107"))
        before = self.ids[-1] if self.ids else GENESIS
        first = len(self.ids) + 1
        self.ids += chain_ids(self.journal, first, before, self.lines[first - 1 :])

    def grow(self, count: int) -> None:
        """Append `count` lots."""
        start = len(self.lines)
        self.record(*(LotReceived(lot=f"LOT-{start + n}", part="PCB-L") for n in range(count)))

    def piece(self, first: int, last: int) -> bytes:
        """Own events as one encoded piece."""
        head = sign_head(self.key, self.journal, last, self.ids[last - 1])
        before = self.ids[first - 2] if first > 1 else GENESIS
        return encode(piece_of(head, before, tuple(self.lines[first - 1 : last])))

    def head(self) -> Position:
        return Position(len(self.ids), self.ids[-1] if self.ids else GENESIS)

    def id_at(self, seq: int) -> EventId | None:
        if seq == 0:
            return GENESIS
        return self.ids[seq - 1] if seq <= len(self.ids) else None

    def acknowledged(self) -> int:
        return self.acked

    def acknowledged_epoch(self) -> int:
        return self.acked_epoch

    def met_hub(self) -> tuple[int, str, str] | None:
        return self.met

    def later_receipt_keys(self) -> tuple[PublicKey, ...]:
        return self.later_keys

    def retired_keys(self) -> tuple[PublicKey, ...]:
        return self.over_keys

    def archived(self) -> int:
        return self.archived_to

    def pruned(self) -> int:
        return 0

    def piece_beyond(
        self, journal: JournalId, end: Position, toward: EventId | None = None
    ) -> CutPiece | None:
        return None

    def sides_beyond(self, journal: JournalId, ends: Sequence[Position]) -> Sequence[Side]:
        return ()

    def by_neighbours(self) -> Mapping[JournalId, int]:
        return {}

    def witnesses(self) -> Sequence[Witness]:
        return ()

    def machine_changed(self) -> Sequence[str]:
        return ()

    def keys_feeds(self) -> Sequence[JournalId]:
        return ()

    def piece_after(self, seq: int, events_max: int, bytes_max: int) -> CutPiece | None:
        if seq >= len(self.lines):
            return None
        last, size = seq, 0
        while last < len(self.lines) and last - seq < events_max:
            size += len(self.lines[last]) + 1
            if size > bytes_max and last > seq:
                break
            last += 1
        return CutPiece(seq + 1, last, self.piece(seq + 1, last))

    def newest_after(self, seq: int, events_max: int, bytes_max: int) -> CutPiece | None:
        return OwnJournal.piece_after(self, seq, events_max, bytes_max)

    def seal_after(self, seq: int) -> CutSeal | None:
        return None

    def frontier(self) -> Mapping[JournalId, Position]:
        return self.held

    def turned_up(self, journal):
        return ()

    def ways_to(
        self, journal: JournalId, end: Position, *, older: bool = False
    ) -> Sequence[Position]:
        held = self.held.get(journal, Position(0, GENESIS))
        return () if held.seq >= end.seq else (held,)

    def damaged(self) -> Sequence[int]:
        return self.broken

    def lost(self) -> Mapping[int, int]:
        return self.gone

    def space(self) -> Space | None:
        return self.disk

    def runways(self) -> Sequence[Runway]:
        return self.codes

    def successor(self) -> bytes | None:
        return self.heir

    def former(self) -> Sequence[JournalId]:
        return ()

    def close(self) -> None:
        pass


def _b64(raw: bytes) -> str:
    import base64

    return base64.b64encode(raw).decode("ascii")
