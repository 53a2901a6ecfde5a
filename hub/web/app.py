"""The plain port: the integrators' paths as they are, and beside them the console.

Both keep the rule that only this machine's own names are answered (DNS rebinding). What programs
ask for is answered by `hub.api.integrators`, everything else by the pages registered here.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.api.guard import Allowance, Guard
from hub.api.integrators import check_host
from hub.api.problems import problem
from hub.services import Refused, StoreFault
from hub.web.desk import Desk
from hub.web.forms import FORM_BYTES_MAX
from hub.web.gate import HEADERS, Gate
from hub.web.pages import PAGES
from hub.web.rendering import render
from hub.web.wording.refusals import STORAGE, UNREADABLE, quoted, refusal_words

AWAY: Final = ("too_large", "too_slow", "busy")
PASS_BYTES_MAX: Final = 64 * 1024 * 1024
"""Of what is too large: a browser shows no answer before all was sent."""
STATIC: Final = Path(__file__).parent / "static"
FOR_PROGRAMS: Final = ("/v1/", "/epcis/")
FOR_PROGRAMS_EXACTLY: Final = ("/v1", "/healthz", "/metrics", "/openapi.json")


def plain_app(programs: ASGIApp, console: ASGIApp) -> ASGIApp:
    """The app of the plain port: paths for programs to the one, all others to the other."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        is_for_programs = path.startswith(FOR_PROGRAMS) or path in FOR_PROGRAMS_EXACTLY
        await (programs if is_for_programs else console)(scope, receive, send)

    return serve


def console_app(desk: Desk) -> Guard:
    """The console's pages."""
    app = FastAPI(title="Tallystick console", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = desk
    for routes in PAGES:
        app.include_router(routes(desk))
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_middleware(Gate, desk=desk)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(StoreFault, _storage)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(Exception, _broken)
    return Guard(
        app,
        allow=_allowance,
        turn_away=partial(_turned_away, app),
        pass_bytes_max=PASS_BYTES_MAX,
    )


def _allowance(scope: Scope) -> Allowance:
    check_host(scope)
    return Allowance(bytes_max=FORM_BYTES_MAX)


def _turned_away(app: FastAPI, scope: Scope, code: str, what: str) -> Response:
    """A page for what never came as far as the pages: a form too large, too slow, too many."""
    plain = problem(code, what)
    if code not in AWAY:  # nobody who came by a foreign name is shown a page
        return plain
    request = Request({**scope, "app": app})
    page = _bare(
        request,
        "away.html",
        status=plain.status_code,
        words=f"away.{code}",
        kib=FORM_BYTES_MAX // 1024,
    )
    page.headers.update(HEADERS)
    page.headers["Cache-Control"] = "no-store"
    return page


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    status = 404 if error.code.startswith("unknown_") else 409
    return render(request, "refused.html", status=status, words=refusal_words(error))


def _storage(request: Request, error: Exception) -> Response:
    assert isinstance(error, StoreFault)
    return _bare(request, "refused.html", status=503, words=quoted(STORAGE, error.words))


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return render(request, "nothing.html", status=error.status_code)


def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = "; ".join(f"{item['loc'][-1]}: {item['msg']}" for item in error.errors()[:10])
    return render(request, "refused.html", status=400, words=quoted(UNREADABLE, found))


def _broken(request: Request, _: Exception) -> Response:
    """The trace goes to the hub's log (`hub.api.guard`), never to a page."""
    return _bare(request, "broken.html", status=500)


def _bare(request: Request, name: str, *, status: int, **values: object) -> Response:
    """A page whose frame asks the store for nothing: it may be what is broken."""
    request.state.signed_in = None
    return render(request, name, status=status, **values)
