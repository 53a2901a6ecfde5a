"""Two admins who decide one case, at two hubs, knowing of each other or not: all that can happen.

A board was bound twice, so two claims stand against each other. Up to four decisions, each by one
of two admins in a feed of their own, each for one claim or for none, each superseding any of those
before it; delivered in any order. What must come of it is computed here from the rule alone
(`decided.md` 20): a decision counts while none supersedes it, and what counts must agree.
"""

import itertools
import os
import sqlite3
from dataclasses import dataclass

import pytest

from tally.ledger.sqlite import SqliteLedger
from tally.merge.decisions import standing_on
from tally.merge.history import Placed
from tally.merge.keys import case_id, key_text
from tally.merge.liveness import is_live
from tests.support.building import SCHEMES, Writing, board, bound, decided, feed, lamp

IS_FULL = os.environ.get("PROVE") == "1"
KEY = key_text("in", (board(902),))
NONE = 2
"""The third choice beside the two claims."""

pytestmark = pytest.mark.timeout(7200 if IS_FULL else 300)


@dataclass(frozen=True)
class Choice:
    """One decision: who, which claim stays (or none), which earlier ones it supersedes."""

    admin: int
    keep: int
    over: tuple


def choices(world):
    """Everything that the decision after these may be.

    Whoever decides first is called the first admin, and what is first kept the first claim.
    """
    number = len(world)
    known = [
        over for size in range(number + 1) for over in itertools.combinations(range(number), size)
    ]
    admins = (0, 1) if world else (0,)
    keeps = (0, 1, NONE) if any(choice.keep != NONE for choice in world) else (0, NONE)
    return [Choice(*one) for one in itertools.product(admins, keeps, known)]


class Case:
    """Two bindings of one board, and the decisions of one world, as events with ids."""

    def __init__(self):
        self.stations = [Writing("S02"), Writing("S03")]
        for station, unit in zip(self.stations, (381, 405), strict=True):
            station.add(bound(board(902), lamp(unit)))
        self.claims = [station.ref(2) for station in self.stations]
        self.feeds = [feed("decisions"), feed("decisions of the other hub")]
        self.world, self.refs, self.seqs = (), [], []

    def decide(self, choice):
        """One more decision."""
        writer = self.feeds[choice.admin]
        keep = "none" if choice.keep == NONE else self.claims[choice.keep]
        retires = [claim for claim in self.claims if claim != keep]
        over = [self.refs[number] for number in choice.over]
        body = decided(case_id(KEY), KEY, keep, retires, self.claims, over)
        self.seqs.append(writer.add(body, by="BDG-3001"))
        self.refs.append(writer.ref(writer.seq))
        self.world = (*self.world, choice)

    def take_back(self):
        """The newest decision was never made."""
        writer = self.feeds[self.world[-1].admin]
        writer.cut(self.seqs.pop() - 1)
        writer.clock_ms -= 1000
        self.refs.pop()
        self.world = self.world[:-1]

    def batches(self):
        """The bindings, and each decision for itself, the first of a feed with its opening."""
        binds = [station.batch() for station in self.stations]
        decisions = []
        for choice, seq in zip(self.world, self.seqs, strict=True):
            writer = self.feeds[choice.admin]
            decisions.append(writer.batch(1 if seq == 2 else seq, seq))
        return binds, decisions


def cases(count, case=None):
    """Every world of so many decisions; the case is the same object, as it then stands."""
    case = case or Case()
    if len(case.world) == count:
        yield case
        return
    for choice in choices(case.world):
        case.decide(choice)
        yield from cases(count, case)
        case.take_back()


@dataclass(frozen=True)
class Expected:
    """What the rule says of some decisions of a world."""

    effective: frozenset
    is_contested: bool
    live: frozenset


def expected(world, arrived):
    """The rule, from the choices alone."""
    gone = {old for number in arrived for old in world[number].over}
    top = [number for number in arrived if number not in gone]
    keeps = {world[number].keep for number in top}
    if len(keeps) != 1:
        return Expected(frozenset(), bool(arrived), frozenset((0, 1)))
    (keep,) = keeps
    return Expected(frozenset(top), False, frozenset(() if keep == NONE else (keep,)))


