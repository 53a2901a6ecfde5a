"""The inbox of conflicts and the page of one case.

A case's page is made of two forms: one asks what an answer would do (a link that can be read again
and again), the other does it. The second carries what the person saw, so that the services can
refuse an answer to something else (`hub.services.previewing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from hub.services import Refused
from hub.services.casestory import SCAN
from hub.services.deciding import REASON_CHARACTERS_MAX
from hub.services.previewing import UNWRITTEN, Answer
from hub.web.desk import Desk
from hub.web.effects import effects_of
from hub.web.forms import Form
from hub.web.gate import form_of, signed_in
from hub.web.pages.live import case_mark
from hub.web.rendering import page_of, render
from hub.web.wording.refusals import refusal_words

ROWS_MAX: Final = 500
SELECTED_MAX: Final = 100
GONE: Final = -1
"""Stands for the number of new events where the case is none any more."""
Show: TypeAlias = Literal["open", "decided", "all"]
Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Written:
    """What somebody wrote before the page is shown once more, and why it is.

    `notice`: a key of the wording; `count`: new events; `words`: a refusal of the services.
    """

    reason: str = ""
    notice: str = ""
    count: int = 0
    words: Mapping[str, str] | str = ""


def routes(desk: Desk) -> APIRouter:
    """`/conflicts`, `/conflicts/look`, `/conflicts/{case}` and what its page asks for."""
    router = APIRouter(prefix="/conflicts")

    @router.get("")
    def inbox(request: Request, show: Show = "open") -> Response:
        return _inbox(request, desk, show)

    @router.get("/look")
    def look(request: Request, case: Annotated[tuple[str, ...], Query()] = ()) -> Response:
        """A list to print for whoever walks: what to scan where, for the cases selected."""
        found = (_file(desk, one) for one in case[:SELECTED_MAX])
        return render(request, "conflicts_look.html", files=[file for file in found if file])

    @router.get("/{case}")
    def show_case(request: Request, case: str, keep: str = SCAN, key: str = "") -> Response:
        return _case(request, desk, key or case, keep)

    @router.get("/{case}/preview")
    def preview(request: Request, case: str, keep: str = SCAN, key: str = "") -> Response:
        """The part of the page that tells what an answer would do."""
        file = desk.hub.case_file(key or case)
        return render(request, "case_preview.html", **_preview(request, desk, file, keep))

    @router.get("/{case}/fresh")
    def fresh(
        request: Request, case: str, mark: str, keep: str, new: int = 0, key: str = ""
    ) -> Response:
        """Asked for every two seconds: whether the page, which said `new`, still shows all."""
        try:
            count = desk.hub.new_events(key or case, mark)
        except Refused as refused:
            if refused.code != "unknown_case":
                raise
            count = GONE
        if count == new:
            return Response(status_code=204)
        return render(request, "case_apply.html", file={"id": case}, keep=keep, new=count)

    @router.post("/{case}/reread")
    def reread(request: Request, case: str) -> Response:
        form = form_of(request)
        written = _Written(form.text("reason"), "conflicts.reread_done")
        return _case(request, desk, form.text("key", case), form.text("keep", SCAN), written)

    @router.post("/{case}")
    def answer(request: Request, case: str) -> Response:
        form = form_of(request)
        key = form.text("key", case)
        refused = _settle(request, desk, key, form)
        if refused is None:
            desk.changed()
            return RedirectResponse(address_of(desk.hub.case_file(key), done=True), 303)
        written, status = refused
        return _case(request, desk, key, form.text("keep", SCAN), written, status)

    return router


def address_of(row: Mapping[str, Any], *, done: bool = False) -> str:
    """Where a case's page is; with its key where two cases share a short id."""
    query = {"key": row["key"]} if row["is_twin"] else {}
    query |= {"done": "1"} if done else {}
    return f"/conflicts/{quote(row['id'])}" + (f"?{urlencode(query)}" if query else "")


# --- the inbox ----------------------------------------------------------------------------------


