import base64
import io
import json
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers import Read
from edge_agent.scan.types import Typed
from edge_agent.station.headless import (
    KEYS,
    LINE_BYTES_MAX,
    HeadlessSpeaker,
    parse_line,
    render,
)
from edge_agent.station.inbox import LINES_MAX, Inbox
from edge_agent.station.messages import (
    EndOfInput,
    Line,
    NotUnderstood,
    Pause,
    SyncNow,
    TurnLink,
    Work,
)
from edge_agent.station.outputs import Output
from edge_agent.station.streams import lines_of
from edge_agent.station.terminal import parse_typed
from edge_agent.workflow.types import Answer, Measured, Prompt, Verdict
from tally.master import Words


def asks(text):
    return parse_line(text if isinstance(text, bytes) else text.encode(), 5.0).asks


def test_plain_text_is_one_scan_with_its_bytes_as_they_came():
    line = parse_line(b"PCB-L-00931", 5.0)
    assert line.echo == "PCB-L-00931"
    assert line.asks == Work(Read("stdin", b"PCB-L-00931", 5.0))


def test_control_characters_and_bytes_that_are_no_text_reach_the_scan():
    assert asks(b"0101\x1d21\xff") == Work(Read("stdin", b"0101\x1d21\xff", 5.0))


def test_a_scan_may_name_its_source():
    line = parse_line(b'{"scan": "PCB-L-00931", "source": "serial-1"}', 5.0)
    assert line.echo == "PCB-L-00931"
    assert line.asks == Work(Read("serial-1", b"PCB-L-00931", 5.0))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"badge": "BDG-1107"}', Work(Typed("BDG-1107", "stdin", 5.0))),
        ('{"command": "CTLOK"}', Work(Typed("CTLOK", "stdin", 5.0))),
        (
            '{"measure": {"characteristic": "torque", "value": "0.61"}}',
            Work(Measured("torque", "0.61", "stdin")),
        ),
        (
            '{"measure": {"characteristic": "torque", "value": 0.610}}',
            Work(Measured("torque", "0.610", "stdin")),
        ),
        ('{"link": "down"}', TurnLink(up=False)),
        ('{"link": "up"}', TurnLink(up=True)),
        ('{"sync": true}', SyncNow()),
        ('{"wait": 1.5}', Pause(1.5)),
        ('{"wait": 0}', Pause(0.0)),
        ('{"raw": "UENC"}', Work(Read("stdin", b"PCB", 5.0))),
        (' {"sync": true} ', SyncNow()),
    ],
)
def test_each_key_of_the_contract_asks_for_its_thing(text, expected):
    assert asks(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        '{"other": 1}',
        '{"source": "x", "scan": "PCB-L-00931"}',
        '{"scan": "PCB',
        '"scan"',
        '["scan"]',
        "{" * 60000,
        '{"scan":' + "[" * 60000,
        '{"wait": ' + "9" * 5000,
        '{"scan": "x"} trailing',
    ],
)
def test_what_is_not_an_object_with_a_known_first_key_is_a_scan(text):
    found = asks(text)
    assert isinstance(found, Work)
    assert found.given.raw == text.encode()[: len(found.given.raw)]


@pytest.mark.parametrize(
    "text",
    [
        '{"scan": 5}',
        '{"scan": null}',
        '{"scan": "x", "source": ""}',
        '{"scan": "x", "source": 7}',
        '{"badge": {}}',
        '{"command": ["CTLOK"]}',
        '{"measure": "0.61"}',
        '{"measure": {"value": "0.61"}}',
        '{"measure": {"characteristic": 1, "value": "0.61"}}',
        '{"measure": {"characteristic": "torque", "value": null}}',
        '{"link": "sideways"}',
        '{"link": {}}',
        '{"link": ["up"]}',
        '{"sync": false}',
        '{"sync": 1}',
        '{"wait": -1}',
        '{"wait": 1e400}',
        '{"wait": NaN}',
        '{"wait": "1"}',
        '{"wait": 99999999}',
        '{"raw": "not base64"}',
        '{"raw": 1}',
        '{"raw": "é"}',
    ],
)
def test_a_known_key_with_something_else_is_answered_in_words(text):
    found = asks(text)
    assert isinstance(found, NotUnderstood)
    assert "Expected" in found.words.en
    assert found.words.zh


def test_a_line_beyond_the_limit_is_answered_in_words():
    found = asks(b"x" * (LINE_BYTES_MAX + 1))
    assert isinstance(found, NotUnderstood)
    assert str(LINE_BYTES_MAX) in found.words.en


def test_a_long_scan_is_marked_as_cut():
    found = asks(b"x" * 5000)
    assert found.given.truncated
    assert len(found.given.raw) == 4096


