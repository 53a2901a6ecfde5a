"""The public page that tells whether a code is one of this plant's.

No session, no script, nothing of the inside (`hub.services.verifying` says what that is). Unknown
and malformed codes get the same bytes. Asking is limited by address and in all, so that nobody can
count through the codes quickly.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from hub.services.verifying import Verified
from hub.web.desk import Desk
from hub.web.pages.entering import YEAR_SECONDS
from hub.web.rendering import LANGUAGE_COOKIE, render
from hub.web.wording import LANGUAGES

PER_ADDRESS: Final = 30
IN_ALL: Final = 300
SECONDS: Final = 60.0
ADDRESSES_MAX: Final = 10_000
_ALL: Final = ""


def routes(desk: Desk) -> APIRouter:
    """`/v/{code}`, and a product's GS1 Digital Link `/01/{gtin}/21/{serial}`."""
    router = APIRouter()
    turnstile = Turnstile(desk.clock)

    def answer(request: Request, code: str, gtin: str | None = None) -> Response:
        spoken = request.query_params.get("in")
        if spoken in LANGUAGES:
            # The links say no code, so that every page that found nothing has the same bytes.
            turned = RedirectResponse(quote(request.url.path), 303)
            turned.set_cookie(LANGUAGE_COOKIE, spoken, max_age=YEAR_SECONDS, samesite="strict")
            return turned
        address = request.client.host if request.client else "?"
        if not turnstile.lets_in(address):
            later = render(request, "verify_later.html", status=429)
            later.headers["Retry-After"] = str(round(SECONDS))
            return later
        found = desk.hub.verify(code, gtin)
        return _shown(request, found)

    @router.get("/v/{code:path}")
    def by_code(request: Request, code: str) -> Response:
        return answer(request, code)

    @router.get("/01/{gtin}/21/{serial:path}")
    def by_link(request: Request, gtin: str, serial: str) -> Response:
        return answer(request, serial, gtin)

    return router


def _shown(request: Request, found: Verified | None) -> Response:
    if found is None:
        return render(request, "verify.html", status=404, found=None)
    return render(request, "verify.html", found=found)


@dataclass(slots=True)
class Turnstile:
    """How often one address, and all together, may ask within `SECONDS`. Thread-safe.

    Addresses are forgotten when they have not asked for that long; of too many, the oldest goes.
    """

    clock: Callable[[], float]
    _asked: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lets_in(self, address: str) -> bool:
        """Count one question; whether it may be answered."""
        with self._lock:
            now = self.clock()
            is_free = self._has_room(address, PER_ADDRESS, now) and self._has_room(
                _ALL, IN_ALL, now
            )
            if is_free:
                self._asked[address].append(now)
                self._asked[_ALL].append(now)
            return is_free

    def _has_room(self, address: str, limit: int, now: float) -> bool:
        times = self._asked.setdefault(address, deque())
        self._asked.move_to_end(address)
        while times and now - times[0] >= SECONDS:
            times.popleft()
        while len(self._asked) > ADDRESSES_MAX:
            self._asked.popitem(last=False)
        return len(times) < limit
