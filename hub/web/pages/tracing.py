"""The trace explorer: lanes and life of one code, and its family as one list up or down.

What an address says is `hub.web.ways`; what events say in words is `hub.web.moments`. The printed
report is `reporting`, the search box `searching`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final, get_args

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from hub.web.desk import Desk
from hub.web.moments import checks, sentence
from hub.web.pages import reporting, searching
from hub.web.rendering import render
from hub.web.ways import Way
from tally.trace.lanes import SHOWN_MAX, WALK_MAX, Look
from tally.trace.members import SHARED_MAX, Side

TREE_LINKS_MAX: Final = 2000


def routes(desk: Desk) -> APIRouter:
    """`/trace`, and the pages around it."""
    router = APIRouter()

    @router.get("/trace")
    def trace(request: Request, way: Annotated[Way, Depends()]) -> Response:
        if not way.key:
            return render(request, "trace_ask.html", way=way)
        found = desk.hub.explore(way.key, way.look)
        if found["code"] != way.key:  # a link or a scanner's prefix stood around it
            return RedirectResponse(way.read_as(found["code"]), 303)
        if not found["is_known"]:
            return render(request, "trace_unknown.html", status=404, way=way, found=found)
        desk.hub.note_step("traced")
        if way.direction != "both":
            tree = desk.hub.family(way.key, way.direction, TREE_LINKS_MAX)
            found |= {"tree": tree}
        return render(
            request,
            "trace.html",
            way=way,
            found=found,
            told=desk.hub.tell(way.key),
            lanes=_in_lanes(found, is_built=way.built),
            links=_by_level(found["tree"]) if "tree" in found else [],
            look=Look,
            sentence=sentence,
            checks=checks,
            is_later=partial(_is_later, as_of=way.as_of),
            shown_max=SHOWN_MAX,
            shared_max=SHARED_MAX,
            walk_max=WALK_MAX,
        )

    router.include_router(reporting.routes(desk))
    router.include_router(searching.routes(desk))
    return router


def _of_side(found: Mapping[str, Any], side: Side) -> list[dict[str, Any]]:
    return [group for group in found["groups"] if group["side"] == side]


def _in_lanes(found: Mapping[str, Any], *, is_built: bool) -> dict[str, dict[str, Any]]:
    """Groups and ended members by side; of the parts, those of the unit as built if so asked."""
    lanes = {
        side: {
            "groups": _of_side(found, side),
            "ended": [one for one in found["ended"] if one["side"] == side],
        }
        for side in get_args(Side)
    }
    if is_built:
        parts = lanes["parts"]
        for group in parts["groups"]:
            if any(member["slot"] for member in group["members"]):
                group["members"] = [one for one in group["members"] if one["is_built"]]
        parts["ended"] = [one for one in parts["ended"] if one["is_built"]]
    return lanes


def _by_level(tree: Mapping[str, Any]) -> list[tuple[dict[str, Any], int]]:
    """The links of one direction with the steps from the root, nearest first."""
    levels = {node["code"]: node["level"] for node in tree["nodes"]}
    far = "child" if tree["direction"] == "down" else "parent"
    found = [(link, levels.get(link[far], 0)) for link in tree["links"]]
    return sorted(found, key=lambda one: (one[1], one[0][far]))


def _is_later(at: str, as_of: str) -> bool:
    """Whether a moment came after a link was made; what cannot be read is not marked."""
    try:
        return dt.datetime.fromisoformat(at) > dt.datetime.fromisoformat(as_of)
    except (ValueError, TypeError):
        return False
