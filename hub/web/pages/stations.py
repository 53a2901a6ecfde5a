"""The stations: who is heard, how old that is, what they say is unsent; silent ones first."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from hub.web.desk import Desk
from hub.web.pages.live import station_mark
from hub.web.rendering import render


def routes(desk: Desk) -> APIRouter:
    """`/stations`."""
    router = APIRouter()

    @router.get("/stations")
    def stations(request: Request) -> Response:
        return render(
            request, "stations.html", stations=desk.standing().stations, mark=station_mark
        )

    return router
