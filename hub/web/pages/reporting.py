"""The trace report to print, and the trace as files whose names say as of when.

The JSON is that of `/v1/trace`; the sheet is `hub.web.sheets`.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from hub.web.desk import Desk
from hub.web.moments import checks, sentence
from hub.web.rendering import render
from hub.web.sheets import sheet
from hub.web.ways import Code, Way

_EXCEPTIONS: Final = (
    "hold.placed", "hold.released", "step.skipped", "refusal.shown", "action.undone",
    "label.scrapped", "decision.made",
)  # fmt: skip
_SLUG: Final = re.compile(r"[^A-Za-z0-9._-]+")


def routes(desk: Desk) -> APIRouter:
    """`/trace/report` and the downloads beside it."""
    router = APIRouter()

    @router.get("/trace/report")
    def report(request: Request, code: Code) -> Response:
        found = desk.hub.report(code)
        if not found["is_known"]:
            return render(request, "trace_unknown.html", status=404, way=Way(code), found=found)
        shown = found["code"]
        return render(
            request,
            "report.html",
            code=shown,
            found=found,
            is_lot=any(state["sort"] == "lot" for state in found["selves"]),
            groups=[group for group in found["groups"] if group["side"] == "went_into"],
            exceptions=[one for one in found["moments"] if _is_exception(one)],
            products_of=_products_of,
            stamp=partial(_stamp, zone=desk.now().tzinfo),
            sentence=sentence,
            checks=checks,
            address=_verify_address(request, shown) if desk.hub.verify(shown) else "",
        )

    @router.get("/trace/verify.svg")
    def verify_sign(request: Request, code: Code) -> Response:
        sign = _sign(_verify_address(request, code)) if desk.hub.verify(code.strip()) else None
        if sign is None:
            raise HTTPException(404)
        return Response(sign, media_type="image/svg+xml")

    @router.get("/trace/trace.json")
    def as_json(code: Code) -> Response:
        """As integrators read it at /v1/trace."""
        found = desk.hub.trace(code.strip())
        content = json.dumps(found, ensure_ascii=False, indent=1).encode()
        return _download(desk, code, "json", "application/json", content)

    @router.get("/trace/trace.csv")
    def as_csv(code: Code) -> Response:
        found = desk.hub.trace(code.strip())
        # With a byte order mark: spreadsheets take UTF-8 for something else without it.
        content = sheet(found).encode("utf-8-sig")
        return _download(desk, code, "csv", "text/csv; charset=utf-8", content)

    return router


def _is_exception(moment: Mapping[str, Any]) -> bool:
    """Holds and the decisions that lift them, what was let pass or skipped, and taken back."""
    return (
        moment["type"] in _EXCEPTIONS
        or bool(moment["facts"].get("provisional"))
        or bool(moment["ended"])
    )


def _stamp(value: str, zone: dt.tzinfo | None) -> str:
    """A time on paper: date, time and offset at the plant; unreadable text as it is."""
    try:
        at = dt.datetime.fromisoformat(value).astimezone(zone)
    except (ValueError, OverflowError):
        return value
    return f"{at:%Y-%m-%d %H:%M:%S} {at:%z}"


def _products_of(group: Mapping[str, Any]) -> str:
    """The product of a group's members in brackets, where those opened agree on one."""
    found = {member["product"] for member in group["members"]}
    return f" ({found.pop()})" if len(found) == 1 and "" not in found else ""


def _download(desk: Desk, code: str, ending: str, media_type: str, content: bytes) -> Response:
    """A file whose name says what it holds and as of when."""
    slug = _SLUG.sub("_", code.strip())[:60].strip("_.") or "code"
    name = f"trace-{slug}-as-of-{desk.now():%Y%m%dT%H%M%S}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


def _verify_address(request: Request, code: str) -> str:
    return f"{str(request.base_url).rstrip('/')}/v/{quote(code.strip(), safe='')}"


def _sign(text: str) -> str | None:
    """The text as a QR code (ISO/IEC 18004), in SVG; None for a text that is too long for one."""
    import zxingcpp

    try:
        made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    except ValueError:
        return None
    drawn: str = zxingcpp.write_barcode_to_svg(made)
    return drawn
