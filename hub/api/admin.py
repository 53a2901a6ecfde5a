"""The writing operations on DIR/admin.sock, for the hub's own command line on the same machine.

Whoever may open the socket file (mode 0600) may do this: the file system is the authority here.
One path an operation; JSON in, JSON out. The client is `admin_client`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hub.api.bell import Bell
from hub.api.guard import Allowance, Guard
from hub.api.problems import TurnedAway, install
from tally.wire.protocol import JSON_TYPE

Perform = Callable[[str, Mapping[str, Any]], dict[str, Any]]
BODY_BYTES_MAX: Final = 64 * 1024 * 1024
"""Imports carry whole files."""


def admin_app(operations: tuple[str, ...], perform: Perform, bell: Bell) -> Guard:
    """The app; `perform` does one of `operations` and raises `Refused` in words."""
    app = FastAPI(title="Tallystick hub: administration", docs_url=None, redoc_url=None)
    install(app)
    turn = asyncio.Lock()  # one change at a time: the second person sees the first one's result

    @app.post("/{operation}")
    async def do(operation: str, request: Request) -> Response:
        if operation not in operations:
            known = ", ".join(operations)
            raise TurnedAway("not_found", f"No operation {operation[:40]!r}; there are: {known}.")
        arguments = _arguments(await request.body())
        async with turn:
            answer = await run_in_threadpool(perform, operation, arguments)
        bell.ring()
        return Response(msgspec.json.encode(answer), media_type=JSON_TYPE)

    return Guard(app, allow=lambda _scope: Allowance(BODY_BYTES_MAX))


def _arguments(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TurnedAway("unreadable", f"Expected one JSON object: {error}.") from error
