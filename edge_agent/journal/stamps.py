"""A moment as events carry it: RFC 3339 with offset, and milliseconds for the hybrid clock."""

from datetime import datetime


def shown(at: datetime) -> str:
    """The wall clock as people there saw it, to the millisecond, with its offset.

    Raises:
        ValueError: the moment has no offset (a caller's bug).
    """
    if at.tzinfo is None:
        raise ValueError("a moment needs its offset from UTC")
    return at.isoformat(timespec="milliseconds")


def wall_ms(at: datetime) -> int:
    """Milliseconds since 1970 UTC; before 1970 it is 0."""
    return max(0, int(at.timestamp() * 1000))
