"""Rows of an export: one line of a hostile station must not spoil the file for every reader."""

import json

import pytest

from tally.events.decoding import write_line
from tally.events.types import OperatorSignedIn
from tally.records.export import EventRow, b64, event_row, read_row
from tally.records.ids import EventId, JournalId

JOURNAL, EVENT = JournalId(bytes(16)), EventId(bytes(32))
_LINE = b'{"t":"x.y","v":1,"hlc":"000000000001.0000","at":"a","by":"b","b":%s}'


@pytest.mark.parametrize(
    "body",
    [
        b'{"k":"\xff"}',
        b'{"k":"\xed\xa0\x80"}',
        b'{"\x85":1}',
        b'{"k":"\\ud800"}',
        b'{"k":' + b"9" * 5000 + b"}",
        b"[" * 3000 + b"]" * 3000,
    ],
)
def test_body_that_not_every_reader_can_read_is_shown_as_unread(body: bytes) -> None:
    line = _LINE % body
    raw = event_row(JOURNAL, 2, EVENT, line)
    shown = json.loads(raw.decode("utf-8"))
    assert (shown["t"], shown["b"], shown["line"]) == ("?", None, b64(line))
    assert isinstance(read_row(raw), EventRow)


def test_ordinary_line_is_shown_field_by_field() -> None:
    line = write_line(
        OperatorSignedIn("BDG-1107", "操作员"), hlc="000000000001.0000", at="a", by="BDG-1107"
    )
    shown = json.loads(event_row(JOURNAL, 2, EVENT, line))
    assert shown["t"] == "operator.signed_in"
    assert shown["b"] == json.loads(line)["b"]
