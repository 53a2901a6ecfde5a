"""Ending several threads at once, within one moment for all of them.

A thread that waits for a computer that does not answer cannot be woken; it holds nothing that
anybody needs, is left behind, and ends with the program. What was not sent is in the journal.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def end_together(seconds: float, *ends: Callable[[], object]) -> None:
    """Call all of these at the same time, and wait for them no longer than `seconds`."""
    threads = [threading.Thread(target=end, name="ending", daemon=True) for end in ends]
    for thread in threads:
        thread.start()
    until = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
