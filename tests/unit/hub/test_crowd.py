"""One address cannot use up the connections of all; who asks something is not the one to go."""

from hub.api.crowd import Crowd


class Callers:
    """Connections that leave when they are let go."""

    def __init__(self, most):
        self.crowd = Crowd(most)
        self.gone = []
        self.seats = {}

    def came(self, name, address="10.0.0.9"):
        self.seats[name] = self.crowd.came(address, lambda: self.gone.append(name))
        for left in list(self.gone):
            if left in self.seats:
                self.crowd.left(self.seats.pop(left))

    def spoke(self, name):
        self.crowd.spoke(self.seats[name])


def test_over_its_share_the_one_that_was_silent_longest_goes():
    callers = Callers(3)
    for name in "abcde":
        callers.came(name)
    assert callers.gone == ["a", "b"]


def test_who_has_asked_something_stays_and_another_address_is_not_touched():
    callers = Callers(2)
    callers.came("station")
    callers.spoke("station")
    for name in "abc":
        callers.came(name)
    callers.came("other", "10.0.0.8")
    assert callers.gone == ["a", "b"]


def test_when_all_have_asked_something_the_newest_goes():
    callers = Callers(2)
    for name in "abc":
        callers.came(name)
        if name in callers.seats:
            callers.spoke(name)
    assert callers.gone == ["c"]


def test_who_left_leaves_nothing_behind():
    callers = Callers(2)
    for name in "ab":
        callers.came(name)
        callers.spoke(name)
    for name in "ab":
        callers.crowd.left(callers.seats.pop(name))
    callers.came("c")
    callers.crowd.left(callers.seats.pop("c"))
    assert (callers.gone, callers.crowd._held, callers.crowd._silent) == ([], {}, {})
