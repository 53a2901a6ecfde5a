"""The wire's own message types in /openapi.json.

Handlers read bytes, so FastAPI cannot see these types by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from fastapi import FastAPI

from tally.wire import messages as m
from tally.wire import protocol as p

_BODIES: Final[Mapping[str, tuple[type[m.Message] | None, type[m.Message]]]] = {
    p.ENROLL: (m.EnrollRequest, m.EnrollAnswer),
    p.SESSION: (m.SessionRequest, m.Challenge),
    p.SESSION_ANSWER: (m.SessionAnswer, m.SessionGrant),
    p.HELLO: (m.Hello, m.HelloAnswer),
    p.LEASES: (m.LeaseRequest, m.LeaseAnswer),
    p.TIME: (None, m.HubTime),
    p.NEWS: (None, m.News),
    p.JOURNALS + "/{journal}/records": (None, m.Taken),
    p.JOURNALS + "/{journal}/seals": (None, m.Taken),
}


def describe(app: FastAPI) -> None:
    """Put the wire's own types into /openapi.json, since handlers read bytes."""
    plain = app.openapi
    types = sorted(
        {item for pair in _BODIES.values() for item in pair if item}, key=lambda item: item.__name__
    )
    schemas, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    reference = dict(zip(types, schemas, strict=True))

    def content(item: type[m.Message]) -> dict[str, Any]:
        return {"content": {p.JSON_TYPE: {"schema": reference[item]}}}

    def openapi() -> dict[str, Any]:
        document = plain()
        document.setdefault("components", {}).setdefault("schemas", {}).update(components)
        for path, (request, answer) in _BODIES.items():
            for method, operation in document["paths"][path].items():
                if method != "get" or request is None:
                    operation["responses"]["200"].update(content(answer))
                if request is not None:
                    operation["requestBody"] = {"required": True, **content(request)}
                elif method == "put":
                    raw = {"schema": {"type": "string", "format": "binary"}}
                    operation["requestBody"] = {"content": {p.SEGMENT_TYPE: raw}}
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents
