"""Tracing a code: what is in it (`down`), where it went (`up`). Placeholder until the trace lands."""

from __future__ import annotations

from typing import Any, Literal

from hub.services.office import Office


def trace(office: Office, code: str, direction: Literal["up", "down", "both"]) -> dict[str, Any]:
    """See `hub.services.hub.Hub.trace`."""
    raise NotImplementedError
