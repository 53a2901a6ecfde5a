"""Event journals for benchmarks: real lines, real chain, real signatures, made fast.

A `Writer` is what a station is to a hub: an id, a key, and events in order. Its bytes are those of
`tally.events.decoding.write_line`; everything is drawn from a seed, so two runs do the same work.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from tally.events.decoding import write_line
from tally.events.types import Body, JournalOpened
from tally.records.chain import chain_ids
from tally.records.ids import GENESIS, EventId, JournalId, show_journal
from tally.records.merkle import root as merkle_root
from tally.records.segment import Segment, piece_of
from tally.records.signing import SEAL, SigningKey, seal_message, sign_head

_START_MS: Final = 0x0198F3C2A1B4
SECOND: Final = 1000


def drawn(*names: object) -> bytes:
    """32 bytes that look random and are the same in every run."""
    return sha256(b"tally bench " + repr(names).encode()).digest()


class Writer:
    """One journal of one station, as far as it is written."""

    def __init__(self, name: str, *, plant: str = "NB1", by: str = "BDG-1107") -> None:
        self.name = name
        self.key = SigningKey(drawn("key", name))
        self.journal = JournalId(drawn("journal", name)[:16])
        self.seq = 0
        self.tip: EventId = GENESIS
        self._plant = plant
        self._by = by

    def opening(self) -> Segment:
        """Event 1 as a piece: what the hub is shown at enrolment."""
        body = JournalOpened(
            journal=show_journal(self.journal),
            key=base64.b64encode(self.key.public.raw).decode("ascii"),
            plant=self._plant,
            writer=self.name,
            role="station",
            reason="benchmark",
        )
        return self.piece([self.line(body, 1, by="system")])

    def line(
        self, body: Body, seq: int, *, by: str | None = None, seen: Sequence[int | str] = ()
    ) -> bytes:
        """The bytes of an event that will stand at `seq`; one a second."""
        moment = _START_MS + seq * SECOND
        second = seq % 86_400
        clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        return write_line(
            body,
            hlc=f"{moment:012x}.0000",
            at=f"2026-11-20T{clock}.412+08:00",
            by=by or self._by,
            seen=seen,
        )

    def lines(self, bodies: Iterable[Body]) -> list[bytes]:
        """Lines of the next events, which `piece` or `segment` then takes."""
        return [self.line(body, seq) for seq, body in enumerate(bodies, self.seq + 1)]

    def piece(self, lines: Sequence[bytes]) -> Segment:
        """The next events under a signed head."""
        before = self.tip
        ids = self.take(lines)
        return piece_of(sign_head(self.key, self.journal, self.seq, ids[-1]), before, tuple(lines))

    def segment(self, lines: Sequence[bytes]) -> Segment:
        """The next events, sealed."""
        before, first = self.tip, self.seq + 1
        ids = self.take(lines)
        root = merkle_root(ids)
        message = seal_message(
            self.journal, first, self.seq, before=before, head=ids[-1], root=root
        )
        seal = self.key.sign(SEAL, message)
        return Segment(self.journal, first, before, ids[-1], tuple(lines), root=root, seal=seal)

    def take(self, lines: Sequence[bytes]) -> list[EventId]:
        """Chain the next events; their ids."""
        ids = chain_ids(self.journal, self.seq + 1, self.tip, lines)
        self.seq, self.tip = self.seq + len(lines), ids[-1]
        return ids
