"""The page of event types says what the code says."""

from pathlib import Path

from tally.commands.events_page import events_page
from tally.events.registry import TYPES

PAGE = Path(__file__).parents[3] / "docs" / "events.md"


def test_page_of_event_types_is_that_of_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == events_page(), "Run `make docs` and commit the page."


def test_every_type_has_a_section_and_its_claims() -> None:
    page = events_page()
    assert all(f"## `{name}`" in page for name in TYPES)
    assert "ONE `in:<ns/child>` → parent, slot (where `tracking` is `serial`)" in page
