"""The fields of a posted form, and whether the post came from one of the console's own pages.

Pages take no files and nothing but url-encoded fields. The body was read whole under a cap by
`hub.api.guard` before anything here looks at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import Headers

FORM_TYPE: Final = "application/x-www-form-urlencoded"
FORM_BYTES_MAX: Final = 128 * 1024
FIELDS_MAX: Final = 2000
TOKEN_FIELD: Final = "csrf"  # noqa: S105  (the name of the field)


class FormError(Exception):
    """The body is no form; the message says what it is instead."""


@dataclass(frozen=True, slots=True)
class Form:
    """Fields in the order of the form; a name may stand several times."""

    fields: tuple[tuple[str, str], ...] = ()

    def text(self, name: str, default: str = "") -> str:
        """The first field of this name."""
        return next((value for key, value in self.fields if key == name), default)

    def all(self, name: str) -> list[str]:
        """All fields of this name."""
        return [value for key, value in self.fields if key == name]

    def without(self, name: str) -> Form:
        """The same without a field."""
        return Form(tuple(pair for pair in self.fields if pair[0] != name))


def read_form(headers: Headers, body: bytes) -> Form:
    """The fields of a body.

    Raises:
        FormError: another media type, no UTF-8, too many fields.
    """
    found = headers.get("content-type", "").partition(";")[0].strip().lower()
    if found != FORM_TYPE and (body or found):
        raise FormError(f"Expected a form ({FORM_TYPE}), got {found[:60] or 'no type'!r}.")
    try:
        # Browsers send each new line as CR LF; services and pages know one sign for it.
        text = body.decode("utf-8").replace("%0D%0A", "%0A")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError as error:
        raise FormError(f"The form cannot be read: {error}.") from error
    return Form(tuple(pairs))


def is_from_here(headers: Mapping[str, str]) -> bool:
    """Whether the browser says that one of this hub's own pages posted this.

    `Origin` must name this host; where a page asks for no referrer the browser sends `null` there,
    and `Sec-Fetch-Site` decides (Fetch Standard, 3.2 Origin header; Fetch Metadata, 2.3).
    """
    site = headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = headers.get("origin")
    if origin is None or origin == "null":
        return site == "same-origin"
    there = urlsplit(origin)
    return there.scheme == "http" and there.netloc.lower() == headers.get("host", "").lower()
