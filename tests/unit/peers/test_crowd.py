"""Who goes when a station's door is crowded."""

from edge_agent.sync.peers.crowd import Crowd


class Doorway:
    """A door with so many places; `there` are the names of who is inside."""

    def __init__(self, most=4, per_address=3):
        self.crowd, self.there, self.seats = Crowd(most, per_address), [], {}

    def comes(self, name, address):
        seat = self.crowd.came(address)
        if seat is None:
            return False
        seat.let_go = lambda: self.there.remove(name)
        self.seats[name] = seat
        self.there.append(name)
        return True


def test_the_oldest_stranger_of_the_address_with_most_goes():
    door = Doorway()
    for name, address in (("a1", "a"), ("b1", "b"), ("b2", "b"), ("b3", "b"), ("a2", "a")):
        assert door.comes(name, address)
    assert door.there == ["a1", "b2", "b3", "a2"]


def test_an_address_over_its_share_loses_its_own():
    door = Doorway(most=9)
    for number in range(5):
        assert door.comes(f"a{number}", "a")
    assert door.there == ["a2", "a3", "a4"]


def test_who_has_proven_itself_stays_and_when_all_have_nobody_comes():
    door = Doorway()
    for name in ("a", "b", "c", "d"):
        door.comes(name, name)
        door.crowd.proved(door.seats[name])
    assert not door.comes("e", "e")
    assert door.there == ["a", "b", "c", "d"]
    door.crowd.left(door.seats["a"])
    door.crowd.left(door.seats["a"])
    assert door.crowd.has_room("e")
    assert door.comes("e", "e")
    assert not door.crowd.has_room("f")


def test_an_address_whose_neighbours_fill_its_share_gets_no_more():
    door = Doorway(most=9, per_address=1)
    door.comes("a", "a")
    door.crowd.proved(door.seats["a"])
    assert not door.comes("stranger", "a")
    assert door.comes("b", "b")
