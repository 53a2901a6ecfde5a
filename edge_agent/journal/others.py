"""Journals of others as they arrive: feeds of the hub, stations of the line.

1. Proven before stored: chain, and the signature of a key that the registry believes.
2. Trimmed by event id: what is here already is counted, never stored twice.
3. A gap is answered with the seq to send from; a fork keeps both branches and says so.
4. A proven line that cannot be read, or not be taken by the ledger, is kept and counted. One that
   its writer says is lost is the empty line under its id, until it turns up.
5. Small transactions, so that a scan never waits for a backlog.

Whom to believe is `keys`; what the events mean is `tally.ledger`.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from edge_agent.journal.blocks import Blocks
from edge_agent.journal.branches import Branch, place_of, read_branches, write_branch
from edge_agent.journal.faults import Untrusted
from edge_agent.journal.foreign_holes import ForeignHoles
from edge_agent.journal.identity import Identity
from edge_agent.journal.keys import KeyRegistry
from edge_agent.journal.projecting import absorb
from edge_agent.journal.returning import keep_proof
from edge_agent.journal.standing import came_by_neighbour
from edge_agent.journal.store import Store
from tally.events.decoding import EventLine, Unread, read_line, read_lines
from tally.events.losses import Loss, losses_in
from tally.events.types import BlockLent
from tally.ledger.port import Batch
from tally.ledger.sqlite import SqliteLedger
from tally.merge.blocks import Loan
from tally.records.hlc import Hlc, parse_hlc
from tally.records.ids import GENESIS, EventId, JournalId, ref_to, show_journal
from tally.records.segment import Segment, SegmentError, decode, encode, prove

STEP_EVENTS: Final = 200
"""Events a transaction: about 5 ms on a slow station (`decided.md` 8)."""

OwnId = Callable[[int], EventId | None]


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a segment.

    `need`: the seq to send from, when events before this segment are missing. `forked`: this
    opened another branch. `own_differs`: it holds events under the own key that the own journal
    has not. `is_revoked`: it takes the own journal's key back. `words` and `words_zh` say so for
    people under `code`, else empty. `ids` and `events` are the new ones, in order. `loans`: to the
    own journal, proven though events before them are missing. `borrowed`: loans were taken.
    """

    journal: JournalId
    first: int
    stored: int
    duplicates: int
    tip: int
    ids: tuple[EventId, ...] = ()
    events: tuple[EventLine | Unread, ...] = ()
    need: int | None = None
    forked: bool = False
    own_differs: bool = False
    is_revoked: bool = False
    newest_stamp: Hlc | None = None
    words: str = ""
    words_zh: str = ""
    code: str = "S-101"
    loans: tuple[Loan, ...] = ()
    borrowed: bool = False


