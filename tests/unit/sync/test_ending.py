"""What a station talks with cannot keep it from ending."""

import threading

from edge_agent.sync.ending import end_together


def test_who_never_answers_is_left_behind():
    released, left, ended = threading.Event(), threading.Event(), threading.Event()

    def never():
        released.wait()
        left.set()

    end_together(0.01, never, ended.set)
    assert ended.wait(10)
    assert not left.is_set()
    released.set()
    assert left.wait(10)


def test_all_are_told_before_any_is_waited_for():
    met = threading.Barrier(3)
    end_together(10, met.wait, met.wait, met.wait)
    assert not met.broken
