"""The state of work as it goes on in another journal of the same station.

What the state cites by seq stands in the journal before: it is cited by reference from now on. What
could be undone cannot be any more, because an event takes back events of its own journal only.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from edge_agent.workflow.types import Loaded, OpenUnit, StationState


def carried_over(state: StationState, ref_of: Callable[[int], str]) -> StationState:
    """The state without a seq of the journal before; `ref_of` gives the reference of one."""

    def cited(seq: int | str) -> int | str:
        return ref_of(seq) if isinstance(seq, int) and seq else seq

    def unit(one: OpenUnit) -> OpenUnit:
        bound = tuple(msgspec.structs.replace(each, seq=cited(each.seq)) for each in one.bound)
        return msgspec.structs.replace(one, reserved=cited(one.reserved), bound=bound)

    def loaded(one: Loaded) -> Loaded:
        return msgspec.structs.replace(one, seq=cited(one.seq))

    return msgspec.structs.replace(
        state,
        unit=unit(state.unit) if state.unit else None,
        parked=tuple(map(unit, state.parked)),
        loaded=tuple(map(loaded, state.loaded)),
        undo=None,
    )
