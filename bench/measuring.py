"""How a number is measured here: interleaved rounds, medians, ratios within one round.

Absolute times of a shared machine say nothing: a disk that syncs in 90 µs may take 4 ms for the
next seconds. So everything that is compared runs in slices next to each other, a ratio is made
inside each round, and what is shown is the median of the rounds with the smallest and the largest.
"""

from __future__ import annotations

import gc
import math
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import msgspec

T = TypeVar("T")


class TooMuchAskedError(ValueError):
    """A size that the benchmark's plant cannot give; the words say both numbers."""


class Spread(msgspec.Struct, frozen=True):
    """Median of the rounds, with the smallest and the largest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of one value a round; at least one."""
        return cls(statistics.median(values), min(values), max(values))

    @classmethod
    def of_ratios(cls, above: Sequence[float], below: Sequence[float]) -> Spread:
        """The spread of the ratios, each made inside its own round."""
        return cls.of([one / other for one, other in zip(above, below, strict=True)])


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least `share` of all do not exceed (nearest rank)."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def rate(count: int, work: Callable[[], object]) -> float:
    """`count` things a second, garbage collected before and not charged."""
    gc.collect()
    return count / seconds(work)


def side_by_side(rounds: int, *works: Callable[[], T]) -> list[list[T]]:
    """Run each work once a round, in another order each round.

    Returns:
        For each work its results, one a round.
    """
    found: list[list[T]] = [[] for _ in works]
    for turn in range(rounds):
        for step in range(len(works)):
            at = (turn + step) % len(works)
            found[at].append(works[at]())
    return found


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of `size`, the last one shorter."""
    source = iter(items)
    while found := list(islice(source, size)):
        yield found


def together(works: Sequence[Callable[[], None]]) -> None:
    """Run all at once, a thread each, and wait; the first fault is raised."""
    faults: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as fault:  # noqa: BLE001  (raised again by the starter below)
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


def sliced(count: int, size: int, *works: Callable[[], float]) -> list[list[float]]:
    """Call each work `count` times, in alternating slices of `size`; the samples of each.

    A work gives its own sample, so that it can prepare what is not to be timed. The garbage
    collector looks only at what the works make: one process holds here what a plant keeps in many.
    """
    samples: list[list[float]] = [[] for _ in works]
    gc.collect()
    gc.freeze()
    for start in range(0, count, size):
        for taken, work in zip(samples, works, strict=True):
            taken.extend(work() for _ in range(min(size, count - start)))
    gc.unfreeze()
    return samples
