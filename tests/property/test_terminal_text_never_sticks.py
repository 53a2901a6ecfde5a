"""Whatever a terminal sends, cut anywhere, with pauses anywhere: the next key arrives as itself."""

from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import XTermParser

from edge_agent.ui.terminal_input import TerminalText

MARKS = [
    b"\x1b[200~",
    b"\x1b[201~",
    b"\x1b",
    b"\x1b[",
    b"\x1b[2",
    b"00~",
    b"\x1b[48;",
    b"BDG-1107\r",
]
PIECES = st.lists(st.sampled_from(MARKS) | st.binary(max_size=12), max_size=12)


class Listening:
    """The input thread's two halves, without the thread."""

    def __init__(self):
        self.text, self.parser, self.keys = TerminalText(), XTermParser(), []

    def parse(self, piece):
        for character in piece:
            try:
                for message in self.parser.feed(character):
                    self.take(message)
            except Exception:  # noqa: BLE001  # what the driver does, for the driver's reason
                self.parser = XTermParser()

    def take(self, message):
        if isinstance(message, events.Key):
            self.keys.append(message.key)

    def pause(self):
        piece = self.text.settle()
        if piece == "\x1b":
            self.keys.append("escape")
        else:
            self.parse(piece)


@given(PIECES, st.data())
def test_after_any_bytes_and_a_pause_a_key_is_a_key(pieces, data):
    listening = Listening()
    stream = b"".join(pieces)
    while stream:
        size = data.draw(st.integers(1, 9))
        listening.parse(listening.text.feed(stream[:size]))
        stream = stream[size:]
        if data.draw(st.booleans()):
            listening.pause()
    listening.pause()
    if listening.text.is_pasting:
        listening.parse(listening.text.end_paste())
    # A sequence of the parser's own that was begun ends within these, or by its time.
    for _ in range(40):
        listening.parse(listening.text.feed(b"A"))
    assert listening.keys[-1] == "A"
    assert not listening.text.is_pasting
