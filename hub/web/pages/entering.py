"""Coming in and going out: the one-use link, who signs in, the language, the way out.

A link is used up by its button, never by being looked at: previews of mail and chat programs only
look. There is no password anywhere.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from hub.web.desk import Desk
from hub.web.forms import Form
from hub.web.gate import form_of
from hub.web.rendering import LANGUAGE_COOKIE, render
from hub.web.sessions import SESSION_SECONDS, LinkState, Person, SignedIn
from hub.web.wording import LANGUAGES

NOBODY = "-"
"""The choice to look only, without a badge."""
YEAR_SECONDS = 365 * 24 * 3600


def routes(desk: Desk) -> APIRouter:
    """`/in/{secret}`, `/out`, `/language/{language}`."""
    router = APIRouter()

    @router.get("/in/{secret}")
    def ask(request: Request, secret: str) -> Response:
        state = desk.admissions.link(secret)
        return _ask(request, desk) if state == "open" else _shut(request, state)

    @router.post("/in/{secret}")
    def enter(request: Request, secret: str) -> Response:
        state = desk.admissions.link(secret)
        if state != "open":
            return _shut(request, state)
        person = _chosen(desk, form_of(request))
        if person is None:
            return _ask(request, desk, is_unanswered=True)
        entered = desk.admissions.enter(secret, person)
        if isinstance(entered, str):  # somebody else was a moment faster
            return _shut(request, entered)
        return _opened(desk, *entered)

    @router.post("/out")
    def leave(request: Request) -> Response:
        desk.admissions.leave(request.cookies.get(desk.cookie, ""))
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(desk.cookie)
        return answer

    @router.get("/language/{language}")
    def speak(language: str, back: str = "/") -> Response:
        answer = RedirectResponse(back if _is_own(back) else "/", 303)
        if language in LANGUAGES:
            answer.set_cookie(
                LANGUAGE_COOKIE, language, max_age=YEAR_SECONDS, httponly=True, samesite="strict"
            )
        return answer

    return router


def _ask(request: Request, desk: Desk, *, is_unanswered: bool = False) -> Response:
    return render(
        request,
        "entering.html",
        people=desk.hub.deciders(),
        nobody=NOBODY,
        is_unanswered=is_unanswered,
    )


def _shut(request: Request, state: LinkState) -> Response:
    return render(request, "link.html", status=410, state=state)


def _chosen(desk: Desk, form: Form) -> Person | None:
    """The person whom the form names; None when it names no one who may sign in."""
    badge = form.text("badge")
    if badge == NOBODY:
        return Person(None)
    for one in desk.hub.deciders():
        if one.badge == badge:
            return Person(one.badge, one.name.en, one.name.zh, one.roles)
    return None


def _opened(desk: Desk, cookie: str, _: SignedIn) -> Response:
    answer = RedirectResponse("/", 303)
    # Not `Secure`: the console is plain HTTP on loopback, and nowhere else.
    answer.set_cookie(
        desk.cookie, cookie, max_age=int(SESSION_SECONDS), httponly=True, samesite="strict"
    )
    return answer


def _is_own(path: str) -> bool:
    """Whether a redirect to this path stays on this hub."""
    return path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
