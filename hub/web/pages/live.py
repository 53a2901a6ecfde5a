"""What open pages ask for every two seconds: counters, texts that age, and the rows of lists.

A list is a name with one mark a row. A page carries the marks of the rows that it shows
(`data-row`); its script compares them, says "3 new, press r" and never moves a row by itself.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from hub.web.desk import Desk
from hub.web.rendering import Page, page_of
from hub.web.standing import Standing, StationStanding

ROWS_MAX = 2000


def routes(desk: Desk) -> APIRouter:
    """`/live`."""
    router = APIRouter()

    @router.get("/live")
    def live(request: Request) -> dict[str, Any]:
        page, standing = page_of(request), desk.standing()
        return {
            "at": page.time(standing.at).text,
            "counters": standing.counters,
            "steps": desk.progress(),
            "texts": _texts(page, standing),
            "lists": {
                "conflicts": [case_mark(case) for case in standing.cases][:ROWS_MAX],
                "stations": [station_mark(one) for one in standing.stations][:ROWS_MAX],
            },
        }

    return router


def case_mark(case: Any) -> str:
    """A case's row: it is another one once claims or decisions joined it."""
    return f"{case['id']}:{case['status']}:{len(case['claims'])}:{len(case['decisions'])}"


def station_mark(one: StationStanding) -> str:
    """A station's row: it is another one when its state changed."""
    found = "+".join((*one.troubles, *one.low, *(["gap"] if one.gap else [])))
    return f"{one.station}:{one.state}:{one.histories}:{one.former}:{found}"


def _texts(page: Page, standing: Standing) -> dict[str, str]:
    """Texts that change in place, by the `data-text` of their element."""
    found = {}
    for one in standing.stations:
        if one.heard is not None:
            found[f"heard.{one.station}"] = page.ago(one.heard)
        if one.unsent is not None:
            found[f"unsent.{one.station}"] = str(one.unsent)
    found["complete"] = page.completeness
    return found
