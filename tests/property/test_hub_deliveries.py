"""Whatever pieces and segments of two forked histories arrive in any order, nothing is lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.services import journals
from hub.services.rebuilding import check
from tally.records.ids import GENESIS
from tally.records.segment import decode, prove
from tests.support.building import board, bound, lamp
from tests.support.hub_floor import a_hub, enrolled

EVENTS = 24


@st.composite
def deliveries(draw):
    fork = draw(st.integers(1, EVENTS - 1))
    length = draw(st.integers(fork + 1, EVENTS))
    ends = {False: EVENTS, True: length}
    made = []
    for _ in range(draw(st.integers(0, 12))):
        is_copy = draw(st.booleans())
        first = draw(st.integers(1, ends[is_copy]))
        last = draw(st.integers(first, ends[is_copy]))
        made.append((is_copy, first, last, draw(st.sampled_from(("piece", "sealed", "seal")))))
    return fork, length, made


def _histories(hub, fork, length):
    station = enrolled(hub)
    for number in range(EVENTS - 1):
        station.add(bound(board(number), lamp(number)))
    copy = station.fork(fork)
    while copy.seq < length:
        copy.add(bound(board(copy.seq - 1), lamp(500 + copy.seq)))
    return station, copy


def _send(hub, history, first, last, kind):
    if kind == "seal":
        return hub.ingest_seal(history.id, history.seal_header(first, last))
    make = history.piece if kind == "piece" else history.sealed
    return hub.ingest(history.id, make(first, last))


def _read(hub, history):
    lines, after = [], GENESIS
    while data := hub.read_after(history.id, after, toward=history.ids[-1]):
        segment = decode(data)
        ids = prove(segment, history.key.public)
        skip = ids.index(after) + 1 if after in ids else 0
        # A piece may run past the fork on the other side; what counts is up to the common event.
        mine = [i for i, event in enumerate(ids) if event in history.ids]
        lines += segment.lines[skip : mine[-1] + 1]
        after = ids[mine[-1]]
    return lines


@settings(max_examples=60)
@given(deliveries())
def test_both_histories_are_kept_exactly_whatever_came_first(given_deliveries):
    fork, length, made = given_deliveries
    hub = a_hub()
    station, copy = _histories(hub, fork, length)
    for is_copy, first, last, kind in made:
        taken = _send(hub, copy if is_copy else station, first, last, kind)
        assert taken.need is not None or taken.stored + taken.duplicates > 0
        assert taken.receipt.is_signed_by(hub.receipt_key)
        assert _holds_to(hub, station, taken.receipt.durable_through)
    _check_rows(hub, station)
    assert check(hub.office).differences == ()  # also of what is behind gaps
    held = _ids(hub, station)
    assert len(held) == len(set(held))
    for history in (station, copy):
        taken = hub.ingest(history.id, history.piece())
        assert taken.event_id == history.ids[-1] or taken.seq > history.seq
    for history in (station, copy):
        assert hub.common(history.id, [(history.seq, history.ids[-1])])[0] == history.seq
    _check_rows(hub, station)
    assert set(_ids(hub, station)) == {*station.ids, *copy.ids}
    assert len(hub.office.store.branches(_row(hub, station).no)) == 2  # no gap is left
    assert _read(hub, station)[: station.seq] == station.lines
    assert _read(hub, copy)[: copy.seq] == copy.lines
    assert check(hub.office).differences == ()
    assert len(hub.show("cases")) == copy.seq - fork


def _row(hub, station):
    return hub.office.store.find_journal(station.id)


def _ids(hub, station):
    every = journals.runs(hub.office.store, _row(hub, station))
    return [event_id for _, _, ids, _, _ in every for event_id in ids]


def _holds_to(hub, station, seq):
    """Whether every event to this seq is held, of one history or the other."""
    every = journals.runs(hub.office.store, _row(hub, station))
    return set(range(1, seq + 1)) <= {
        at for first, _, ids, _, _ in every for at in range(first, first + len(ids))
    }


def _check_rows(hub, station):
    """Rows of each branch are contiguous and disjoint, and each blob holds what its row says."""
    store = hub.office.store
    branches = store.branches(store.find_journal(station.id).no)
    for branch in branches:
        at, before = branch.from_seq + 1, branch.from_id
        for piece in store.pieces(branch.no, at, branch.tip_seq):
            segment = decode(piece.blob)
            assert (piece.first, piece.before) == (at, before)
            assert segment.first <= piece.first <= piece.last <= segment.last
            at, before = piece.last + 1, piece.head
        assert (at - 1, before) == (branch.tip_seq, branch.tip_id)
