"""Texts of `hub.web.pages.conflicts`."""

from typing import Final

ENGLISH: Final[dict[str, str]] = {}
CHINESE: Final[dict[str, str]] = {}
