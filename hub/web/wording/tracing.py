"""Texts of `hub.web.pages.tracing`."""

from typing import Final

ENGLISH: Final[dict[str, str]] = {}
CHINESE: Final[dict[str, str]] = {}
