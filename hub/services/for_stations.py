"""What stations ask of a hub, each a line to the module that does it: `Hub` without people's half.

Rules as in `hub.services.hub`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from hub.services import (
    enrolling,
    feeds,
    ingesting,
    leasing,
    reading,
    restoring,
    starting,
    succeeding,
    witnessing,
)
from hub.services.answers import Enrolled, Granted, Ingested, Notice, Standing, Subscription
from hub.services.office import Office
from tally.records.ids import EventId, JournalId
from tally.records.signing import PublicKey, Receipt
from tally.records.witness import Witness


@dataclass(frozen=True, slots=True)
class StationsHub:
    """The hub as stations meet it: enrolment, events, feeds, codes."""

    office: Office

    @property
    def hub_id(self) -> JournalId:
        """The hub's name in certificates and receipts; 16 bytes like a journal's."""
        return self.office.secrets.hub_id

    @property
    def epoch(self) -> int:
        """Grows when the hub was restored from a backup."""
        return self.office.secrets.epoch

    @property
    def plant(self) -> str:
        """The plant's name."""
        return self.office.secrets.plant

    @property
    def root(self) -> PublicKey:
        """The plant root key, in which everything is anchored."""
        return self.office.secrets.root.public

    @property
    def receipt_key(self) -> PublicKey:
        """The key that signs receipts."""
        return self.office.secrets.receipt.public

    @property
    def word_for_receipts(self) -> bytes:
        """The plant root key's signature over the receipt key, as in `key.published`."""
        return feeds.vouched_receipt_key(self.office)

    @property
    def decisions_feed(self) -> JournalId:
        """The feed in which decisions stand."""
        return self.office.secrets.feeds["decisions"].journal

    def key_of(self, journal: JournalId) -> PublicKey | None:
        """The registered key of a station's journal or feed; None for a stranger."""
        with self.office.store.reading():
            found = self.office.store.find_journal(journal)
        return found.key if found else None

    def enroll(self, secret: str, genesis: bytes) -> Enrolled:
        """Use up a token: register the key of the journal that `genesis` opens.

        `genesis` is an encoded piece of one event, `journal.opened`, signed by the new key. A
        repeat with the same secret and the same genesis has the same answer, so that a lost reply
        can be asked again.

        Raises:
            Refused: `token_unknown`, `token_used`, `token_expired`, `forged`, `malformed`.
        """
        return enrolling.enroll(self.office, secret, genesis)

    def succeed(self, journal: JournalId, genesis: bytes, signature: bytes) -> Enrolled:
        """Let another journal of the same station go on in the place of this one, once.

        `genesis` is as for `enroll` and names this journal as predecessor; `signature` is by the
        key of this journal (`tally.records.signing.succession_message`). A repeat with the same
        genesis has the same answer.

        Raises:
            Refused: `unknown_journal`, `forged`, `malformed`, `too_large`, `succeeded` when a copy
                of the station was first, `not_allowed` where a person has to let it.
        """
        return succeeding.succeed(self.office, journal, genesis, signature)

    def ingest(self, journal: JournalId, data: bytes) -> Ingested:
        """Store one piece or segment of a station's journal, proven, without what is held already.

        Authentic content is never refused: a fork is stored as a second branch with notice `fork`;
        events beyond a gap are answered with `need` and not stored.

        Raises:
            Refused: `unknown_journal`, `forged`, `malformed`, `too_large`; kept in quarantine where
            it helps.
        """
        return ingesting.ingest(self.office, journal, data)

    def ingest_seal(self, journal: JournalId, header: bytes) -> Ingested:
        """Close a range whose lines are held, by the header line of the writer's segment.

        `need` names the first seq that is missing for it.

        Raises:
            Refused: as `ingest`.
        """
        return ingesting.ingest_seal(self.office, journal, header)

    def take_returned(self, data: bytes) -> Ingested:
        """Store a piece of an old feed `keys` that a station brings back after a restore.

        For callers of whom the hub knows nothing (it forgot them): what is brought proves itself.

        Raises:
            Refused: `not_allowed` for every other journal, `forged`, `malformed`, `too_large`.
        """
        return ingesting.take_returned(self.office, data)

    def standing(self, journal: JournalId) -> Standing:
        """Where the hub stands in a journal, with a fresh receipt.

        Raises:
            Refused: `unknown_journal`.
        """
        return ingesting.standing(self.office, journal)

    def common(
        self, journal: JournalId, locator: Sequence[tuple[int, EventId]]
    ) -> tuple[int, EventId]:
        """The highest of the caller's positions that the hub holds too; (0, zeros) when none."""
        return ingesting.common(self.office, journal, locator)

    def receipt_at(self, journal: JournalId, seq: int, event_id: EventId) -> Receipt:
        """A fresh receipt for an event that is held, and thereby for all before it.

        Raises:
            Refused: `unknown_journal`, or `malformed` when the event is not held.
        """
        return ingesting.receipt_at(self.office, journal, seq, event_id)

    def note_hello(
        self,
        journal: JournalId,
        gauges: Mapping[str, int | str],
        *,
        has_returned: bool = False,
        witnesses: Sequence[Witness] = (),
    ) -> tuple[Notice, ...]:
        """Remember what a station said of itself, with the time by the hub's clock.

        `has_returned`: its program opened a session although it had one, as after a cut link.
        `witnesses`: what stations hold of each other's journals; notices say which do not count.
        """
        brought = witnessing.judge(self.office, witnesses)
        with self.office.store.transaction():
            row = self.office.registered(journal)
            starting.note_hello(self.office, row, gauges, has_returned=has_returned)
            said = msgspec.json.encode(dict(gauges), order="sorted").decode()
            self.office.store.note_gauges(row.no, self.office.now(), said)
            witnessing.keep(self.office, brought.news)
        return brought.notices

    def note_cursors(
        self, journal: JournalId, cursors: Mapping[JournalId, tuple[int, EventId]]
    ) -> None:
        """How far a station holds others' journals; after a restore, whether it has reported."""
        restoring.note_cursors(self.office, journal, cursors)

    def frontier(self) -> Mapping[JournalId, tuple[int, EventId]]:
        """The newest contiguous position of every journal, of its longest branch."""
        return reading.frontier(self.office)

    def read_after(
        self, journal: JournalId, after: EventId, toward: EventId | None = None
    ) -> bytes | None:
        """A segment or piece that begins at or before the event after `after`; None at the tip.

        Loose lines are cut anew under their newest stored head. `toward`: the tip to walk to, for
        a journal that has several; without it the branch of `after` is followed.

        Raises:
            Refused: `unknown_journal`, or `malformed` when `after` is not held.
        """
        return reading.read_after(self.office, journal, after, toward)

    def subscriptions(self, journal: JournalId) -> tuple[Subscription, ...]:
        """What this station pulls: keys, leases, decisions, orders, master, then its line.

        Of a journal whose key was taken back: feed `keys` alone, which says so and why.
        """
        return reading.subscriptions(self.office, journal)

    def asked_back(
        self, journal: JournalId, cursors: Mapping[JournalId, tuple[int, EventId]]
    ) -> tuple[Subscription, ...]:
        """Feeds of which a journal whose key was taken back holds more than a restored hub.

        It may not read them, but what it gives back proves itself. Empty for any other journal.
        """
        return reading.asked_back(self.office, journal, cursors)

    def lease(
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
                `closed` when another journal goes on in the place of this one,
                `restoring` while a restored hub has not heard of all stations, `old_copy`,
                `request_reused` when the id was used for something else, `malformed`.
        """
        return leasing.lease(
            self.office,
            journal,
            request_id,
            scheme_id,
            count,
            start=start,
            period=period,
            block=block,
        )

    def lease_on_request(
        self, journal: JournalId, request_id: str, scheme_id: str, count: int
    ) -> Granted:
        """As `lease`, for a station that asks by itself: it gets so many and no more (`rationing`).

        Raises:
            Refused: as `lease`, and `rationed`.
        """
        return leasing.lease_on_request(self.office, journal, request_id, scheme_id, count)
