"""Pictures of the docs: in both languages, small, and asking nobody for anything."""

import re

import pytest

from tests.support import tidiness

PICTURES = sorted((tidiness.ROOT / "docs" / "pictures").iterdir())
BYTES_MAX = 200_000


def test_every_picture_is_there_in_both_languages():
    names = {
        language: {path.name for path in PICTURES if f"-{language}." in path.name}
        for language in ("en", "zh")
    }
    assert names["en"]
    assert {name.replace("-en.", "-zh.") for name in names["en"]} == names["zh"]
    assert len(names["en"]) * 2 == len(PICTURES)


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_a_picture_is_small_and_fetches_nothing(path):
    content = path.read_bytes()
    assert len(content) <= BYTES_MAX
    if path.suffix == ".svg":
        asked = re.findall(
            rb"https?://[^\"'\s]+", content.replace(b"http://www.w3.org/2000/svg", b"")
        )
        assert asked == []
        assert b"<script" not in content
        assert b"url(" not in content
    else:
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
