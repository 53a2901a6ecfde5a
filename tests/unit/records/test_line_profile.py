"""The strict profile of an event line."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tally.records.line import LINE_BYTES_MAX, LineError, read_strict

OUTSIDE = {
    "twice": b'{"a":1,"a":2}',
    "is not an integer": b'{"a":1.5}',
    "beyond": b'{"a":9007199254740992}',
    "surrogate": b'{"a":"\\ud800"}',
    "nested deeper than 16": b'{"a":' + b"[" * 16 + b"]" * 16 + b"}",
    "not UTF-8 at byte 6": b'{"a":"\xff"}',
    "not a JSON object but list": b"[1]",
    "line break": b'{"a":\n1}',
    "65537 bytes": b'{"a":"' + b"x" * (LINE_BYTES_MAX - 7) + b'"}',
    "empty": b"",
    "not JSON at character": b'{"a":1',
    "number NaN": b'{"a":NaN}',
    "number 1e400": b'{"a":1e400}',
}


@pytest.mark.parametrize(("words", "line"), OUTSIDE.items(), ids=list(OUTSIDE))
def test_line_outside_the_profile_is_refused_saying_where_and_why(words: str, line: bytes) -> None:
    with pytest.raises(LineError, match=words):
        read_strict(line)


def test_deepest_and_largest_allowed_are_read() -> None:
    assert read_strict(b'{"a":' + b"[" * 15 + b"]" * 15 + b"}")
    assert read_strict(b'{"a":9007199254740991,"b":-9007199254740991}')
    assert read_strict(b'{"a":"' + b"x" * (LINE_BYTES_MAX - 8) + b'"}')


def test_brackets_inside_strings_are_not_depth() -> None:
    text = "[{" * 40 + '"' + "\\"
    assert read_strict(json.dumps({"a": text}).encode()) == {"a": text}


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), values, max_size=4))
def test_whatever_is_written_inside_the_profile_is_read_back(value: dict[str, object]) -> None:
    assert read_strict(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_words(raw: bytes) -> None:
    with suppress(LineError):
        read_strict(raw)
