"""Whatever is typed at whatever pace: no character is lost, doubled or moved."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.scan.keystrokes import Burst, Keystrokes, Stroke

GAPS = st.sampled_from([0.0, 0.001, 0.008, 0.029, 0.031, 0.039, 0.041, 0.09, 0.1, 0.11, 0.5, -1.0])
PRINTABLE = st.characters(min_codepoint=32, max_codepoint=0x9FFF, exclude_categories=["C", "Z"])


def stream(pairs):
    at, strokes = 50.0, []
    for character, gap in pairs:
        at += gap
        strokes.append(Stroke("enter" if character == "\r" else character, character, at))
    return strokes


def fold(strokes):
    keyboard, found = Keystrokes(), []
    for stroke in strokes:
        keyboard, given_out = keyboard.press(stroke)
        found += given_out
        assert keyboard.due is None or keyboard.held
    return [*found, *keyboard.wait(float("inf"))[1]]


@given(st.lists(st.tuples(PRINTABLE | st.just("\r"), GAPS), max_size=60))
def test_every_character_comes_out_once_and_in_order(pairs):
    found = fold(stream(pairs))
    out = "".join(
        one.raw.decode() if isinstance(one, Burst) else one.character.strip("\r") for one in found
    )
    assert out == "".join(character for character, _ in pairs if character != "\r")


@given(st.lists(st.text(PRINTABLE, min_size=4, max_size=40), max_size=8))
def test_what_is_typed_fast_is_as_many_scans_as_there_were(codes):
    typed = "".join(f"{code}\r" for code in codes)
    found = fold(stream([(one, 0.008) for one in typed]))
    assert found == [Burst(code.encode()) for code in codes]


@given(st.text(PRINTABLE, max_size=40))
def test_what_is_typed_slowly_is_never_a_scan(text):
    found = fold(stream([(one, 0.12) for one in text]))
    assert not any(isinstance(one, Burst) for one in found)
