"""Determinism: while a core runs in the simulation, nobody looks at a clock or throws dice.

`guarded` watches every call into C of the running thread by a profile function: also one of a
library, however it was imported. It is slow, so a few seeds run under it, and all seeds are held
by their hashes.
"""

import gc
import random
import sys
from contextlib import contextmanager

FORBIDDEN = frozenset(
    (
        ("time", "time"),
        ("time", "time_ns"),
        ("time", "monotonic"),
        ("time", "sleep"),
        ("time", "perf_counter"),
        ("posix", "urandom"),
        ("posix", "getrandom"),
        ("_thread", "start_new_thread"),
        ("_thread", "start_joinable_thread"),
    )
)
CLASS_CALLS = frozenset(("datetime.now", "datetime.utcnow", "datetime.today", "date.today"))

ALLOWED = "/sqlite_utils/"
"""Whose calls mean nothing here: it notes when a schema was made, and names savepoints."""


class ForbiddenCall(BaseException):
    """A core asked the machine for time, chance or a thread."""


def _look(frame, event, called):
    if event != "c_call":
        return
    name = getattr(called, "__name__", "")
    owner = getattr(called, "__self__", None)
    where = (getattr(called, "__module__", None) or getattr(owner, "__name__", ""), name)
    is_shared_dice = owner is random._inst
    is_hit = where in FORBIDDEN or getattr(called, "__qualname__", "") in CLASS_CALLS
    if (is_hit or is_shared_dice) and not _is_allowed(frame):
        sys.setprofile(None)
        place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        raise ForbiddenCall(f"{called!r} was called in {place}")


def _is_allowed(frame):
    while frame is not None:
        if ALLOWED in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


@contextmanager
def guarded():
    """Let no such call pass.

    Raises:
        ForbiddenCall: naming the call and its line.
    """
    before = sys.getprofile()
    # What a test tool hung on the collector (hypothesis times it) is not the cores' doing.
    watchers, gc.callbacks[:] = gc.callbacks[:], []
    sys.setprofile(_look)
    try:
        yield
    finally:
        sys.setprofile(before)
        gc.callbacks[:] = watchers
