"""Codes that change hands: the end of a block goes back to the hub, or to a neighbour, or comes.

1. Only counters that were never opened, from the end of the block (`decided.md` 27): what is left
   of it stays one range, and nothing that may be on a label is given away.
2. What is given is durable here first; the neighbour may use it when its own journal says so.
3. What was borrowed is not lent on. A journal that may have a copy gives nothing and takes nothing.

Values only: the caller appends the facts. The ranges themselves are `blocks`.
"""

from collections.abc import Callable, Sequence
from typing import Final

from edge_agent.journal.blocks import HeldBlock
from edge_agent.journal.keys import KnownKey
from tally.events.types import BlockBorrowed, BlockLent, BlockReturned
from tally.merge.blocks import Loan
from tally.records.ids import JournalId, show_journal

REASON_CHARACTERS_MAX: Final = 200


class NotGivenError(Exception):
    """These codes cannot change hands; the words say why and what to do."""


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
            "can be printed. It goes into the books of the block."
        )
    held, start, count = _end_of(blocks, name, count)
    if held.lender:
        raise NotGivenError(
            f"Block {name} was borrowed from {held.lender}; only the hub's own blocks are given "
            "back. Use its codes up, or leave them: the admin writes them off."
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
            "from another block."
        )
    if not known:
        raise NotGivenError(
            f"No station {station[:40]!r} is known here from the plant's `keys` feed. Expected the "
            "name of an enrolled station; it becomes known with the next sync or stick."
        )
    to = show_journal(known[-1].journal)
    body = BlockLent(name, held.scheme, start, count, to, station, _period(held))
    return body, held.ref


def borrowing(
    loans: Sequence[Loan], blocks: Sequence[HeldBlock], name_of: Callable[[JournalId], str]
) -> list[tuple[BlockBorrowed, str]]:
    """The facts that loans are taken which are not here yet, each with what it rests on."""
    here = {block.ref for block in blocks}
    return [
        (
            BlockBorrowed(
                f"{loan.body.block}+{loan.body.start}",
                loan.body.scheme,
                loan.body.start,
                loan.body.count,
                show_journal(loan.lender),
                name_of(loan.lender),
                loan.body.period,
            ),
            loan.ref,
        )
        for loan in loans
        if loan.ref not in here
    ]


def _end_of(
    blocks: Sequence[HeldBlock], name: str, count: int | None
) -> tuple[HeldBlock, int, int]:
    """The block, the first counter to be given away, and how many."""
    held = next((block for block in blocks if block.block == name), None)
    if held is None:
        names = ", ".join(block.block for block in blocks) or "none"
        raise NotGivenError(f"No block {name[:40]!r} here; blocks of this station: {names}.")
    if held.used > held.next - held.start:
        raise NotGivenError(
            f"The codes of block {name} are on labels that were printed beforehand and are used "
            "in any order, so nothing here proves which are left. Send the roll back; the admin "
            "writes the rest off."
        )
    asked = held.left if count is None else count
    if not 1 <= asked <= held.left:
        raise NotGivenError(
            f"Block {name} has {held.left} codes that were never given out; asked for {asked}. "
            "Expected 1 or more, and no more than there are."
        )
    return held, held.end - asked, asked


def _period(held: HeldBlock) -> str | None:
    return held.period.isoformat() if held.period else None
