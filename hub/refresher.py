"""The thread that makes a ledger of an older program anew while the hub serves.

What it does is `hub.services.refreshing`; here is when: as long as stations are given between its
steps as these took.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from hub.services import refreshing
from hub.services.office import Office

_log = logging.getLogger("tally.hub.refresher")


class Refresher:
    """Begins when the doors are open; ends by itself, or when the hub stops."""

    def __init__(self, office: Office, warn: Callable[[str], None]) -> None:
        self._office = office
        self._warn = warn
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="refresher", daemon=True)

    def start(self) -> None:
        """Begin, if there is anything to do."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step under way; what was made is made again at the next start."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _work(self) -> None:
        try:
            if refreshing.is_due(self._office):
                self._refresh()
        except Exception as error:  # noqa: BLE001  (the hub serves on with the ledger that it has)
            _log.exception("The ledger could not be made anew.")
            self._warn(
                f"The ledger was made by an older version and could not be made anew: {error}. "
                f"Everything is stored; pages may lack what newer versions show. Stop the hub, "
                f"then: tally hub rebuild DIR"
            )

    def _refresh(self) -> None:
        fresh = refreshing.begin(self._office)
        while not self._stopping.is_set() and refreshing.is_due(self._office):
            began = time.monotonic()
            if not refreshing.step(self._office, fresh):
                events = refreshing.take_over(self._office, fresh)
                _log.info("The ledger was made anew from %d events.", events)
                return
            self._stopping.wait(time.monotonic() - began)
