"""Framing holds for any bytes, cut anywhere."""

from hypothesis import given
from hypothesis import strategies as st

from drivers import READ_BYTES_MAX
from drivers.serial_port.framing import TERMINATORS, Coalescer, Frame, Framer

STREAMS = st.lists(
    st.one_of(
        st.binary(max_size=60),
        st.sampled_from([b"\r", b"\n", b"\r\n", b"\x1d", b"\x00", b"x" * 5000]),
    ),
    max_size=12,
)
ENDS = st.sampled_from(sorted(TERMINATORS))


def frames_of(framer, chunks):
    got = [frame for chunk in chunks for frame in framer.feed(chunk, 0.0)]
    return got + framer.close(0.0)


@given(STREAMS, ENDS)
def test_how_the_bytes_are_cut_into_reads_changes_nothing(chunks, end):
    whole = frames_of(Framer(TERMINATORS[end]), [b"".join(chunks)])
    assert frames_of(Framer(TERMINATORS[end]), chunks) == whole


@given(STREAMS, ENDS)
def test_every_frame_is_a_read_of_allowed_size(chunks, end):
    for frame in frames_of(Framer(TERMINATORS[end]), chunks):
        assert 0 < len(frame.raw) <= READ_BYTES_MAX


@given(st.lists(st.binary(min_size=1, max_size=80).map(lambda raw: raw.translate(None, b"\r\n"))))
def test_codes_sent_with_line_ends_come_back_exactly(codes):
    codes = [code for code in codes if code]
    got = frames_of(Framer(), [b"".join(code + b"\r\n" for code in codes)])
    assert [(frame.raw, frame.truncated) for frame in got] == [(code, False) for code in codes]


@given(st.lists(st.tuples(st.sampled_from([b"A", b"B"]), st.integers(0, 300)), max_size=40))
def test_counting_repeats_loses_and_invents_nothing(presented):
    repeats, now, got, sent = Coalescer(), 0, [], []
    for raw, later_ms in presented:
        now += later_ms
        sent.append(raw)
        got += repeats.add(Frame(raw, now / 1000))
    got += repeats.close()
    assert [frame.raw for frame in got for _ in range(frame.repeats)] == sent
