"""What the hub holds and its ledger does not say, one row each, and why."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from hub.services import unread
from hub.web.desk import Desk
from hub.web.rendering import render

ROWS_MAX: Final = 200


def routes(desk: Desk) -> APIRouter:
    """`/unread`."""
    router = APIRouter()

    @router.get("/unread")
    def page(request: Request) -> Response:
        office = desk.hub.office
        found, rows = unread.counts(office), unread.listed(office, ROWS_MAX)
        return render(
            request, "unread.html", found=found, rows=rows, more=max(0, found.total - len(rows))
        )

    return router
