"""From one journal of a station to the next, with the work as it stands."""

from edge_agent.journal.identity import Identity
from edge_agent.journal.journal import Journal
from edge_agent.workflow.carrying_over import carried_over
from edge_agent.workflow.saving import dump_state, load_state
from edge_agent.workflow.types import StationState


def change_over(journal: Journal, heir: Identity) -> StationState:
    """Go on as the prepared journal; the state of work from now on.

    Raises:
        JournalFault: nothing changed.
        StateUnreadable: the same; another version of the program saved the state.
    """
    state = load_state(journal.state) if journal.state else StationState()
    state = carried_over(state, journal.ref_of)
    journal.succeed(heir, dump_state(state))
    return state
