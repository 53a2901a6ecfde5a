"""The hub as one value: everything it can be asked to do.

`hub.api` and `hub.cli` call these methods and nothing below them. Every method is synchronous and
safe to call from several threads; what writes has committed to disk before it returns. Built by
`hub.bootstrap` from a store, a clock and a source of random bytes, so a simulation can drive it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hub.services.answers import (
    Decided,
    Enrolled,
    Granted,
    Ingested,
    Published,
    Standing,
    Subscription,
)
from tally.records.ids import EventId, JournalId
from tally.records.signing import PublicKey


@dataclass(frozen=True)
class Hub:
    """The services of one hub."""

    hub_id: JournalId
    epoch: int
    plant: str
    site: str
    root: PublicKey
    receipt_key: PublicKey

    def ingest(self, journal: JournalId, data: bytes) -> Ingested:
        """Store one piece or segment of a station's journal: prove, trim what is held, commit, project.

        Authentic content is never refused: a fork is stored as a second branch with notice `fork`; events
        beyond a gap are answered with `need` and not stored.

        Raises:
            Refused: `unknown_journal`, `forged`, `malformed`, `too_large`; kept in quarantine where it helps.
        """
        raise NotImplementedError

    def ingest_seal(self, journal: JournalId, header: bytes) -> Ingested:
        """Close a range whose lines are held: the header line of the writer's segment, without a frame.

        `need` names the first seq that is missing for it.

        Raises:
            Refused: as `ingest`.
        """
        raise NotImplementedError

    def standing(self, journal: JournalId) -> Standing:
        """Where the hub stands in a journal, with a fresh receipt.

        Raises:
            Refused: `unknown_journal`.
        """
        raise NotImplementedError

    def common(
        self, journal: JournalId, locator: Sequence[tuple[int, EventId]]
    ) -> tuple[int, EventId]:
        """The highest of the caller's own positions that the hub holds too; (0, zeros) when none."""
        raise NotImplementedError

    def key_of(self, journal: JournalId) -> PublicKey | None:
        """The registered key of a station's journal or feed; None for a stranger."""
        raise NotImplementedError

    def frontier(self) -> Mapping[JournalId, tuple[int, EventId]]:
        """The newest contiguous position of every journal, of its longest branch."""
        raise NotImplementedError

    def read_after(self, journal: JournalId, after: EventId) -> bytes | None:
        """A segment or piece that begins at or before the event after `after`; None at the tip.

        Loose lines are cut anew under their newest stored head.

        Raises:
            Refused: `unknown_journal`, or `malformed` when `after` is not held.
        """
        raise NotImplementedError

    def subscriptions(self, journal: JournalId) -> tuple[Subscription, ...]:
        """What this station pulls, in this order: keys, leases, decisions, orders, master, then its line."""
        raise NotImplementedError

    def open_token(self, station: str, addresses: Sequence[str]) -> str:
        """One line that lets one PC enrol as `station`, once, within 24 h by the hub's clock.

        Raises:
            Refused: `unknown_station` when master data do not know it.
        """
        raise NotImplementedError

    def enroll(self, secret: str, genesis: bytes) -> Enrolled:
        """Use up a token: register the key of the journal that `genesis` opens.

        `genesis` is an encoded piece of one event, `journal.opened`, signed by the new key. A repeat
        with the same secret and the same genesis has the same answer, so that a lost reply can be asked again.

        Raises:
            Refused: `token_unknown`, `token_used`, `token_expired`, `forged`, `malformed`.
        """
        raise NotImplementedError

    def lease(  # noqa: PLR0913  (a request as it stands on the wire and on the command line)
        self,
        journal: JournalId,
        request_id: str,
        scheme_id: str,
        count: int,
        *,
        start: int | None = None,
        period: dt.date | None = None,
        block: str | None = None,
    ) -> Granted:
        """Grant a range of codes to a journal; the same request has the same grant for ever.

        Raises:
            Refused: `unknown_journal`, `unknown_scheme`, `no_capacity` with the arithmetic,
                `request_reused` when the id was used for something else, `malformed`.
        """
        raise NotImplementedError

    def publish(self, files: Sequence[tuple[str, bytes]], *, dry_run: bool = False) -> Published:
        """Append what is new in master data files; what is unchanged is not written.

        Raises:
            Refused: `problems`, all of them at once; nothing was written.
        """
        raise NotImplementedError

    def decide(  # noqa: PLR0913  (what the person saw and said, all of it from outside)
        self,
        case_id: str,
        *,
        keep: str,
        by: str,
        reason: str,
        claims_seen: Sequence[str],
        supersedes: Sequence[str],
    ) -> Decided:
        """Settle a case. `keep`: reference of the event whose claim stays, or `none`.

        `claims_seen` and `supersedes` are references as the person's page or command showed them.

        Raises:
            Refused: `unknown_case`, `ambiguous`, `not_allowed`, `nothing_to_decide`, `malformed`.
        """
        raise NotImplementedError

    def note_hello(self, journal: JournalId, gauges: Mapping[str, int | str]) -> None:
        """Remember what a station said of itself, with the time by the hub's clock."""
        raise NotImplementedError

    def show(
        self,
        table: Literal[
            "blocks", "cases", "findings", "stations", "units", "balance", "lots", "orders"
        ],
    ) -> list[dict[str, Any]]:
        """Rows for people and scripts, JSON-safe, sorted; the same as `tally hub <table> --json`."""
        raise NotImplementedError

    def trace(self, code: str, direction: Literal["up", "down", "both"] = "both") -> dict[str, Any]:
        """The trace as `tally hub trace --json` prints it.

        Raises:
            Refused: `unknown_code`.
        """
        raise NotImplementedError

    def fingerprint(self) -> dict[str, Any]:
        """The ledger's fingerprint with its frontier, JSON-safe."""
        raise NotImplementedError