class OtherJournals:
    """The foreign part of the file; used by the one writer only."""

    def __init__(
        self, store: Store, keys: KeyRegistry, blocks: Blocks, ledger: SqliteLedger
    ) -> None:
        self._store = store
        self._keys = keys
        self._blocks = blocks
        self._ledger = ledger
        self._holes = ForeignHoles(store, ledger, self._rolled_back)
        self.refused = 0
        self._branches: dict[JournalId, list[Branch]] = {}
        self._reload()

    def frontier(self) -> Mapping[JournalId, tuple[int, EventId]]:
        """The newest event held of each journal, on the branch that was there first."""
        return {journal: (b[0].tip, b[0].tip_id) for journal, b in self._branches.items()}

    def forks(self) -> tuple[JournalId, ...]:
        """Journals of which more than one branch is held."""
        return tuple(journal for journal, found in self._branches.items() if len(found) > 1)

    def ingest_in_steps(
        self, data: bytes, own: Identity, own_id: OwnId, *, by_neighbour: bool = False
    ) -> Generator[None, None, Ingested]:
        """Prove a segment and store what is new of it; see `Journal.ingest_in_steps`."""
        segment, ids = self._proven(data, own)
        if segment.journal == own.journal:
            return _compare_with_own(segment, ids, own_id)
        losses = losses_in(segment.first, segment.lines)
        for loss in losses:
            self._pass_over(segment, loss, data)
        filled = self._fill_holes(segment, ids)
        known = self._count_known(segment.journal, segment.first, ids)
        answer = Ingested(segment.journal, segment.first, 0, known, 0)
        if known == len(ids):
            tip = self._tip(segment.journal)
            return replace(answer, stored=len(filled), tip=tip, events=tuple(filled))
        before = ids[known - 1] if known else segment.before
        branch, forked, need = self._place(segment.journal, segment.first + known, before)
        if branch is None and losses:  # it came in the place of what is lost, and again in its own
            return replace(answer, tip=self._tip(segment.journal), need=need)
        if branch is None:
            answer = replace(answer, tip=self._tip(segment.journal), need=need)
            loans = _loans_in(segment, ids, own.journal)
            here = {block.ref for block in self._blocks.all()}
            if len(loans) == len(ids) and here.issuperset(loan.ref for loan in loans):
                return answer  # a loan that came by itself, once more: nothing is missing for it
            return replace(
                answer,
                loans=loans,
                words=f"{segment}: events before it are missing; send from {need}.",
                words_zh=f"{segment}:缺少之前的记录;请从 {need} 开始发送。",
            )
        new = filled
        for start in range(known, len(ids), STEP_EVENTS):
            end = min(start + STEP_EVENTS, len(ids))
            proof = _header(segment) if end == len(ids) else None
            branch, events = self._store_step(
                branch, segment, ids, start, end, proof, by_neighbour=by_neighbour
            )
            new += events
            yield
        return replace(
            answer,
            first=segment.first + known,
            stored=len(ids) - known,
            tip=branch.tip,
            ids=tuple(ids[known:]),
            events=tuple(new),
            forked=forked,
            newest_stamp=_newest_stamp(new),
            words=f"{segment}: this journal has two histories; both are kept." if forked else "",
            words_zh=f"{segment}:此日志有两条历史;两者均保留。" if forked else "",
        )

    def loans_in(self, data: bytes, own: Identity) -> tuple[Loan, ...]:
        """The loans in a segment of another journal, to whomever; nothing is stored.

        Raises:
            Untrusted: it is not proven by a key that is believed here.
        """
        segment, ids = self._proven(data, own)
        return _loans_in(segment, ids, None)

    def _pass_over(self, segment: Segment, loss: Loss, data: bytes) -> None:
        """Go on over a lost event of a station, if what is before it is here and nothing else."""
        journal = segment.journal
        is_station = any(key.role == "station" for key in self._keys.of(journal))
        if is_station and not self._count_known(journal, loss.seq, [loss.id]):
            branch, _, _ = self._place(journal, loss.seq, loss.before)
            grown = branch and self._holes.pass_over(branch, loss, data)
            if grown:
                self._remember(grown)

    def _fill_holes(self, segment: Segment, ids: list[EventId]) -> list[EventLine | Unread]:
        branches = self._branches.get(segment.journal, ())
        return [event for one in branches for event in self._holes.fill(one, segment, ids)]

    def _proven(self, data: bytes, own: Identity) -> tuple[Segment, list[EventId]]:
        try:
            segment = decode(data)
        except SegmentError as error:
            self.refused += 1
            raise Untrusted("malformed", str(error)) from error
        if segment.journal == own.journal:
            keys = [own.key.public]
        else:
            known = self._keys.of(segment.journal)
            known = known or self._keys.vouched_in(segment.journal, segment.lines)
            keys = [key.public for key in known]
        if not keys:
            self.refused += 1
            raise Untrusted(
                "unknown_journal",
                f"{segment}: no key of this journal is known from the plant's `keys` feed.",
            )
        problem: SegmentError | None = None
        for key in keys:
            try:
                return self._within(segment, prove(segment, key))
            except SegmentError as error:
                problem = error
        self.refused += 1
        raise Untrusted("forged", str(problem)) from problem

    def _within(self, segment: Segment, ids: list[EventId]) -> tuple[Segment, list[EventId]]:
        """Proven events, if they do not stand behind the end of a feed whose key was changed."""
        end = self._keys.end_of(segment.journal)
        if end is None or segment.last < end.seq:
            return segment, ids
        if segment.last > end.seq or not end.names(ids[end.seq - segment.first]):
            self.refused += 1
            words = (
                f"{segment}: this feed of the hub ended with event {end.seq}, when its key was "
                f"changed. Somebody has a key of its past."
            )
            raise Untrusted("forged", words)
        return segment, ids

    def _count_known(self, journal: JournalId, first: int, ids: list[EventId]) -> int:
        """How many leading events are held already, on whatever branch."""
        held: set[tuple[int, bytes]] = set()
        for branch in self._branches.get(journal, ()):
            rows = self._store.connection.execute(
                "SELECT place, id FROM foreign_event WHERE place BETWEEN ? AND ?",
                (place_of(branch.branch, first), place_of(branch.branch, first + len(ids) - 1)),
            )
            held.update((place - place_of(branch.branch, 0), found) for place, found in rows)
        return next((i for i, found in enumerate(ids) if (first + i, found) not in held), len(ids))

    def _place(
        self, journal: JournalId, seq: int, before: EventId
    ) -> tuple[Branch | None, bool, int]:
        """The branch that the event at `seq` continues; whether it is new; where to send from."""
        branches = self._branches.get(journal, [])
        need = self._tip(journal) + 1
        if seq == 1 and before == GENESIS:
            return self._new_branch(journal, None, 1, before), bool(branches), need
        for branch in branches:
            if branch.tip == seq - 1 and branch.tip_id == before:
                return branch, False, need
        for branch in branches:
            if self._id_on(branch, seq - 1) == before:
                return self._new_branch(journal, branch.branch, seq, before), True, need
        return None, False, need

    def _new_branch(
        self, journal: JournalId, parent: int | None, first: int, before: EventId
    ) -> Branch:
        number = 1 + max((b.branch for found in self._branches.values() for b in found), default=0)
        return Branch(number, journal, parent, first, first - 1, before, None)

    def _id_on(self, branch: Branch, seq: int) -> bytes | None:
        row = self._store.connection.execute(
            "SELECT id FROM foreign_event WHERE place = ?", (place_of(branch.branch, seq),)
        ).fetchone()
        return None if row is None else row[0]

    def _store_step(
        self,
        branch: Branch,
        segment: Segment,
        ids: list[EventId],
        start: int,
        end: int,
        proof: bytes | None,
        *,
        by_neighbour: bool,
    ) -> tuple[Branch, list[EventLine | Unread]]:
        lines, chunk = segment.lines[start:end], ids[start:end]
        events = read_lines(lines)
        seq, before = segment.first + start, branch.tip_id
        grown = replace(branch, tip=segment.first + end - 1, tip_id=chunk[-1])
        grown = replace(grown, proof=proof or branch.proof)
        with self._store.transaction(self._rolled_back) as connection:
            connection.executemany(
                "INSERT INTO foreign_event VALUES (?, ?, ?)",
                (
                    (place_of(branch.branch, seq + i), event_id, line)
                    for i, (event_id, line) in enumerate(zip(chunk, lines, strict=True))
                ),
            )
            write_branch(connection, grown)
            if proof is not None:
                keep_proof(connection, grown.branch, grown.tip, proof)
            if by_neighbour and any(k.role == "station" for k in self._keys.of(segment.journal)):
                came_by_neighbour(self._store, segment.journal, seq)
            self._keys.learn(segment.journal, events)
            if self._keys.is_feed(segment.journal, "leases"):
                self._blocks.learn(segment.journal, seq, chunk, events)
            absorb(self._store, self._ledger, Batch(segment.journal, seq, before, chunk, events))
            self._holes.heard(connection, self._branches.get(segment.journal, ()), events)
        self._remember(grown)
        return grown, events

    def _rolled_back(self) -> None:
        self._ledger.rolled_back()
        self._keys.reload()
        self._blocks.reload()

    def _remember(self, branch: Branch) -> None:
        found = self._branches.setdefault(branch.journal, [])
        kept = [branch if b.branch == branch.branch else b for b in found]
        self._branches[branch.journal] = kept if branch in kept else [*kept, branch]

    def _reload(self) -> None:
        for branch in read_branches(self._store.connection):
            self._branches.setdefault(branch.journal, []).append(branch)

    def _tip(self, journal: JournalId) -> int:
        return self._branches[journal][0].tip if journal in self._branches else 0


