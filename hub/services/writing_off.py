"""Blocks whose unused codes will never be used: written off in feed `leases`, for good.

What a copied or restored computer did not prove unused, and what a replaced one still had, is a gap
with a cause; nobody is granted it again. The books count it as written off.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final, TypeAlias

from hub.services import feeds
from hub.services.feeds import Entry
from hub.services.office import Office
from tally.events.types import BlockWrittenOff
from tally.records.ids import JournalId, show_journal

_KEY: Final = "written_off"
Block: TypeAlias = tuple[str, str]
"""Journal, as text, and name of a block: after a restore two journals may have one of a name."""


def write_off(office: Office, journal: JournalId, reason: str) -> int:
    """Write off every block of a journal, inside the caller's transaction; how many.

    Codes of them that were used all the same, and are heard of later, count as used.
    """
    name, known = show_journal(journal), written_off(office)
    held = [block.block for block in office.store.blocks() if block.journal == journal]
    left = [block for block in held if (name, block) not in known]
    if left:
        feeds.append(office, "leases", [Entry(BlockWrittenOff(one, name, reason)) for one in left])
        _remember(office, known.union((name, one) for one in left))
    return len(left)


def learn(office: Office, body: BlockWrittenOff) -> None:
    """An event of an old feed that came back to a restored hub, inside the transaction."""
    _remember(office, written_off(office) | {(body.journal, body.block)})


def written_off(office: Office) -> frozenset[Block]:
    """Every block that the hub wrote off; call it while the store is read."""
    return frozenset(map(tuple, json.loads(office.store.get(_KEY) or "[]")))


def _remember(office: Office, blocks: Iterable[Block]) -> None:
    office.store.put(_KEY, json.dumps(sorted(blocks)))
