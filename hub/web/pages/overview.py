"""The first page: what a newcomer tries first, then what needs somebody.

"Start here" ticks itself from what really happened at the plant; it steps aside once all is done
and stays at `/start`.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from hub.services.starting import STEPS
from hub.web.desk import Desk
from hub.web.rendering import render
from hub.web.times import moment


def routes(desk: Desk) -> APIRouter:
    """`/` and `/start`."""
    router = APIRouter()

    @router.get("/")
    def overview(request: Request) -> Response:
        done = desk.progress()
        return _page(request, desk, shows_steps=not all(done.values()))

    @router.get("/start")
    def start(request: Request) -> Response:
        return _page(request, desk, shows_steps=True)

    return router


def _page(request: Request, desk: Desk, *, shows_steps: bool) -> Response:
    done = desk.progress()
    steps = [(step, done[step]) for step in STEPS]
    waiting = [row for row in desk.hub.inbox() if row["status"] != "decided"]
    return render(
        request,
        "overview.html",
        shows_steps=shows_steps,
        waiting=waiting,
        oldest=min((row["since"] for row in waiting), key=moment, default=None),
        steps=steps,
        count=sum(done.values()),
    )
