"""Schemes and blocks: what is left where."""

from __future__ import annotations

from fastapi import APIRouter

from hub.web.desk import Desk


def routes(_desk: Desk) -> APIRouter:
    """None yet."""
    return APIRouter()
