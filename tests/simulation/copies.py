"""A label that was printed several times, so that it takes long until all about it is known.

Boards with one number are built in at three stations. The hub hears of two, and somebody decides;
the third, whose cable was out all the while, tells its own afterwards: the case is open again.
"""

from tests.simulation import plant
from tests.simulation.people import Admin

COPIES = 3
LOOKS = 60


def hand_out(world):
    """Boards with one number lie at three stations; two of these are cut off."""
    here = [machine for machine in world.machines if machine.power == "on"]
    builders = [machine for machine in here if plant.role_of(machine.name) == "final"]
    boards = world.floor.boards
    if len(builders) < COPIES or not boards:
        return
    first, second, last = world.walks.shuffled(builders)[:COPIES]
    board = boards.pop()
    for machine in (first, second, last):
        world.floor.copied[machine.number] = board
    world.count("label copied")
    second.link_is_cut = last.link_is_cut = True
    _look_later(world, board, second, last, LOOKS)


def _look_later(world, board, second, last, times):
    """Every few seconds: is it time to plug somebody in, or to decide?"""

    def look():
        if world.phase != "chaos" or times == 0:
            second.plug_in()
            last.plug_in()
            return
        copied = world.floor.copied
        if second.link_is_cut and second.number not in copied:
            second.plug_in()
        rows = [row for row in world.door.hub.show("cases") if row["key"] == f"in:{board}"]
        if not rows or last.number in copied:
            _look_later(world, board, second, last, times - 1)
            return
        admin = Admin(world, plant.ADMINS[0], world.walks)
        admin.settle(rows[0])
        world.after(world.walks.seconds(60, 300), "link back", last.plug_in)

    world.after(world.walks.seconds(2, 10), "look at a copied label", look)