def test_empty_lines_and_empty_raw_bytes_are_scans_of_nothing():
    assert asks(b"") == Work(Typed("", "stdin", 5.0))
    assert asks('{"raw": ""}') == Work(Typed("", "stdin", 5.0))
    assert asks('{"scan": ""}') == Work(Typed("", "stdin", 5.0))


@given(st.binary(max_size=200))
def test_no_line_raises(raw):
    assert isinstance(parse_line(raw, 0.0), Line)


@given(
    st.sampled_from(KEYS),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["characteristic", "value", "x"]), inner, max_size=3)
        ),
        max_leaves=5,
    ),
)
@example("scan", "\ud800")
def test_no_value_of_a_known_key_raises_and_every_echo_is_json(key, value):
    line = parse_line(json.dumps({key: value}).encode(), 0.0)
    output = Output(Verdict.READY, "", None, None, words=Words("ok", "好"))
    text = render(line.echo, output, "en", unsent=0, online=False)
    assert json.loads(text)["in"] == line.echo
    assert "\n" not in text


def test_raw_bytes_come_out_as_they_went_in():
    every = bytes(range(256))
    message = json.dumps({"raw": base64.b64encode(every).decode(), "source": "serial-1"})
    assert asks(message).given == Read("serial-1", every, 5.0)


# --- lines from a descriptor ------------------------------------------------------------------


def chunks(*parts):
    left = list(parts)
    return lambda size: left.pop(0) if left else b""


def test_lines_may_come_in_any_pieces():
    assert list(lines_of(chunks(b"a", b"b\ncd", b"\r\n", b"\nlast"), 10)) == [
        b"ab",
        b"cd",
        b"",
        b"last",
    ]


def test_of_a_line_beyond_the_limit_the_rest_is_passed_over_and_the_next_is_whole():
    found = list(lines_of(chunks(b"x" * 9, b"x" * 50, b"xx\nnext\n"), 10))
    assert found == [b"x" * 11, b"next"]


@given(st.lists(st.text(string.ascii_letters, max_size=12), max_size=8), st.integers(1, 5))
def test_no_cut_between_reads_changes_a_line(texts, size):
    whole = "".join(text + "\n" for text in texts).encode()
    parts = [whole[i : i + size] for i in range(0, len(whole), size)]
    assert list(lines_of(chunks(*parts), 100)) == [text.encode() for text in texts]


# --- the line terminal ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("link down", TurnLink(up=False)),
        ("LINK  Up", TurnLink(up=True)),
        ("sync", SyncNow()),
        ("CTLOK", Work(Typed("CTLOK", "keyboard", 1.0))),
        (" PCB-L-00931 ", Work(Typed("PCB-L-00931", "keyboard", 1.0))),
        ('{"wait": 2}', Pause(2.0)),
    ],
)
def test_a_typed_line_is_a_scan_or_one_of_three_words(text, expected):
    assert parse_typed(text.encode(), 1.0).asks == expected


# --- the inbox --------------------------------------------------------------------------------


def inbox():
    return Inbox(lambda: 0.0)


def take(box, **more):
    wanted = {"lines": True, "effects": True, "timeout_s": 0.0, "until": lambda: False} | more
    return box.take(**wanted)


def test_reads_come_before_lines():
    box = inbox()
    box.put_line(EndOfInput())
    box.put_read(Read("serial-1", b"x", 0.0))
    assert take(box).read.raw == b"x"
    assert take(box) == EndOfInput()
    assert take(box) is None


def test_lines_wait_while_an_answer_is_due():
    box = inbox()
    box.put_line(EndOfInput())
    assert take(box, lines=False) is None
    assert take(box) == EndOfInput()


def test_reads_of_one_picture_are_taken_together_in_order():
    box = inbox()
    for raw, group in ((b"a", 1), (b"other", 2), (b"b", 1)):
        box.put_read(Read("camera-1", raw, 0.0, group=group))
    first = take(box).read
    assert [read.raw for read in box.take_group(first, 0.0)] == [b"b"]
    assert take(box).read.raw == b"other"


def test_after_closing_nobody_waits_at_a_full_lane():
    box = inbox()
    for _ in range(LINES_MAX):
        box.put_line(EndOfInput())
    box.close()
    box.put_line(EndOfInput())
    box.put_read(Read("serial-1", b"x", 0.0))


@pytest.mark.parametrize(
    ("is_fixed", "after"), [(False, "语言已切换。"), (True, "Language changed.")]
)
def test_ctllng_changes_the_language_of_the_lines_unless_it_was_asked_for(is_fixed, after):
    said = io.StringIO()
    speaker = HeadlessSpeaker(said, io.StringIO(), "en", is_language_fixed=is_fixed)
    answer = Answer(Verdict.READY, "", "ready.language", {}, None, None, Prompt("next.badge"))
    output = Output(Verdict.READY, "", None, None, answer=answer)
    speaker.answer("CTLLNG", output, unsent=0, online=True)
    assert json.loads(said.getvalue())["text"].startswith(after)
