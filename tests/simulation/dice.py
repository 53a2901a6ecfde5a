"""Every choice of a run: drawn from one seed, each draw kept.

There is one `Random` a purpose, all seeded from the one of the seed, so that leaving out a fault
(`shrinking`) does not turn the people's work into other work.
"""

import random


class Dice:
    """Choices for one purpose; `draws` holds all of them in order, as whole numbers."""

    def __init__(self, seed):
        self._random = random.Random(seed)
        self.draws = []

    def another(self):
        """Dice of their own for another purpose."""
        return Dice(self._random.getrandbits(64))

    def below(self, end):
        """A number from 0 to `end` - 1."""
        drawn = self._random.randrange(end)
        self.draws.append(drawn)
        return drawn

    def between(self, low, high):
        """A number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def chance(self, probability):
        """True that often."""
        return self.below(1_000_000) < probability * 1_000_000

    def seconds(self, low, high):
        """A time between two, to the millisecond."""
        return low + self.below(int((high - low) * 1000) + 1) / 1000

    def pick(self, items):
        """One of a sequence."""
        return items[self.below(len(items))]

    def some(self, items, probability):
        """Each with this probability, in order."""
        return [item for item in items if self.chance(probability)]

    def shuffled(self, items):
        """The same in another order."""
        left, found = list(items), []
        while left:
            found.append(left.pop(self.below(len(left))))
        return found

    def bytes(self, size):
        """Bytes that nobody could guess, but for the seed."""
        drawn = self._random.getrandbits(size * 8)
        self.draws.append(drawn)
        return drawn.to_bytes(size, "big")
