"""Bytes to typed events: one judgement, fast or slow."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tally.events.decoding import EventLine, Unread, read_line, read_lines, write_line
from tally.events.registry import NAMES, TYPES
from tally.events.types import ComponentBound, MasterPublished, OperatorSignedIn
from tally.records.line import LINE_BYTES_MAX, LineError
from tests.support.golden import golden

STAMP = {"hlc": "0198f3c2a1b4.0003", "at": "2026-11-20T14:31:07.412+08:00", "by": "BDG-1107"}
LINES = [line for made in golden() for line in made.lines]
BIND = next(line for line in LINES if b"component.bound" in line)


def changed(**fields: object) -> bytes:
    return json.dumps(json.loads(BIND) | fields, separators=(",", ":")).encode()


def test_every_type_is_written_and_read_back_to_the_same_bytes() -> None:
    for line in LINES:
        event = read_line(line)
        assert isinstance(event, EventLine)
        assert event.t == NAMES[type(event.b)]
        seen, salt = event.seen, event.salt
        again = write_line(event.b, hlc=event.hlc, at=event.at, by=event.by, seen=seen, salt=salt)
        assert again == line


def test_types_and_names_are_one_to_one() -> None:
    assert len(NAMES) == len(TYPES)


UNREAD = {
    "unknown_type": changed(t="component.welded"),
    "unknown_version": changed(v=2),
    "malformed": changed(b={"child": "x"}),
}


@pytest.mark.parametrize(("reason", "line"), UNREAD.items(), ids=list(UNREAD))
def test_line_of_a_newer_agent_is_kept_with_a_reason(reason: str, line: bytes) -> None:
    event = read_line(line)
    assert isinstance(event, Unread)
    assert event.reason == reason
    assert event.words


MALFORMED = [
    changed(v=1.0),
    changed(v="1"),
    changed(by=None),
    changed(hlc="0198f3c2a1b4"),
    changed(seen=[0]),
    changed(seen=["S02:7"]),
    changed(seen=[2**53]),
    changed(extra=1),
    changed(b=json.loads(BIND)["b"] | {"extra": 1}),
    changed(b=json.loads(BIND)["b"] | {"quantity": 1.5}),
    BIND.replace(b'"v":1', b'"v":1,"v":1'),
    BIND.replace(b'"slot":', b'"slot":"x","slot":'),
    BIND.replace(b"board", b"\\ud800"),
    BIND[:-1],
    b"",
    b"\xff\xfe",
    b"[" * 60_000,
    b"null",
]


@pytest.mark.parametrize("line", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_line_is_unread_and_never_raises(line: bytes) -> None:
    assert isinstance(read_line(line), Unread)


def test_other_spelling_of_the_same_event_is_read_by_the_slow_path() -> None:
    spaced = json.dumps(json.loads(BIND)).encode()
    assert spaced != BIND
    assert read_line(spaced) == read_line(BIND)


def test_float_hidden_in_free_content_is_found() -> None:
    body = MasterPublished(entity="plan", id="p", version="1", sha256="0", content={"a": "0.5"})
    line = write_line(body, **STAMP)
    assert isinstance(read_line(line), EventLine)
    assert isinstance(read_line(line.replace(b'"0.5"', b"0.5")), Unread)
    with pytest.raises(ValueError, match="decimals are written as strings"):
        write_line(
            MasterPublished(entity="plan", id="p", version="1", sha256="0", content={"a": 0.5}),
            **STAMP,
        )


def test_line_over_64_kib_is_never_built() -> None:
    with pytest.raises(LineError, match=str(LINE_BYTES_MAX)):
        write_line(OperatorSignedIn(badge="x" * LINE_BYTES_MAX, role="operator"), **STAMP)


pool = st.sampled_from([*LINES, *UNREAD.values(), *MALFORMED])


@given(st.lists(pool, max_size=12))
def test_batch_gives_the_same_answers_as_line_by_line(lines: list[bytes]) -> None:
    assert read_lines(lines) == [read_line(line) for line in lines]


@given(st.data())
def test_batch_agrees_after_any_byte_is_changed(data: st.DataObject) -> None:
    line = bytearray(data.draw(st.sampled_from(LINES)))
    line[data.draw(st.integers(0, len(line) - 1))] = data.draw(st.integers(0, 255))
    lines = [LINES[0], bytes(line), LINES[1]]
    assert read_lines(lines) == [read_line(each) for each in lines]


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@given(texts, texts, texts)
def test_any_scanned_text_survives_the_line(child: str, parent: str, raw: str) -> None:
    body = ComponentBound(
        child=child, parent=parent, slot="s", tracking="serial", part="P", step="s", raw=raw
    )
    event = read_line(write_line(body, **STAMP))
    assert isinstance(event, EventLine)
    assert event.b == body
