"""A station whose journal has two histories goes on in another journal, by itself (`sync.md` 3.6).

1. `prepare`, once the hub has proven the fork: a new key and the new journal's event 1 are on the
   disk. The uplink shows them to the hub when everything recorded so far is there.
2. `complete`, once the hub knows the new journal: the file changes over in one transaction, then
   the identity on the disk, then the uplink.
3. A cut between any two of these leads to the same new journal; nothing is asked of people.

Work goes on all the while, without codes until the new journal has blocks.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from edge_agent.journal.faults import JournalFault
from edge_agent.journal.genesis import genesis_line, genesis_piece
from edge_agent.journal.identity import Identity
from edge_agent.journal.journal import Journal, passed
from edge_agent.journal.store import Reached
from edge_agent.station.clock import Clock
from edge_agent.station.core import StationCore
from edge_agent.station.outputs import Output
from edge_agent.workflow.types import Verdict
from tally.master import Words
from tally.records.ids import JournalId, ref_to, show_journal
from tally.records.segment import decode, encode

REASON: Final = "copied or restored"


class Heirs(Protocol):
    """Keeps the key of the journal to come, apart from the journal."""

    def make(self) -> Identity:
        """A new journal of this station; its key is on the disk when this returns.

        Raises:
            JournalFault: it could not be written; retryable.
        """
        ...

    def find(self, journal: JournalId) -> Identity | None:
        """What `make` gave for this journal; None when it is gone."""
        ...

    def settle(self) -> None:
        """What `make` gave last is who this station is from now on.

        Raises:
            JournalFault: not yet; retryable.
        """
        ...


class Succession:
    """See the module; `changed` is called when the journal is another one."""

    def __init__(
        self,
        core: StationCore,
        heirs: Heirs,
        clock: Clock,
        *,
        reached: Reached,
        changed: Callable[[], None],
    ) -> None:
        self._core = core
        self._heirs = heirs
        self._clock = clock
        self._reached = reached
        self._changed = changed

    def prepare(self) -> None:
        """Have a journal ready to go on in; again changes nothing.

        Raises:
            JournalFault: nothing was kept.
        """
        prepared(self._core.journal, self._heirs, self._clock, REASON, reached=self._reached)

    def complete(self, known: JournalId) -> Output | None:
        """Change over to the journal that the hub knows now; what to say, None when it was done.

        Raises:
            JournalFault: nothing changed.
        """
        journal = self._core.journal
        is_whole = set(journal.damaged) <= set(journal.lost)  # else: mended first
        if journal.identity.journal == known or not is_whole:
            return None
        heir = self._heirs.find(known)
        if heir is None:  # its key is gone: the next is asked for, and a person has to let it
            self.prepare()
            return None
        self._reached("after_successor_known")
        self._core.go_on_as(heir)
        self._reached("after_successor_moved")
        with suppress(JournalFault):  # the file says who this station is; the next start follows it
            self._heirs.settle()
        self._reached("after_successor_settled")
        try:
            journal.start(agent=journal.agent, at=self._clock.now())
        finally:
            self._changed()
        return self._core.say(Verdict.READY, _went_on(known), code="S-110")


def prepared(
    journal: Journal, heirs: Heirs, clock: Clock, reason: str, *, reached: Reached = passed
) -> bytes:
    """The piece with event 1 of the journal that is to go on; made, if it was not before.

    Raises:
        JournalFault: nothing was kept.
    """
    piece = journal.successor_piece
    if piece is not None and heirs.find(decode(piece).journal) is not None:
        return piece
    heir = heirs.make()
    reached("after_successor_key")
    last = ref_to(journal.identity.journal, journal.seq, journal.event_id)
    line = genesis_line(heir, at=clock.now(), reason=reason, after=last)
    piece = encode(genesis_piece(heir, line))
    journal.prepare_successor(piece)
    return piece


def heir_of(journal: Journal, heirs: Heirs) -> Identity | None:
    """Who goes on after this journal; None when its key is gone."""
    piece = journal.successor_piece
    return heirs.find(decode(piece).journal) if piece is not None else None


def _went_on(journal: JournalId) -> Words:
    name = show_journal(journal)[:8]
    return Words(
        f"This computer was copied or restored from an image. It goes on in a journal of its own "
        f"({name}…) with new codes; open units stay open. What its copy recorded is kept as well: "
        "units whose codes were used twice are held until somebody decides. Do not stick on labels "
        "that were printed and not used.",
        f"此电脑曾被复制或从镜像恢复。现已启用自己的新日志({name}…)和新编码,未完成的产品可继续。"
        "副本的记录也会保留:编码被重复使用的产品在有人判定之前会被扣留。请勿再贴已打印而未使用的标签。",
    )
