"""The writing operations by name: JSON in, JSON out, for the admin socket and for a hub that is not serving.

`hub.api.admin` offers each as `POST /<operation>` on DIR/admin.sock; `hub.cli` calls `perform` itself
when no hub runs. A refusal is the exception `Refused` on both ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.services.hub import Hub

OPERATIONS: Final = ("enroll-token", "import", "grant", "decide")


def perform(hub: Hub, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Do one of `OPERATIONS`.

    Raises:
        Refused: by the service, or `malformed` for arguments of another shape.
    """
    raise NotImplementedError