def _compare_with_own(segment: Segment, ids: list[EventId], own_id: OwnId) -> Ingested:
    differs = next(
        (seq for seq, found in enumerate(ids, segment.first) if own_id(seq) != found), None
    )
    same = len(ids) if differs is None else differs - segment.first
    answer = Ingested(segment.journal, segment.first, 0, same, segment.last)
    if differs is None:
        return answer
    words = (
        f"Event {differs} under this station's own key is not in its journal: this computer was "
        "copied, or restored from an image. No code is given out until the station is enrolled "
        "anew."
    )
    words_zh = (
        f"以本工位密钥签名的记录 {differs} 不在本机日志中:此电脑曾被复制或从镜像恢复。"
        "重新注册之前不再发放编码。"
    )
    return replace(answer, own_differs=True, code="S-102", words=words, words_zh=words_zh)


def _loans_in(segment: Segment, ids: list[EventId], to: JournalId | None) -> tuple[Loan, ...]:
    """The loans to a journal, or to any, among proven events; wherever in theirs they stand."""
    names = None if to is None else {show_journal(to)}
    return tuple(
        Loan(str(ref_to(segment.journal, seq, event_id)), segment.journal, event.b)
        for seq, (event_id, line) in enumerate(zip(ids, segment.lines, strict=True), segment.first)
        if b'"block.lent"' in line
        and isinstance(event := read_line(line), EventLine)
        and isinstance(event.b, BlockLent)
        and (names is None or event.b.journal in names)
    )


def _header(segment: Segment) -> bytes:
    return encode(segment).split(b"\n", 1)[0]


def _newest_stamp(events: list[EventLine | Unread]) -> Hlc | None:
    newest: Hlc | None = None
    for event in events:
        if isinstance(event, EventLine):
            try:
                stamp = parse_hlc(event.hlc)
            except ValueError:
                continue
            newest = stamp if newest is None else max(newest, stamp)
    return newest
