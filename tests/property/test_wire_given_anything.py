"""Whatever the other side says: words or a message, never a crash or an acknowledgement."""

from __future__ import annotations

import contextlib
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sync.enrolling import EnrolmentError, read_token
from edge_agent.sync.port import Identity, SaveReceipt
from edge_agent.sync.replies import on_reply
from edge_agent.sync.session import next_request
from edge_agent.sync.state import Request, SyncState
from edge_agent.sync.turn import Reply
from tally.records.ids import JournalId
from tally.records.signing import SigningKey
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.reading import UnreadableError, read_message, write_message
from tests.support.own_journal import OwnJournal, seeded

TYPES = [
    item
    for item in vars(m).values()
    if isinstance(item, type) and issubclass(item, m.Message) and item is not m.Message
]
FIELDS = sorted({name for item in TYPES for name in item.__struct_fields__})
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=70)
    | st.sampled_from(["A" * 26, "0" * 64, "a" * 64, "A" * 86 + "=="]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=9)
    ),
    max_leaves=25,
)
BODIES = st.binary(max_size=300) | VALUES.map(lambda value: json.dumps(value).encode())
VIEW = OwnJournal()
VIEW.grow(20)
HUB = JournalId(seeded("hub", 16))
IDENTITY: Identity = VIEW.identity(HUB, SigningKey(seeded("receipts")))
GREETED = SyncState(bearer="b", bearer_until=1e9, hello_at=0.0, online=True)
ASKED = [
    Request("challenge", "POST", p.SESSION),
    Request("answer", "POST", p.SESSION_ANSWER),
    Request("hello", "POST", p.HELLO),
    Request("piece", "PUT", p.records_path("A" * 26), first=1, last=21),
    Request("seal", "PUT", p.seals_path("A" * 26), last=21),
    Request("pull", "GET", p.records_path("A" * 26), first=1, journal=HUB),
]


@given(BODIES, st.sampled_from(TYPES))
def test_bytes_are_a_message_or_unreadable(body, kind):
    with contextlib.suppress(UnreadableError):
        message = read_message(body, kind)
        assert read_message(write_message(message), kind) == message


@settings(max_examples=300)
@given(
    st.sampled_from(ASKED),
    st.integers(100, 599),
    st.sampled_from([p.JSON_TYPE, p.PROBLEM_TYPE, p.SEGMENT_TYPE, "text/html", ""]),
    BODIES,
    st.floats(0, 1, exclude_max=True),
    st.none() | st.floats(allow_nan=False),
)
def test_no_reply_without_the_hubs_signature_acknowledges_or_breaks_anything(
    request, status, kind, body, draw, retry_after
):
    reply = Reply(status, kind, body, 0.1, retry_after)
    state, effects = on_reply(IDENTITY, GREETED, request, reply, VIEW, 5.0, draw)
    assert not [effect for effect in effects if isinstance(effect, SaveReceipt)]
    assert state.not_before <= 5.0 + 301
    if request.kind == "piece":
        assert state.sent == GREETED.sent
    next_request(IDENTITY, state, VIEW, state.not_before + 1)


@given(st.text() | st.binary(max_size=200).map(lambda raw: raw.hex()))
def test_text_is_a_token_or_refused_in_words(text):
    with contextlib.suppress(EnrolmentError):
        assert read_token(text).addresses
