"""The public page that tells whether a code is one of this plant's."""

from __future__ import annotations

from fastapi import APIRouter

from hub.web.desk import Desk


def routes(_desk: Desk) -> APIRouter:
    """None yet."""
    return APIRouter()
