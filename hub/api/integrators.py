"""What other programs of the plant read, on the plain port: loopback only, reads only.

Only who asks for this machine by a name of loopback is answered, so that a foreign page in a
browser here cannot read by pointing a name of its own at 127.0.0.1 (DNS rebinding).

The trace is the same JSON as `tally hub trace --json`; the tables are those of `tally hub <table>
--json`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from fastapi import FastAPI, Path, Query
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse
from starlette.types import Scope

from hub.api.guard import Allowance, Guard
from hub.api.problems import TurnedAway, install
from hub.services import Hub

CODE_CHARACTERS_MAX: Final = 200
_HOST: Final = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?\Z", re.IGNORECASE)

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Tallystick hub</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}
td{padding:.15rem 1.5rem .15rem 0;vertical-align:top}</style></head><body>
<h1>Tallystick hub</h1>
<table>
<tr><td><code>/v1/trace/{code}</code></td><td>Family tree of a unit, box or lot<br>
<span lang="zh">产品、箱或批次的追溯</span></td></tr>
<tr><td><a href="/v1/cases"><code>/v1/cases</code></a></td><td>Cases, open and decided
<span lang="zh">冲突，待裁决与已裁决</span></td></tr>
<tr><td><a href="/v1/lots"><code>/v1/lots</code></a></td><td>Lots
<span lang="zh">批次</span></td></tr>
<tr><td><a href="/v1/work-orders"><code>/v1/work-orders</code></a></td><td>Work orders
<span lang="zh">工单</span></td></tr>
<tr><td><a href="/openapi.json"><code>/openapi.json</code></a></td><td>Description for programs
<span lang="zh">接口说明</span></td></tr>
<tr><td><a href="/healthz"><code>/healthz</code></a></td><td>Whether the hub answers
<span lang="zh">运行状态</span></td></tr>
</table>
<p>Stations connect to the next port up, over TLS; a token from
<code>tally hub enroll-token DIR STATION</code> tells them all they need.<br>
<span lang="zh">工作站通过下一个端口以 TLS 连接；所需信息都在
<code>tally hub enroll-token DIR STATION</code> 生成的令牌中。</span></p>
</body></html>
"""


def integrators_app(hub: Hub) -> Guard:
    """The app of the plain port."""
    app = FastAPI(title="Tallystick hub", version="1", docs_url=None, redoc_url=None)
    install(app)

    @app.get("/v1/", response_class=HTMLResponse)
    def index() -> HTMLResponse:
        """Where what is."""
        return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Whether the hub answers."""
        return {"status": "ok"}

    @app.get("/v1/trace/{code:path}")
    def trace(
        code: Annotated[str, Path(max_length=CODE_CHARACTERS_MAX)],
        direction: Annotated[Literal["up", "down", "both"], Query()] = "both",
    ) -> dict[str, Any]:
        """The family tree of a code: `up` to where it went, `down` to what is in it."""
        return hub.trace(code, direction)

    @app.get("/v1/cases")
    def cases() -> list[dict[str, Any]]:
        """Conflicts that a person has to settle, and those settled."""
        return hub.show("cases")

    @app.get("/v1/lots")
    def lots() -> list[dict[str, Any]]:
        """Lots with their state."""
        return hub.show("lots")

    @app.get("/v1/work-orders")
    def work_orders() -> list[dict[str, Any]]:
        """Released work orders."""
        return hub.show("orders")

    return Guard(app, allow=_allowance)


def check_host(scope: Scope) -> None:
    """Let only those in who ask for this machine by a name of loopback.

    Raises:
        TurnedAway: `other_host`.
    """
    host = Headers(scope=scope).get("host", "localhost")  # HTTP/1.0 names none
    if not _HOST.match(host):
        raise TurnedAway("other_host", f"{host[:100]!r} is no name of this hub's plain port.")


def _allowance(scope: Scope) -> Allowance:
    check_host(scope)
    return Allowance(bytes_max=0)


_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
