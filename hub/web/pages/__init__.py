"""The pages, one module each, every one with `routes(desk) -> APIRouter`.

A handler is a plain function: it asks the services of `desk.hub`, and gives `render(request, …)`.
For a post it reads `form_of(request)`, which the gate has judged, does one thing, calls
`desk.changed()` and answers with a redirect (303) to where the result is seen.
"""

from collections.abc import Callable, Sequence
from typing import Final

from fastapi import APIRouter

from hub.web.desk import Desk
from hub.web.pages import (
    codes,
    conflicts,
    entering,
    live,
    overview,
    stations,
    tracing,
    unread,
    verifying,
)

PAGES: Final[Sequence[Callable[[Desk], APIRouter]]] = (
    entering.routes,
    overview.routes,
    stations.routes,
    live.routes,
    conflicts.routes,
    tracing.routes,
    codes.routes,
    verifying.routes,
    unread.routes,
)
