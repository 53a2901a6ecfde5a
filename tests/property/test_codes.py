"""Laws of codes: parse undoes render, ranks are a bijection, columns equal scalars, edits show."""

import datetime as dt

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tally.codes import (
    Check,
    Counter,
    Date,
    Field,
    Literal,
    NotThisScheme,
    OrderField,
    Parsed,
    Range,
    Scheme,
    accept,
    allocate,
    overlaps,
)
from tally.codes.check import ALGORITHMS
from tally.codes.columns import check_column
from tally.codes.fields import COUNTER_ALPHABETS
from tally.codes.periods import FORMATS, calendar

literals = st.text(alphabet="AB12-/", min_size=1, max_size=3)
bases = st.sampled_from(sorted(COUNTER_ALPHABETS))
counters = st.builds(Counter, st.integers(1, 6), bases)
dates = st.builds(Date, st.sampled_from(FORMATS))
orders = st.builds(OrderField, st.just("order"), st.integers(1, 3), st.sampled_from(["ABC", "01X"]))


@st.composite
def schemes(draw: st.DrawFn, *, checked: bool = False) -> Scheme:
    fields: list[Field] = [draw(counters)]
    fields += draw(st.lists(dates, max_size=1)) + draw(st.lists(orders, max_size=1))
    fields = draw(st.permutations(fields))
    over = tuple(field.name for field in fields)
    fields.insert(draw(st.integers(0, len(fields))), Literal(draw(literals)))
    if checked or draw(st.booleans()):
        fields.append(Check(draw(st.sampled_from(sorted(ALGORITHMS))), over))
    starts = dt.date(draw(st.integers(1970, 2100)), 1, 1)
    scheme = Scheme("x", 1, tuple(fields), "unit", starts)
    assume(not accept(scheme, []))
    return scheme


@st.composite
def values(draw: st.DrawFn, scheme: Scheme) -> tuple[int, dt.date | None, dict[str, str]]:
    counter = draw(st.integers(0, scheme.capacity - 1))
    day = None
    if scheme.date:
        known = calendar(scheme.date.format, scheme.starts.year)
        last = known.after - dt.timedelta(days=1)
        day = draw(st.dates(known.firsts[0], last))
    order = {
        field.name: draw(st.text(field.alphabet, min_size=field.width, max_size=field.width))
        for field in scheme.order_fields
    }
    return counter, day, order


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_parse_undoes_render(data: st.DataObject) -> None:
    scheme = data.draw(schemes())
    counter, day, order = data.draw(values(scheme))
    code = scheme.render(counter, period=day, fields=order)
    parsed = scheme.parse(code)
    assert isinstance(parsed, Parsed)
    assert (parsed.counter, parsed.fields) == (counter, order)
    # The period comes back as its first day, which prints the same code.
    assert parsed.period is None or day is None or parsed.period <= day
    assert scheme.render(counter, period=parsed.period, fields=order) == code


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_54_every_single_edit_is_refused_or_names_another_counter(data: st.DataObject) -> None:
    scheme = data.draw(schemes(checked=True))
    counter, day, order = data.draw(values(scheme))
    code = scheme.render(counter, period=day, fields=order)
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-/ "
    for at in range(len(code)):
        for letter in set(letters) - {code[at]}:
            parsed = scheme.parse(code[:at] + letter + code[at + 1 :])
            assert isinstance(parsed, NotThisScheme) or parsed.counter != counter


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_ranks_are_a_bijection_and_columns_equal_scalars(data: st.DataObject) -> None:
    scheme = data.draw(schemes())
    assume(scheme.is_rankable)
    drawn = data.draw(st.lists(st.integers(0, scheme.code_count - 1), min_size=1, max_size=20))
    codes = [scheme.unrank(rank) for rank in drawn]
    assert [scheme.rank(code) for code in codes] == drawn
    assert scheme.unrank_many(np.array(drawn)) == codes
    strangers = data.draw(st.lists(st.text(max_size=scheme.width + 1), max_size=5))
    mangled = [code[:-1] + "\N{GREEK SMALL LETTER MU}" for code in codes[:2]]
    mixed = data.draw(st.permutations([*codes, *strangers, *mangled]))
    scalar = [scheme.rank(code) for code in mixed]
    assert scheme.rank_many(mixed).tolist() == [-1 if rank is None else rank for rank in scalar]


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_rendered_columns_equal_rendered_codes(data: st.DataObject) -> None:
    scheme = data.draw(schemes())
    first, day, order = data.draw(values(scheme))
    wanted = np.arange(first, min(first + 30, scheme.capacity))
    rows = scheme.render_many(wanted, period=day, fields=order)
    expected = [scheme.render(int(one), period=day, fields=order) for one in wanted]
    assert [row.tobytes().decode() for row in rows] == expected


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_first_and_last_rank_are_codes_and_the_next_is_none(data: st.DataObject) -> None:
    scheme = data.draw(schemes())
    assume(scheme.is_rankable)
    assert scheme.rank(scheme.unrank(0)) == 0
    assert scheme.rank(scheme.unrank(scheme.code_count - 1)) == scheme.code_count - 1


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_schemes_that_do_not_overlap_share_no_code(data: st.DataObject) -> None:
    mine, theirs = data.draw(schemes()), data.draw(schemes())
    assert overlaps(mine, theirs) == overlaps(theirs, mine)
    counter, day, order = data.draw(values(mine))
    code = mine.render(counter, period=day, fields=order)
    if isinstance(theirs.parse(code), Parsed):
        assert overlaps(mine, theirs)


@given(st.sampled_from(sorted(ALGORITHMS)), st.data())
@settings(max_examples=80, deadline=None)
def test_checks_of_columns_equal_those_of_texts(name: str, data: st.DataObject) -> None:
    algorithm = ALGORITHMS[name]
    width = data.draw(st.integers(1, 20))
    text = st.text(algorithm.countable, min_size=width, max_size=width)
    texts = data.draw(st.lists(text, min_size=1, max_size=10))
    joined = "".join(texts).encode()
    letters = np.frombuffer(joined, dtype=np.uint8).reshape(len(texts), width)
    checks = [row.tobytes().decode() for row in check_column(name, letters)]
    assert checks == [algorithm.of(one) for one in texts]


@given(st.lists(st.tuples(st.integers(1, 50), st.none() | st.integers(0, 200)), max_size=20))
@settings(max_examples=80, deadline=None)
def test_granted_ranges_never_overlap(asked: list[tuple[int, int | None]]) -> None:
    granted: list[Range] = []
    pos = 0
    for count, start in asked:
        answer = allocate(granted, pos, count, start, capacity=400)
        if isinstance(answer, Range):
            assert not any(answer.overlaps(other) for other in granted)
            assert answer.end <= 400
            granted.append(answer)
            pos = answer.end if start is None else pos
