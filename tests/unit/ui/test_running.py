"""Two threads, one ending: the loop's and the screen's."""

import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from edge_agent.journal.faults import JournalFault, StorageReason
from edge_agent.ui.running import run_screen
from tests.unit.ui.scenes import answered, lamp


class Posting:
    def __init__(self):
        self.left = threading.Event()

    def leave(self):
        self.left.set()


@dataclass
class Opened:
    loop: object
    posting: Posting


class Screen:
    """A screen without a terminal: up until the loop has ended, or until it is left."""

    def __init__(self, posting, *, stays=True, return_code=0):
        self.posting, self.stays, self.shown = posting, stays, []
        self.return_code = return_code
        self.over = threading.Event()
        self.status = None

    def show(self, snapshot):
        self.shown.append(snapshot)

    def ended(self, status):
        self.status = status
        self.over.set()

    def run(self, *, mouse):
        assert not mouse
        if self.stays:
            assert self.over.wait(20)


class Loop:
    def __init__(self, run):
        self.run = run


def play(run, **more):
    posting, screens = Posting(), []

    @contextmanager
    def opening(show):
        yield Opened(Loop(lambda: run(show, posting)), posting)

    def make_app(given):
        screens.append(Screen(given, **more))
        return screens[0]

    return screens, run_screen(opening, make_app)


def test_a_fatal_fault_is_returned_with_its_words():
    def run(show, _posting):
        show(replace(lamp(), band=replace(answered("lock").band, code="J-201"), fatal=True))
        return 1

    (screen,), (status, words) = play(run)
    assert (status, screen.status) == (1, 1)
    assert words.en.startswith("J-201: The station is locked")
    assert words.zh.startswith("J-201: ")
    assert screen.shown


def test_a_screen_that_ends_ends_the_loop():
    def run(_show, posting):
        assert posting.left.wait(20)
        return 0

    _, (status, words) = play(run, stays=False)
    assert (status, words) == (0, None)


def test_a_defect_of_the_screen_is_no_clean_end():
    def run(_show, posting):
        assert posting.left.wait(20)
        return 0

    _, (status, _words) = play(run, stays=False, return_code=1)
    assert status == 1


def test_a_defect_in_the_loop_ends_the_screen_and_is_not_hidden():
    def run(_show, _posting):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        play(run)


def test_a_station_that_cannot_be_opened_draws_nothing():
    @contextmanager
    def opening(_show):
        raise JournalFault(
            "J-103", StorageReason.MISSING, is_retryable=False, words="-", words_zh="-"
        )
        yield

    with pytest.raises(JournalFault):
        run_screen(opening, lambda _: pytest.fail("no screen was to be made"))
