"""An authentic event is taken and answered for, however little sense it makes."""

import sqlite3
import typing
from typing import Any, Literal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tally.events import types as t
from tally.events.registry import TYPES
from tally.ledger.sqlite import SqliteLedger
from tally.trace import as_lines, as_plain, trace
from tests.support.building import SCHEMES, Writing, board, feed, lamp

TEXTS = [
    "",
    lamp(1),
    board(1),
    "in:" + board(1),
    "op:",
    "a/b",
    "%2F",
    "\0",
    "表 \u200b",
    "none",
    "7",
]
INTS = [-(2**53) + 1, -1, 0, 1, 2, 2**53 - 1]


def value_of(annotation):
    """A strategy for one field of a body."""
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is typing.Annotated or annotation is int:
        return st.sampled_from(INTS)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(value_of(arguments[0]), max_size=3).map(tuple)
    if origin is dict:
        free = {"scheme": "x", "version": 1, "field": [{"kind": "literal"}]}
        return st.just({"en": "x"} if arguments[1] is str else free)
    if annotation is bool:
        return st.booleans()
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return body_of(annotation)
    if arguments:  # an optional field
        kinds = [value_of(kind) for kind in arguments if kind is not type(None)]
        return st.one_of(st.none(), *kinds)
    assert annotation in {str, Any}, annotation
    return st.sampled_from([*TEXTS, "previous_op", "lot_released", "not_used", "scheme", "bl2@1"])


def body_of(body):
    """A strategy for a body with fields of any sense."""
    hints = typing.get_type_hints(body, include_extras=True)
    names = [field.name for field in msgspec.structs.fields(body)]
    return st.builds(body, **{name: value_of(hints[name]) for name in names})


EVENTS = st.lists(
    st.tuples(
        st.one_of([body_of(body) for body in TYPES.values()]),
        st.integers(0, 3),
        st.lists(st.one_of(st.integers(1, 40), st.integers(0, 60).map(str)), max_size=3),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=250)
@given(EVENTS)
def test_any_sequence_of_events_is_taken_and_every_question_answered(events):
    writers = [Writing("S02"), Writing("S03"), feed("decisions"), feed("master")]
    known = []
    for body, at, seen in events:
        named = [s if isinstance(s, int) else known[int(s) % len(known)] for s in seen if known]
        if isinstance(body, t.DecisionMade) and known:
            body = msgspec.structs.replace(body, retires=tuple(map(str, named)), keep=known[0])
        writers[at].add(body, seen=named)
        known.append(writers[at].ref(writers[at].seq))
    ledgers = []
    for order in (writers, writers[::-1]):
        ledger = SqliteLedger(sqlite3.connect(":memory:"))
        ledger.create()
        ledger.learn(SCHEMES)
        for writer in order:
            ledger.absorb(writer.batch())
        ledgers.append(ledger)
    one, other = ledgers
    assert one.fingerprint() == other.fingerprint()
    assert one.cases() == other.cases()
    assert one.findings() == other.findings()
    assert one.rechecks() == other.rechecks()
    assert list(one.units()) == list(other.units())
    for code in TEXTS:
        assert one.box(code) == other.box(code)
        assert one.lot(code, code) == other.lot(code, code)
        for direction in ("down", "up"):
            found = trace(one.graph, code, direction)
            assert as_plain(found) == as_plain(trace(other.graph, code, direction))
            assert as_lines(found)
