"""Leads who hand codes on: the end of a block goes back, or to a neighbour.

They do what `tally station give-back` and `tally station lend` do, at a station that runs. What
the other side makes of it is the product's.
"""

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.giving import NotGivenError, lending, returning
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
