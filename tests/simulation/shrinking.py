"""Make a failing seed small: fewer kinds of faults, fewer faults, fewer steps, fewer stations.

Every try is a whole run; a try counts when the same oracle objects. The streams of draws are apart
(`dice`), so that a fault left out leaves most of the other work as it was.
"""

from tests.simulation.running import run


def shrink(failure, tell=lambda words: None, tries=200, run=run):
    """The smallest choices found under which the same oracle still objects.

    Args:
        failure: the run to make small.
        tell: told what was reached.
        tries: how many runs at most.
        run: makes a run from a seed and choices.

    Returns:
        The choices as keyword arguments of `run`, and the smallest run.
    """
    search = _Search(failure, tell, tries, run)
    search.fewer_kinds()
    search.fewer_steps()
    search.fewer_faults()
    search.fewer_steps()
    return search.choices, search.best


class _Search:
    def __init__(self, failure, tell, tries, run):
        self.best, self._tell, self._left, self._run = failure, tell, tries, run
        self.choices = {"steps": failure.steps, "kinds": failure.kinds, "skip": frozenset()}

    def _try(self, **changes):
        if self._left <= 0:
            return False
        self._left -= 1
        choices = self.choices | changes
        found = self._run(self.best.seed, **choices)
        if found.oracle != self.best.oracle:
            return False
        self.best, self.choices = found, choices
        kinds, skipped = len(choices["kinds"]), len(choices["skip"])
        self._tell(
            f"{choices['steps']} steps, {kinds} kinds of faults, "
            f"{found.faults - skipped} sudden faults: {found.oracle}"
        )
        return True

    def fewer_kinds(self):
        """Leave out one kind after the other."""
        for kind in self.choices["kinds"]:
            self._try(kinds=tuple(k for k in self.choices["kinds"] if k != kind))

    def fewer_steps(self):
        """Half as long, as often as that works; then a quarter less."""
        for share in (2, 4, 8):
            while self.choices["steps"] > 10:
                less = self.choices["steps"] - max(1, self.choices["steps"] // share)
                if not self._try(steps=less):
                    break

    def fewer_faults(self):
        """Leave out sudden faults: halves, quarters, … single ones (Zeller 2002)."""
        size = max(1, self.best.faults // 2)
        while size:
            for first in range(0, self.best.faults, size):
                more = frozenset(range(first, first + size)) - self.choices["skip"]
                if more:
                    self._try(skip=self.choices["skip"] | more)
            size //= 2
