"""What every page works with: the hub, who is signed in, and where things stand right now.

`standing` is the one summary that frame, overview and stations page share; it is made at most once
a second, however many pages ask. A page that changed something calls `changed`, so that the next
one shows it and stations hear of it.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from hub.api.bell import Bell
from hub.services import Hub
from hub.services.starting import Step
from hub.web.sessions import Admissions
from hub.web.standing import Standing, standing_of

FRESH_SECONDS: Final = 1.0


@dataclass(slots=True)
class _Latest:
    """The newest standing, when it was made and at which ring of the bell."""

    standing: Standing | None = None
    progress: Mapping[Step, bool] = field(default_factory=dict)
    made: float = 0.0
    rings: int = -1
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class Desk:
    """See the module.

    `clock` gives monotonic seconds; `certificate_end`: when the certificate ends that stations see,
    None where nobody can say.
    """

    hub: Hub
    bell: Bell
    admissions: Admissions
    clock: Callable[[], float]
    certificate_end: Callable[[], dt.datetime | None] = lambda: None
    _latest: _Latest = field(default_factory=_Latest)

    @property
    def cookie(self) -> str:
        """Name of the session's cookie; cookies do not know ports, so two hubs need two names."""
        return f"tally-{self.hub.hub_id.hex()[:12]}"

    def now(self) -> dt.datetime:
        """The time by the hub's clock, in the plant's zone."""
        return self.hub.office.now()

    def standing(self) -> Standing:
        """Where stations and cases stand; at most a second old."""
        return self._fresh()[0]

    def progress(self) -> Mapping[Step, bool]:
        """Which of the first steps are done; as old as the standing."""
        return self._fresh()[1]

    def _fresh(self) -> tuple[Standing, Mapping[Step, bool]]:
        latest = self._latest
        with latest.lock:
            is_old = self.clock() - latest.made > FRESH_SECONDS
            if latest.standing is None or is_old or latest.rings != self.bell.rings:
                self._look(latest)
            assert latest.standing is not None
            return latest.standing, latest.progress

    def _look(self, latest: _Latest) -> None:
        rings, made = self.bell.rings, self.clock()
        standing, done = standing_of(self.hub, self.certificate_end()), latest.progress
        if not (done and all(done.values())):
            done = dict(self.hub.progress())
            done["cut"] = done["cut"] or bool(standing.silent)
        latest.standing, latest.progress, latest.rings, latest.made = standing, done, rings, made

    def changed(self) -> None:
        """Something was written: wake the stations, and let no page show what was before."""
        self.bell.ring()
