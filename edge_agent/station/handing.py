"""Codes change hands at a station: a lead's badge, then the fact in the journal.

Called by the one writer only: the loop of a running station, or a command that holds the lock of a
station that does not run. What may be given is `edge_agent.journal.giving`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.giving import NotGivenError, lendable, lending, returning
from edge_agent.journal.journal import Journal
from edge_agent.journal.keys import KnownKey
from edge_agent.journal.loans import loans_between
from edge_agent.station.messages import Recorded
from edge_agent.workflow.knowledge import PersonFact
from edge_agent.workflow.people import LEAD
from tally.events.types import BlockLent, BlockReturned
from tally.master import Words
from tally.merge.trusting import is_revoked
from tally.records.ids import JournalId

Person = Callable[[str], PersonFact | None]
LENT: Final = "S-121"
NOT_LENT: Final = "S-122"
LENT_WHEN_ASKED_MAX: Final = 100
"""However many a neighbour asks for."""


def give_back(
    journal: Journal,
    person: Person,
    block: str,
    count: int | None,
    *,
    badge: str,
    reason: str,
    at: datetime,
) -> BlockReturned:
    """Give the unused end of a block back; on the disk when this returns.

    Raises:
        JournalFault: nothing was kept.
        NotGivenError: these codes cannot be given back, or this person may not.
    """
    demand_lead(journal, person, badge)
    body, grant = returning(journal.blocks.all(), block, count, reason)
    journal.append([OwnFact(body, badge, (grant,))], None, at=at)
    return body


def lend(
    journal: Journal,
    person: Person,
    block: str,
    count: int,
    station: str,
    *,
    badge: str,
    at: datetime,
) -> BlockLent:
    """Lend the unused end of a block to a neighbour; on the disk when this returns.

    The neighbour may use it when the event has reached it: by the hub, a neighbour or a stick.

    Raises:
        JournalFault: nothing was kept.
        NotGivenError: these codes cannot be lent, or this person may not.
    """
    demand_lead(journal, person, badge)
    known = others_named(journal, station)
    body, grant = lending(journal.blocks.all(), block, count, station, known)
    journal.append([OwnFact(body, badge, (grant,))], None, at=at)
    return body


class AskedByNeighbour(Protocol):
    """A neighbour's question (`edge_agent.sync.port.LoanAsked`)."""

    @property
    def borrower(self) -> JournalId: ...
    @property
    def station(self) -> str: ...
    @property
    def scheme(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def badge(self) -> str: ...
    @property
    def taken(self) -> int: ...


def lend_to_neighbour(
    journal: Journal, person: Person, asked: AskedByNeighbour, *, at: datetime
) -> Recorded | None:
    """Lend what can be spared, at most half of a block; None when an earlier loan still waits.

    Raises:
        JournalFault: nothing was kept.
    """
    own, blocks = journal.identity.journal, journal.blocks.all()
    lent = loans_between(journal.ledger, own, asked.borrower, asked.scheme)
    held = lendable(blocks, (asked.scheme,))
    count = min(asked.count, LENT_WHEN_ASKED_MAX, held.left // 2) if held else 0
    # Of a station that was replaced only the newest journal gets codes.
    known = others_named(journal, asked.station)[-1:]
    is_newest = [one.journal for one in known] == [asked.borrower]
    if len(lent) > asked.taken or held is None or count < 1 or not is_newest:
        return None
    try:
        demand_lead(journal, person, asked.badge)
        body, grant = lending(blocks, held.block, count, asked.station, known)
    except NotGivenError as error:
        return Recorded(NOT_LENT, _not_lent(asked, error))
    journal.append([OwnFact(body, asked.badge, (grant,))], None, at=at)
    return Recorded(LENT, given_words(body))


def given_words(body: BlockLent | BlockReturned) -> Words:
    """What is told at the station whose codes left by another way than its own screen."""
    to, zh = (
        (f"lent to {body.station}", f"借给 {body.station}")
        if isinstance(body, BlockLent)
        else ("given back", "归还")
    )
    return Words(
        f"{body.count} codes of block {body.block} are {to}. This station gives them out no more.",
        f"号段 {body.block} 的 {body.count} 个编码已{zh}。本工位不再发放这些编码。",
    )


def _not_lent(asked: AskedByNeighbour, error: NotGivenError) -> Words:
    return Words(
        f"{asked.station} asked for codes of {asked.scheme}; none were lent. {error}",
        f"{asked.station} 申请 {asked.scheme} 编码,未借出。{error.zh}",
    )


def others_named(journal: Journal, station: str) -> Sequence[KnownKey]:
    """The journals of another station of this name, oldest first; none for the own name.

    Whose key was taken back gets nothing.
    """
    if station == journal.identity.station:
        return ()
    graph = journal.ledger.graph
    return [key for key in journal.keys.stations(station) if not is_revoked(graph, key.journal)]


def demand_lead(journal: Journal, person: Person, badge: str) -> None:
    """Refuse whoever is no lead of the master data here, and a journal that may have a copy.

    Raises:
        NotGivenError: that is so, in words.
    """
    if journal.is_suspect:
        raise NotGivenError(
            "This computer was copied, or restored from an image: its codes may be in use "
            "elsewhere, so none changes hands. Enrol the station anew; the admin writes its blocks "
            "off.",
            "此电脑曾被复制或从镜像恢复:其编码可能已在别处使用,因此不能转手。"
            "请重新注册本工位;其号段由管理员核销。",
        )
    if is_revoked(journal.ledger.graph, journal.identity.journal):
        raise NotGivenError(
            "The key of this station was taken back: what it records does not count now, so its "
            "codes do not change hands. Call the plant admin.",
            "本工位的密钥已被收回,其记录目前不作数,因此编码不能转手。请叫工厂管理员。",
        )
    found = person(badge)
    if found is None or LEAD not in found.roles:
        has = "unknown here" if found is None else f"{found.name}: {', '.join(found.roles)}"
        raise NotGivenError(
            f"Badge {badge[:40]!r} is {has}; giving codes away needs the role lead. Use a lead's "
            "badge, or import the person at the hub and sync first.",
            f"工牌 {badge[:40]!r} 不是本工位已知的班长;转手编码需要班长。"
            "请使用班长工牌,或先在中心导入此人并同步。",
        )
