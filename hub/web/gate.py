"""Who comes in, for every request of the console, before a page is made.

Rules:
1. Without a session only the pages of `PUBLIC` are shown; everything else says how to sign in.
2. A post is done only if it came from one of our own pages, inside the session that made its form.
   What was written in a form that is turned away is shown again, so that nothing is lost.
3. Every answer carries the security headers, pages are never kept by the browser.

Pages find the session by `signed_in` and the form by `form_of`.
"""

from __future__ import annotations

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.web.desk import Desk
from hub.web.forms import TOKEN_FIELD, Form, FormError, is_from_here, read_form
from hub.web.rendering import render
from hub.web.sessions import SignedIn
from hub.web.wording.refusals import UNREADABLE, quoted

PUBLIC: Final = ("/in/", "/static/", "/language/", "/v/", "/01/")
"""Beginnings of paths that need no session; their own modules guard them."""
LIVE: Final = "/live"
POLICY: Final = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Gate:
    """ASGI middleware; see the module."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _with_headers(scope["path"], send)
        request = Request(scope, receive)
        cookie = request.cookies.get(self._desk.cookie)
        request.state.signed_in = self._desk.admissions.who(cookie) if cookie else None
        request.state.form = Form()
        is_post = request.method not in {"GET", "HEAD"}
        body = await request.body() if is_post else b""
        # Pages are made from the store, which would keep the event loop waiting.
        refusal = await run_in_threadpool(_judge, request, body, is_post=is_post)
        if refusal is not None:
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _judge(request: Request, body: bytes, *, is_post: bool) -> Response | None:
    """Why the request is not passed on, as a page; None when it is."""
    if is_post:
        try:
            request.state.form = read_form(request.headers, body)
        except FormError as error:
            return render(request, "refused.html", status=400, words=quoted(UNREADABLE, str(error)))
        if not is_from_here(request.headers):
            return render(request, "foreign.html", status=403)
    if request.url.path.startswith(PUBLIC):
        return None
    return _unless_signed_in(request, is_post=is_post)


def _unless_signed_in(request: Request, *, is_post: bool) -> Response | None:
    who, form = signed_in(request), form_of(request)
    if who is None:
        if request.url.path == LIVE:
            return JSONResponse({"ended": True}, 401)
        written = form.without(TOKEN_FIELD).fields
        return render(request, "ended.html", status=401, written=written)
    if is_post and not who.wrote(form.text(TOKEN_FIELD)):
        written = form.without(TOKEN_FIELD).fields
        return render(request, "again.html", status=403, written=written)
    return None


def signed_in(request: Request) -> SignedIn | None:
    """The session of a request; None only on public pages."""
    found: SignedIn | None = request.state.signed_in
    return found


def form_of(request: Request) -> Form:
    """The posted fields, empty for a GET. They are from our own page and this session."""
    found: Form = request.state.form
    return found


def _with_headers(path: str, send: Send) -> Send:
    keeping = "no-cache" if path.startswith("/static/") else "no-store"

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", keeping)
        await send(message)

    return sending
