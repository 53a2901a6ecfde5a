"""The search box: whatever is scanned or typed there, the page of what it names."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from hub.web.desk import Desk
from hub.web.rendering import render
from hub.web.ways import Code


def routes(desk: Desk) -> APIRouter:
    """`/search`."""
    router = APIRouter()

    @router.get("/search")
    def search(request: Request, q: Code = "") -> Response:
        text = q.strip()
        hits = desk.hub.find(text) if text else []
        addresses = [(hit, _address_of(hit)) for hit in hits]
        orders = [desk.hub.order(hit["id"]) for hit in hits if hit["sort"] == "order"]
        if len(hits) == 1 and not orders:
            return RedirectResponse(addresses[0][1], 303)
        if not hits:
            return RedirectResponse(f"/trace?{urlencode({'code': text})}", 303)
        return render(request, "search.html", text=text, hits=addresses, orders=orders)

    return router


def _address_of(hit: Mapping[str, str]) -> str:
    name = quote(hit["id"], safe="")
    match hit["sort"]:
        case "case":
            return f"/conflicts/{name}"
        case "station":
            return "/stations"
        case _:
            return f"/trace?code={name}"
