"""Whatever stands in a snapshot and however large the window: rows of exactly its size."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from edge_agent.station.snapshot import CodesLeft, Content, DeviceShown, News, ScanNow
from edge_agent.ui.cells import clean, text_of, wrap
from edge_agent.ui.layout import draw
from edge_agent.workflow.types import Verdict
from tally.master import Words
from tests.unit.ui.scenes import AT, Tray, answered, lamp, view

TEXT = st.text(max_size=80) | st.sampled_from(
    ["", "扫描" * 40, "x" * 200, "a\u0301\u200d\x1b[2J\n"]
)
WORDS = st.builds(Words, TEXT, TEXT)
DEVICES = st.lists(
    st.builds(
        DeviceShown,
        TEXT,
        st.sampled_from(["serial_port", "camera", "printer", "other"]),
        st.sampled_from(["starting", "ok", "degraded", "lost"]),
        WORDS,
    ),
    max_size=6,
).map(tuple)


@st.composite
def snapshots(draw_):
    base = lamp()
    band = replace(
        answered("ng.used").band,
        verdict=draw_(st.sampled_from(list(Verdict))),
        title=draw_(WORDS),
        text=draw_(WORDS),
        code=draw_(st.sampled_from(["", "E-201"])),
        do_now=tuple(draw_(st.lists(WORDS, max_size=2))),
        note=draw_(st.none() | WORDS),
        latched=draw_(st.booleans()),
    )
    status = replace(
        base.status,
        online=draw_(st.booleans()),
        devices=draw_(DEVICES),
        unsent=draw_(st.integers(0, 10**9)),
        codes=draw_(
            st.none()
            | st.builds(
                CodesLeft, TEXT, st.integers(0, 10**9), st.integers(0, 10**9), st.floats(0, 10**6)
            )
        ),
    )
    lines = tuple(
        replace(line, text=draw_(WORDS), detail=draw_(WORDS), number=number)
        for number, line in enumerate(base.checklist[: draw_(st.integers(0, 6))], 1)
    )
    return replace(
        base,
        operation=draw_(WORDS),
        product=draw_(WORDS),
        operator=draw_(st.none() | WORDS),
        order=draw_(st.none() | TEXT),
        plan=draw_(TEXT),
        unit=draw_(st.none() | TEXT),
        checklist=lines,
        contents=(Content(draw_(WORDS), draw_(TEXT)),),
        scan_now=ScanNow(draw_(WORDS), draw_(WORDS)),
        band=draw_(st.none() | st.just(band)),
        last=tuple(replace(one, text=draw_(WORDS), source=draw_(TEXT)) for one in base.last),
        news=(News(AT, draw_(WORDS), draw_(WORDS)),),
        unread=draw_(st.integers(0, 3)),
        refusals=draw_(st.integers(0, 3)),
        status=status,
        fatal=draw_(st.booleans()),
    )


@settings(max_examples=60, deadline=None)
@given(
    snapshots(),
    st.tuples(st.integers(1, 160), st.integers(1, 60)) | st.just((80, 24)),
    st.sampled_from(["en", "zh"]),
    st.none() | TEXT,
    st.none() | st.builds(Tray, TEXT, st.lists(TEXT, max_size=5).map(tuple), st.just(0), TEXT),
    st.booleans(),
)
def test_every_drawing_fills_the_window_exactly(snapshot, size, language, typed, tray, is_ascii):
    looked = view(language, size, typed=typed, tray=tray, is_ascii=is_ascii, refused=True)
    rows = [text_of(one) for one in draw(snapshot, looked)]
    assert len(rows) == size[1]
    assert {cell_len(row) for row in rows} == {size[0]}
    assert all(one.isprintable() for row in rows for one in row)


@given(TEXT, st.integers(2, 60))
def test_wrapping_loses_nothing_and_keeps_to_the_width(text, width):
    text = clean(text)
    lines = wrap(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
