"""Whatever a device sends is recognised as something, short, and can be read back."""

from hypothesis import given
from hypothesis import strategies as st

from drivers import READ_BYTES_MAX, Read
from edge_agent.scan import SCAN_BYTES_MAX, ScanKind, Typed, recognise
from edge_agent.scan.framing import escape
from tests.support.knowing import Knowing

WORDS = Knowing().vocabulary()
CODES = ("BL2-2547-000412", "PCB-L-00931", "095211010000000870", "]d20109521101000023", "(01)")
raws = st.one_of(
    st.binary(min_size=1, max_size=READ_BYTES_MAX),
    st.lists(
        st.one_of(st.sampled_from([code.encode() for code in CODES]), st.binary(max_size=6)),
        min_size=1,
        max_size=4,
    )
    .map(b"".join)
    .filter(bool),
)


@given(raws, st.sampled_from([None, "]C1", "]d2"]), st.booleans())
def test_any_bytes_are_a_scan(raw, symbology, is_cut):
    scan = recognise(Read("serial-1", raw, 1.0, symbology, truncated=is_cut), WORDS)
    assert len(scan.text) <= SCAN_BYTES_MAX
    assert scan.raw.isprintable()
    assert bool(scan.code) == (scan.kind in {ScanKind.PARTIAL, ScanKind.GARBLED})
    assert not is_cut or scan.kind in {ScanKind.PARTIAL, ScanKind.GARBLED}
    if scan.kind is ScanKind.CODE:
        assert scan.text.encode() in raw


@given(st.text(max_size=600))
def test_any_typed_text_is_a_scan(text):
    scan = recognise(Typed(text, "keyboard", 1.0), WORDS)
    assert scan.entry == "typed"
    assert scan.raw.isprintable()


@given(st.binary(max_size=SCAN_BYTES_MAX), st.binary(max_size=SCAN_BYTES_MAX))
def test_what_was_received_can_be_told_apart_from_what_was_recorded(one, other):
    assert (escape(one) == escape(other)) == (one == other)
