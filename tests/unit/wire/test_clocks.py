"""Four stamps of two clocks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tally.wire.clocks import ClockOffset, offset_of

MS = st.integers(-(10**13), 10**13)
TRIP = st.integers(0, 60_000)


@given(MS, MS, TRIP, TRIP, TRIP)
def test_the_true_offset_is_always_within_what_is_said(asked, offset, there, needed, back):
    received = asked - offset + there
    sent = received + needed
    found = offset_of(asked, received, sent, asked + there + needed + back)
    assert abs(found.offset_ms - offset) <= found.within_ms
    assert found.within_ms <= (there + back) // 2 + 1


@pytest.mark.parametrize(
    ("offset", "within", "wrong", "shown"),
    [
        (0, 4, False, "+0.0 s ± 0.1 s"),
        (2000, 0, False, "+2.0 s ± 0.0 s"),
        (2001, 0, True, "+2.0 s ± 0.0 s"),
        (-3250, 120, True, "-3.2 s ± 0.2 s"),
        (5000, 4000, False, "+5.0 s ± 4.0 s"),
        (-1_791_000_000_000, 300, True, "-1791000000 s ± 0.3 s"),
    ],
)
def test_a_clock_is_wrong_beyond_two_seconds_and_what_is_uncertain(offset, within, wrong, shown):
    clock = ClockOffset(offset, within)
    assert clock.is_wrong is wrong
    assert str(clock) == shown
