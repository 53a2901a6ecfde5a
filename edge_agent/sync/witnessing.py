"""What a greeting of the hub carries as witnesses: what is held here, and what neighbours signed.

1. Of each journal of the line how far it is held here, signed in the moment of the greeting, so
   that nothing is written for it; and what neighbours gave of the own journal while the hub was
   away.
2. Each pair again after `AGAIN_SECONDS` at the earliest, and only when it goes farther: a line of
   thirty stations costs the hub half a row a second for each.

Pure; `tally.records.witness` says what a witness is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from edge_agent.sync.port import Identity, JournalView
from edge_agent.sync.state import SyncState
from tally.records.ids import JournalId, parse_journal
from tally.records.witness import sign_witness
from tally.wire.messages import WITNESSES_MAX, SignedWitness
from tally.wire.peers import show_witness

AGAIN_SECONDS: Final = 60.0

Told = Mapping[tuple[JournalId, JournalId], tuple[int, float]]
"""Of a neighbour and a journal: to which event it was told, and when (monotonic seconds)."""


def to_tell(
    identity: Identity, state: SyncState, view: JournalView, now: float
) -> tuple[SignedWitness, ...]:
    """What the next greeting of the hub carries."""
    found: list[SignedWitness] = []
    for one in _candidates(identity, state, view, now):
        found.append(one)
        if len(found) == WITNESSES_MAX:
            break
    return tuple(found)


def told(told: Told, carried: tuple[SignedWitness, ...], now: float) -> Told:
    """After the hub took a greeting that carried these."""
    new = {
        (parse_journal(one.witness), parse_journal(one.journal)): (one.seq, now) for one in carried
    }
    return {**told, **new}


def _candidates(
    identity: Identity, state: SyncState, view: JournalView, now: float
) -> Iterator[SignedWitness]:
    for kept in view.witnesses():
        pair = (kept.witness, kept.journal)
        if _is_due(state.told_witnesses, pair, kept.seq, now):
            yield show_witness(kept)
    frontier, former = view.frontier(), view.former()
    for journal in dict.fromkeys(item.journal for item in state.lines):
        held = frontier.get(journal)
        if held is None or not held.seq or journal in former:  # of its own past it is no neighbour
            continue
        if _is_due(state.told_witnesses, (identity.journal, journal), held.seq, now):
            own = (identity.key, identity.journal)
            yield show_witness(sign_witness(*own, journal, held.seq, held.event_id))


def _is_due(told: Told, pair: tuple[JournalId, JournalId], seq: int, now: float) -> bool:
    before, at = told.get(pair, (0, now - AGAIN_SECONDS))
    return seq > before and now >= at + AGAIN_SECONDS
