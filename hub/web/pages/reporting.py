"""The trace report to print, and the trace as files whose names say as of when.

The JSON is that of `/v1/trace`; the sheet is `hub.web.sheets`.
"""

from __future__ import annotations

import json
import re
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from hub.services import reporting
from hub.web.desk import Desk
from hub.web.moments import checks, sentence
from hub.web.rendering import render
from hub.web.sheets import sheet
from hub.web.ways import Code, Way
from tally.merge.keys import split_parts

_SLUG: Final = re.compile(r"[^A-Za-z0-9._-]+")


def routes(desk: Desk) -> APIRouter:
    """`/trace/report` and the downloads beside it."""
    router = APIRouter()

    @router.get("/trace/report")
    def report(request: Request, code: Code) -> Response:
        found = reporting.report(desk.hub.office, code)
        if not found["is_known"]:
            return render(request, "trace_unknown.html", status=404, way=Way(code), found=found)
        return render(
            request,
            "report.html",
            found=found,
            groups=[group for group in found["groups"] if group["side"] == "went_into"],
            sentence=sentence,
            checks=checks,
            address=_verify_address(request, code),
        )

    @router.get("/trace/verify.svg")
    def verify_sign(request: Request, code: Code) -> Response:
        return Response(_sign(_verify_address(request, code)), media_type="image/svg+xml")

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


def _download(desk: Desk, code: str, ending: str, media_type: str, content: bytes) -> Response:
    """A file whose name says what it holds and as of when."""
    slug = _SLUG.sub("_", code.strip())[:60].strip("_.") or "code"
    name = f"trace-{slug}-as-of-{desk.now():%Y%m%dT%H%M%S}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


def _verify_address(request: Request, code: str) -> str:
    parts = split_parts(code.strip())
    return f"{str(request.base_url).rstrip('/')}/v/{quote(parts[-1], safe='')}"


def _sign(text: str) -> str:
    """The text as a QR code (ISO/IEC 18004), in SVG."""
    import zxingcpp

    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    drawn: str = zxingcpp.write_barcode_to_svg(made)
    return drawn
