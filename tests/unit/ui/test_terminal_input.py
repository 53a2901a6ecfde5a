"""No byte that a terminal can send stops the input, and a paste always ends."""

from textual import events
from textual._xterm_parser import XTermParser

from edge_agent.ui.terminal_input import PASTE_CHARACTERS_MAX, TerminalText


def keys(*pieces):
    """Names and texts of what the pieces of bytes turn into."""
    text, parser = TerminalText(), XTermParser()
    found = [event for piece in pieces for event in parser.feed(text.feed(piece) or " ")]
    kinds = [event for event in found if isinstance(event, events.Key | events.Paste)]
    return [one.key if isinstance(one, events.Key) else one.text for one in kinds]


def test_broken_utf_8_becomes_a_character_that_is_refused():
    assert TerminalText().feed(b"AB\xff\xfeCD") == "AB\ufffd\ufffdCD"


def test_a_character_may_come_in_two_pieces():
    text, raw = TerminalText(), "灯".encode()
    assert text.feed(raw[:1]) + text.feed(raw[1:]) == "灯"


def test_alt_and_a_digit_stay_what_they_are():
    assert keys(b"\x1b1\x1b0\x1b=") == ["alt+1", "alt+0", "alt+equals_sign"]


def test_alt_and_a_digit_may_come_in_two_pieces():
    text = TerminalText()
    assert text.feed(b"\x1b") == ""
    assert text.is_waiting
    assert next(iter(XTermParser().feed(text.feed(b"1")))).key == "alt+1"


def test_an_escape_that_nothing_follows_is_the_key():
    text = TerminalText()
    text.feed(b"\x1b")
    assert text.settle() == "\x1b"
    assert not text.is_waiting


def test_a_paste_arrives_whole_though_its_marks_are_cut():
    pasted = b"\x1b[200~PCB-L-1\nPCB-L-2\x1b[201~"
    text = TerminalText()
    given = "".join(text.feed(bytes([one])) for one in pasted)
    assert [event.text for event in XTermParser().feed(given + "x") if hasattr(event, "text")] == [
        "PCB-L-1\nPCB-L-2"
    ]
    assert not text.is_pasting


def test_a_paste_is_cut_at_its_limit_and_the_keys_after_it_work():
    text = TerminalText()
    given = text.feed(b"\x1b[200~") + "".join(text.feed(b"x" * 4096) for _ in range(100))
    assert len(given) == len("\x1b[200~") + PASTE_CHARACTERS_MAX
    assert text.feed(b"\x1b[201~A") == "\x1b[201~A"


def test_a_paste_that_never_ends_is_ended():
    text = TerminalText()
    text.feed(b"\x1b[200~PCB\x1b[2")
    assert text.is_pasting
    assert text.end_paste() == "\ufffd[2\x1b[201~"
    assert text.feed(b"A") == "A"


def test_an_escape_inside_a_paste_opens_nothing():
    assert TerminalText().feed(b"\x1b[200~a\x1bb\x1b[201~") == "\x1b[200~a\ufffdb\x1b[201~"
