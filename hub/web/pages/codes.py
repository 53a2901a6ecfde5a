"""Schemes and blocks: what is left where and how long it lasts, what is unexplained, granting."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from hub.services import Refused
from hub.services.stocktaking import UNEXPLAINED_MAX, Stock
from hub.web.desk import Desk
from hub.web.forms import Form
from hub.web.gate import form_of, signed_in
from hub.web.rendering import render
from hub.web.wording.refusals import refusal_words

LOW_SHARE = 0.2
LOW_HOURS = 8.0
VERY_LOW_HOURS = 1.0
_DIGITS_MAX = 16


@dataclass(frozen=True, slots=True)
class Wish:
    """What the form of a grant says. `request`: made with the form, so that a repeated post of it
    is answered with the same block.
    """

    request: str
    station: str = ""
    scheme: str = ""
    count: str = ""

    @classmethod
    def fresh(cls) -> Wish:
        """An empty form."""
        return cls(f"console-{os.urandom(12).hex()}")

    @classmethod
    def read(cls, form: Form) -> Wish:
        """As posted; the count as it was written, for showing it again."""
        return cls(
            form.text("request")[:100],
            form.text("station"),
            form.text("scheme"),
            form.text("count").strip(),
        )

    @property
    def number(self) -> int:
        """The count; 0, which is refused in words, for what is no whole number."""
        is_number = self.count.isascii() and self.count.isdecimal()
        return int(self.count) if is_number and len(self.count) <= _DIGITS_MAX else 0


def routes(desk: Desk) -> APIRouter:
    """`/codes`, and `/codes/grant`."""
    router = APIRouter()
    stock = Stock()

    @router.get("/codes")
    def codes(request: Request) -> Response:
        return _page(request, desk, stock, Wish.fresh())

    @router.post("/codes/grant")
    def grant(request: Request) -> Response:
        who, wish = signed_in(request), Wish.read(form_of(request))
        if who is None or not who.person.may_act:
            return _page(request, desk, stock, wish, refused="role", status=403)
        try:
            journal = desk.hub.journal_of(wish.station)
            granted = desk.hub.lease(journal, wish.request, wish.scheme, wish.number)
        except Refused as refusal:
            return _page(request, desk, stock, wish, refused=refusal_words(refusal), status=409)
        desk.changed()
        return RedirectResponse(f"/codes#{granted.block.block}", 303)

    return router


def _page(
    request: Request,
    desk: Desk,
    stock: Stock,
    wish: Wish,
    *,
    refused: Mapping[str, str] | str = "",
    status: int = 200,
) -> Response:
    blocks = desk.hub.stock(stock)
    return render(
        request,
        "codes.html",
        status=status,
        blocks=blocks,
        schemes=desk.hub.schemes(),
        stations=sorted({row["station"] for row in desk.hub.show("stations")}),
        wish=wish,
        refused=refused,
        level=_level,
        unexplained=[row for row in blocks if row["unexplained"]],
        missing_max=UNEXPLAINED_MAX,
    )


def _level(row: dict[str, float]) -> str:
    """How low a block is: `former`, `over`, `verylow`, `low`, or `fine`."""
    if row["is_former"]:
        return "former"
    if not row["unused"]:
        return "over"
    lasts = row["lasts"]
    if lasts is not None:
        return "verylow" if lasts < VERY_LOW_HOURS else "low" if lasts < LOW_HOURS else "fine"
    return "low" if row["share"] < LOW_SHARE else "fine"
