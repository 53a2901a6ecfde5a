"""Codes that change hands: the end of a block goes back to the hub, or to a neighbour, or comes.

1. Only counters that were never opened, from the end of the block (`decided.md` 27): what is left
   of it stays one range, and nothing that may be on a label is given away.
2. What is given is durable here first; the neighbour may use it when its own journal says so.
3. What was borrowed is not lent on. A journal that may have a copy gives nothing and takes nothing.

Values only: the caller appends the facts. The ranges themselves are `blocks`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum
from typing import Final

from edge_agent.journal.blocks import HeldBlock
from edge_agent.journal.keys import KnownKey
from edge_agent.journal.others import Ingested
from tally.events.types import BlockBorrowed, BlockLent, BlockReturned
from tally.merge.blocks import Loan
from tally.records.ids import JournalId, show_journal

REASON_CHARACTERS_MAX: Final = 200
BORROWED: Final = "S-123"


class NotGivenError(Exception):
    """These codes cannot change hands; the words say why and what to do, `zh` in Chinese."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.zh = zh


class LoanFate(Enum):
    """What became of a loan that came by itself."""

    TAKEN = "taken"
    HERE = "here already"
    FOREIGN = "to another station"
    UNGRANTED = "of a block that is not known here"
    REFUSED = "not to be trusted"
    NONE = "no loan"


def returning(
    blocks: Sequence[HeldBlock], name: str, count: int | None, reason: str
) -> tuple[BlockReturned, str]:
    """The fact that the end of a block is given back, and the reference that it rests on.

    Args:
        blocks: all of this journal.
        name: the block.
        count: how many codes; None for all that were never given out.
        reason: why, for the books.

    Raises:
        NotGivenError: it cannot be given back.
    """
    if not 1 <= len(reason) <= REASON_CHARACTERS_MAX or not reason.isprintable():
        raise NotGivenError(
            f"The reason has {len(reason)} characters; expected 1 to {REASON_CHARACTERS_MAX} that "
            "can be printed. It goes into the books of the block.",
            f"原因有 {len(reason)} 个字符;应为 1 到 {REASON_CHARACTERS_MAX} 个可打印字符,"
            "它会记入号段账目。",
        )
    held, start, count = _end_of(blocks, name, count)
    if held.lender:
        raise NotGivenError(
            f"Block {name} was borrowed from {held.lender}; only the hub's own blocks are given "
            "back. Use its codes up, or leave them: the admin writes them off.",
            f"号段 {name} 是向 {held.lender} 借的;只有中心发放的号段可以归还。"
            "请用完,或留着由管理员核销。",
        )
    body = BlockReturned(name, held.scheme, start, count, reason, _period(held))
    return body, held.ref


def lending(
    blocks: Sequence[HeldBlock], name: str, count: int, station: str, known: Sequence[KnownKey]
) -> tuple[BlockLent, str]:
    """The fact that the end of a block is lent to a neighbour, and what it rests on.

    `known`: journals of the station of that name, oldest first; the newest is the borrower.

    Raises:
        NotGivenError: it cannot be lent, or nobody of that name is known.
    """
    held, start, count = _end_of(blocks, name, count)
    if held.lender:
        raise NotGivenError(
            f"Block {name} was borrowed from {held.lender}; what is borrowed is not lent on. Lend "
            "from another block.",
            f"号段 {name} 是向 {held.lender} 借的,借来的不能转借。请从别的号段出借。",
        )
    if not known:
        raise NotGivenError(
            f"No other station {station[:40]!r} is known here from the plant's `keys` feed. "
            "Expected the name of an enrolled station; it becomes known with the next sync or "
            "stick.",
            f"本工位不知道名为 {station[:40]!r} 的其他工位。请给出已注册工位的名称;"
            "下次同步或导入 U 盘后即可知道。",
        )
    to = show_journal(known[-1].journal)
    body = BlockLent(name, held.scheme, start, count, to, station, _period(held))
    return body, held.ref


def borrowing(
    loans: Sequence[Loan], blocks: Sequence[HeldBlock], name_of: Callable[[JournalId], str]
) -> list[tuple[BlockBorrowed, str]]:
    """The facts that loans are taken which are not here yet, each with what it rests on."""
    refs = {block.ref for block in blocks}
    held = [(one.scheme, _period(one), one.start, one.end + one.given) for one in blocks]
    taken = []
    for loan in loans:
        body, end = loan.body, loan.body.start + loan.body.count
        # A lender of which two copies run may have lent the same codes twice: once is taken.
        is_here = loan.ref in refs or any(
            (scheme, period) == (body.scheme, body.period) and start < end and body.start < last
            for scheme, period, start, last in held
        )
        if is_here:
            continue
        held.append((body.scheme, body.period, body.start, end))
        name, lender = f"{body.block}+{body.start}", show_journal(loan.lender)
        fact = BlockBorrowed(
            name, body.scheme, body.start, body.count, lender, name_of(loan.lender), body.period
        )
        taken.append((fact, loan.ref))
    return taken


def borrowed(result: Ingested, taken: Sequence[BlockBorrowed]) -> Ingested:
    """The same result, with words for people about the loans that were taken."""
    if not taken or result.own_differs or result.is_revoked:
        return result
    en = " ".join(
        f"{one.count} codes of {one.scheme} are borrowed from {one.station}." for one in taken
    )
    zh = "".join(f"已向 {one.station} 借入 {one.count} 个 {one.scheme} 编码。" for one in taken)
    return replace(result, borrowed=True, code=BORROWED, words=en, words_zh=zh)


def lendable(blocks: Sequence[HeldBlock], schemes: Sequence[str]) -> HeldBlock | None:
    """The block with the most codes that may be lent; None: there is none.

    `schemes`: of which; empty: any.
    """
    found = [
        one
        for one in blocks
        if (one.scheme in schemes or not schemes)
        and one.left
        and not one.lender
        and one.used == one.next - one.start
    ]
    return max(found, key=lambda one: one.left, default=None)


def _end_of(
    blocks: Sequence[HeldBlock], name: str, count: int | None
) -> tuple[HeldBlock, int, int]:
    """The block, the first counter to be given away, and how many."""
    held = next((block for block in blocks if block.block == name), None)
    if held is None:
        names = ", ".join(block.block for block in blocks) or "none"
        raise NotGivenError(
            f"No block {name[:40]!r} here; blocks of this station: {names}.",
            f"本工位没有号段 {name[:40]!r};现有号段:{names}。",
        )
    if held.used > held.next - held.start:
        raise NotGivenError(
            f"The codes of block {name} are on labels that were printed beforehand and are used "
            "in any order, so nothing here proves which are left. Send the roll back; the admin "
            "writes the rest off.",
            f"号段 {name} 的编码印在预印标签上,使用不按顺序,无法证明哪些还未用。"
            "请退回标签卷,余下的由管理员核销。",
        )
    asked = held.left if count is None else count
    if not 1 <= asked <= held.left:
        raise NotGivenError(
            f"Block {name} has {held.left} codes that were never given out; asked for {asked}. "
            "Expected 1 or more, and no more than there are.",
            f"号段 {name} 还有 {held.left} 个从未发放的编码,要求 {asked} 个。应为 1 到现有数量。",
        )
    return held, held.end - asked, asked


def _period(held: HeldBlock) -> str | None:
    return held.period.isoformat() if held.period else None
