"""Leads who hand codes on: the end of a block goes back, or to a neighbour, who may have asked.

They do what `tally station give-back` and `tally station lend` do, at a station that runs, and what
`CTLBORROW` does. What the other side makes of it is the product's.
"""

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.giving import NotGivenError, lending, returning
from edge_agent.journal.wishes import remembered
from edge_agent.station.handing import LENT, lend_to_neighbour
from edge_agent.workflow.types import AskNeighbours
from tally.events.types import OperatorSignedIn
from tests.simulation import plant


def give_back(world, machine):
    """A lead gives back what is left of a block, or some of it."""
    held = _with_codes(world, machine)
    if held is None:
        return
    count = held.left if world.trade.chance(0.3) else world.trade.between(1, held.left)
    body, grant = returning(machine.journal.blocks.all(), held.block, count, "order closed")
    if _record(machine, body, grant):
        world.count("codes given back")


def lend(world, machine):
    """A lead lends the end of a block to a neighbour, who mostly has use for it."""
    held = _with_codes(world, machine)
    others = [name for name in world.names if name != machine.name]
    if held is None or not others:
        return
    kin = [name for name in others if plant.SCHEMES.get(plant.role_of(name)) == held.scheme]
    to = world.trade.pick(kin if kin and world.trade.chance(0.9) else others)
    count = world.trade.between(1, held.left)
    try:
        body, grant = lending(
            machine.journal.blocks.all(), held.block, count, to, machine.journal.keys.stations(to)
        )
    except NotGivenError:
        world.count("a loan refused")
        return
    if _record(machine, body, grant):
        world.count("codes lent")


def ask_neighbours(world):
    """A lead at a station that prints has the neighbours asked; then they are soon visited."""
    roles = [plant.role_of(one.name) for one in world.machines if one.power == "on"]
    found = [
        one
        for one in world.machines
        if one.power == "on" and one.prints and roles.count(plant.role_of(one.name)) > 1
    ]
    if not found or "codes_asked" not in world.kinds or not world.asks.chance(0.5):
        return
    machine = world.asks.pick(found)
    scheme = plant.SCHEMES[plant.role_of(machine.name)]
    asked = AskNeighbours(scheme, world.asks.between(1, 30), plant.LEAD)
    came = OwnFact(OperatorSignedIn(plant.LEAD, "lead"), plant.LEAD)
    kept = remembered(asked, machine.journal)
    machine.guarded(
        lambda: machine.journal.append([came], None, at=machine.clock.now(), remember=kept)
    )
    world.count("neighbours asked for codes")


def lend_when_asked(world, machine):
    """What a machine's loop does for a neighbour that asks."""

    def lend(journal, asked):
        person, now = machine.core.knowledge.person, machine.clock.now()
        said = lend_to_neighbour(journal, person, asked, at=now)
        if said is not None and said.code == LENT:
            world.count("a neighbour lent codes when asked")
        return said

    return lend


def _with_codes(world, machine):
    """A block of a machine that trusts itself, with codes that are on no label."""
    if machine.journal.is_suspect:
        return None
    found = [
        held
        for held in machine.journal.blocks.all()
        if held.left > 0 and not held.lender and held.used == held.next - held.start
    ]
    return world.trade.pick(found) if found else None


def _record(machine, body, grant):
    fact = OwnFact(body, plant.LEAD, (grant,))
    machine.guarded(lambda: machine.journal.append([fact], None, at=machine.clock.now()))
    if machine.power == "on":
        machine.poke()
    return machine.power == "on"