class Told:
    """The port through which the merge reads, over the events of one case that have arrived."""

    def __init__(self, case, arrived):
        self._lines = {}
        self.claims = [self._place(station, 2) for station in case.stations]
        self.decided = {
            number: self._place(case.feeds[case.world[number].admin], case.seqs[number])
            for number in arrived
        }

    def _place(self, writer, seq):
        at = Placed(writer.id, seq, writer.ids[seq - 1])
        self._lines[at] = writer.events[seq - 1]
        return at

    def line(self, at):
        return self._lines[at]

    def is_feed(self, at):
        return True

    def counts(self, at):
        return True

    def enders(self, at):
        return tuple(self.decided.values()) if at in self.claims else ()

    def decisions(self, key):
        return tuple(self.decided.values())

    def follows(self, later, earlier):
        return later.journal == earlier.journal and later.seq > earlier.seq


def found_by_the_rules(told):
    standing = standing_on(told, KEY)
    numbers = {at: number for number, at in told.decided.items()}
    live = frozenset(number for number, at in enumerate(told.claims) if is_live(told, at))
    effective = frozenset(numbers[at] for at in standing.effective)
    return Expected(effective, standing.is_contested, live)


def orders(count):
    """Orders in which all decisions arrive."""
    every = list(itertools.permutations(range(count)))
    return every if IS_FULL or count < 4 else [every[0], every[-1]]


def check_law(world, found, arrived):
    """What nobody may doubt, whatever the rule of this file says."""
    keeps = {world[number].keep for number in found.effective}
    assert found.live or keeps == {NONE}, "both sides are retired and nobody said so"
    assert len(keeps) <= 1
    newest = max(arrived)
    if set(world[newest].over) >= set(arrived) - {newest}:
        assert found.effective == {newest}, "it saw all others and does not settle"
        assert not found.is_contested


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_44_whatever_two_admins_decide_the_rule_holds_in_every_order(count):
    states = 0
    for case in cases(count):
        for arrived in orders(count):
            found = found_by_the_rules(Told(case, arrived))
            assert found == expected(case.world, arrived), (case.world, arrived)
            check_law(case.world, found, arrived)
            states += 1
    assert states == sum(1 for _ in cases(count)) * len(orders(count))


@pytest.mark.parametrize("count", [2, 3, *([4] if IS_FULL else [])])
def test_whatever_part_of_it_has_arrived_the_rule_holds(count):
    for case in cases(count):
        for size in range(1, count):
            for arrived in itertools.permutations(range(count), size):
                found = found_by_the_rules(Told(case, arrived))
                assert found == expected(case.world, arrived), (case.world, arrived)
                check_law(case.world, found, arrived)


class Shelf:
    """One ledger in memory, emptied between worlds by rolling back."""

    def __init__(self):
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self.ledger = SqliteLedger(self._connection)
        self.ledger.create()
        self.ledger.learn(SCHEMES)

    def filled(self, batches):
        """What the ledger says after these batches, in this order."""
        self._connection.execute("BEGIN")
        for batch in batches:
            self.ledger.absorb(batch)
        said = Said(self.ledger)
        self._connection.execute("ROLLBACK")
        self.ledger.rolled_back()
        return said


class Said:
    """A ledger's answers about the one case."""

    def __init__(self, ledger):
        [self.case] = ledger.cases()
        self.fingerprint = ledger.fingerprint()
        views = [view for view in ledger.every_claim() if view.kind == "in" and view.is_live]
        self.live = {view.place.id for view in views}
        self.effective = {one.ref for one in self.case.decisions if one.is_effective}


def interleavings(binds, decisions, turn):
    """Orders of arrival: of the decisions every one, the bindings before, after, around them."""
    one, other = binds
    for mixed in itertools.permutations(decisions):
        places = [(*binds, *mixed), (*mixed, *binds), (other, *mixed, one)]
        yield from places if IS_FULL else [places[turn % 3]]
        turn += 1


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_ledger_says_the_same_in_every_order_of_arrival(count):
    shelf = Shelf()
    for turn, case in enumerate(cases(count)):
        rule = expected(case.world, tuple(range(count)))
        live = {case.stations[number].ids[1] for number in rule.live}
        seen = set()
        for order in interleavings(*case.batches(), turn):
            said = shelf.filled(order)
            status = "contested" if rule.is_contested else "decided"
            assert said.case.status == status, case.world
            assert said.live == live, case.world
            assert said.effective == {case.refs[number] for number in rule.effective}, case.world
            seen.add(said.fingerprint)
        assert len(seen) == 1, case.world


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_worlds_are_all_there_are(count):
    # First admin fixed; two ways to name the claims are one world unless all keep none.
    keeps = (3**count + 1) // 2
    knowledge = 2 ** (count * (count - 1) // 2)
    worlds = {case.world for case in cases(count)}
    assert len(worlds) == 2 ** (count - 1) * keeps * knowledge
