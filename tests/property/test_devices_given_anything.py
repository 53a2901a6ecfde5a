"""Picture files, settings and templates of any content: refused in words, never anything else."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import DriverFault, registry
from drivers.camera.picture import JPEG_MAGIC, PNG_MAGIC, outline, why_refused
from drivers.label_files.template import LabelProblems, parse_template
from tests.support.devices import encoded, picture_of

WHOLE = {suffix: encoded(picture_of(b"WHOLE"), suffix) for suffix in (".png", ".jpg")}
KEYS = st.sampled_from(
    (
        "driver name port folder source symbologies idle_ms prefix poll_ms"
        " size_mm dpi item kind x y size height gs1 value template"
    ).split()
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["serial_port", "camera", "label_files", "text", "qr", "code128", 300, 12]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=8)
    ),
    max_leaves=20,
)
TABLES = st.dictionaries(KEYS | st.text(max_size=5), VALUES, max_size=8)


@given(st.sampled_from([b"", PNG_MAGIC, JPEG_MAGIC]), st.binary(max_size=300))
def test_any_bytes_have_an_outline(magic, rest):
    found = outline(magic + rest)
    assert found.kind in {"PNG", "JPEG", "unknown"}
    assert isinstance(why_refused(found), str)


@pytest.mark.parametrize("suffix", sorted(WHOLE))
def test_a_whole_picture_is_accepted(suffix):
    assert why_refused(outline(WHOLE[suffix])) == ""


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_a_picture_cut_off_anywhere_is_refused(suffix, data):
    raw = WHOLE[suffix]
    cut = data.draw(st.integers(0, len(raw) - 2))
    assert why_refused(outline(raw[:cut]))


@given(st.data())
def test_a_png_with_any_byte_changed_is_refused(data):
    raw = bytearray(WHOLE[".png"])
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    assert why_refused(outline(bytes(raw)))


@given(TABLES)
def test_any_settings_give_a_driver_or_a_fault(table):
    with suppress(DriverFault):
        assert registry.create(table, clock=time.monotonic).name == table["name"]


@given(TABLES)
def test_any_template_is_parsed_or_its_problems_are_listed(table):
    with suppress(LabelProblems):
        assert parse_template(table).items