def _inbox(request: Request, desk: Desk, show: Show) -> Response:
    rows = desk.hub.inbox()
    chosen = [row for row in rows if show in {"all", _heading(row)}]
    marks = {case["key"]: case_mark(case) for case in desk.hub.show("cases")}
    left_out = {row["key"] for row in rows} - {row["key"] for row in chosen[:ROWS_MAX]}
    return render(
        request,
        "conflicts.html",
        rows=chosen[:ROWS_MAX],
        more=len(chosen) - len(chosen[:ROWS_MAX]),
        decided=sum(row["status"] == "decided" for row in rows),
        show=show,
        marks=marks,
        address=address_of,
        hidden=" ".join(sorted(marks[key] for key in left_out if key in marks)),
    )


def _heading(row: Row) -> Show:
    return "decided" if row["status"] == "decided" else "open"


# --- one case -----------------------------------------------------------------------------------


def _case(
    request: Request,
    desk: Desk,
    case: str,
    keep: str,
    written: _Written | None = None,
    status: int = 200,
) -> Response:
    file = _file(desk, case)
    if file is None:
        return render(request, "case_gone.html", status=404, case=case[:60], written=written)
    return render(
        request,
        "case.html",
        status=status,
        written=written or _Written(),
        is_done="done" in request.query_params,
        reason_max=REASON_CHARACTERS_MAX,
        address=address_of,
        **_preview(request, desk, file, keep),
    )


def _file(desk: Desk, case: str) -> Row | None:
    """A case's file; None if there is none, or no longer: it ended by itself."""
    try:
        return desk.hub.case_file(case)
    except Refused as refused:
        if refused.code != "unknown_case":
            raise
        return None


def _preview(request: Request, desk: Desk, file: Row, keep: str) -> Row:
    """What the template of the preview needs; an answer that the case does not offer is none."""
    offered = {one["keep"] for one in file["answers"]}
    if keep not in offered:
        keep = SCAN if SCAN in offered else ""
    found: Row = {"file": file, "keep": keep, "shown": None, "refusal": "", "effects": (), "new": 0}
    if keep in {SCAN, ""}:
        return found
    try:
        shown = desk.hub.foresee(_answer(file["key"], keep, file["seen"]))
    except Refused as refused:
        return found | {"keep": "", "refusal": refusal_words(refused)}
    sorts = {row["code"]: row["sort"] for row in file["goods"]}
    return found | {"shown": shown, "effects": effects_of(shown, sorts, page_of(request).language)}


def _answer(key: str, keep: str, seen: Row, reason: str = UNWRITTEN) -> Answer:
    return Answer(key, keep, tuple(seen["claims"]), tuple(seen["supersedes"]), reason)


def _settle(request: Request, desk: Desk, case: str, form: Form) -> tuple[_Written, int] | None:
    """Do what the form says; None when it is done, else what to show, and the status."""
    reason = form.text("reason").strip()
    who = signed_in(request)
    badge = who.person.badge if who else None
    if badge is None:
        return _Written(reason, "conflicts.no_badge"), 403
    if form.text("keep") in {SCAN, ""}:
        return _Written(reason, "conflicts.choose"), 400
    if not reason:
        return _Written(reason, "conflicts.reason_needed"), 400
    seen = {"claims": form.all("seen"), "supersedes": form.all("supersedes")}
    answer = _answer(case, form.text("keep"), seen, reason)
    mark = form.text("mark")
    try:
        desk.hub.settle(answer, by=badge, mark=mark, digest=form.text("digest"))
    except Refused as refused:
        if refused.code == "changed":
            return _Written(reason, "conflicts.changed", _count(desk, case, mark)), 409
        if refused.code == "not_allowed":
            return _Written(reason, "conflicts.not_allowed", words=refusal_words(refused)), 403
        return _Written(reason, "conflicts.refused", words=refusal_words(refused)), 400
    return None


def _count(desk: Desk, case: str, mark: str) -> int:
    """New events since the page was made; the goods may have changed by what lies inside them."""
    try:
        return max(1, desk.hub.new_events(case, mark))
    except Refused:
        return 1
