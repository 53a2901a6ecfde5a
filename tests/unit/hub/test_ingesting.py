"""What stations send: proven, trimmed, forked, sealed, read back exactly."""

import pytest

from hub.services import Refused
from hub.services.ingesting import DELIVERY_BYTES_MAX
from tally.records.ids import GENESIS, JournalId
from tally.records.segment import decode, encode, prove
from tests.support.building import board, bound, lamp
from tests.support.hub_floor import Station, a_hub, enrolled


@pytest.fixture
def hub():
    return a_hub()


@pytest.fixture
def station(hub):
    return enrolled(hub)


def _everything(hub, station):
    """All lines that the hub gives back, followed piece by piece."""
    lines, after = [], GENESIS
    while (data := hub.read_after(station.id, after)) is not None:
        segment = decode(data)
        ids = prove(segment, station.key.public)
        skip = ids.index(after) + 1 if after in ids else 0
        lines += segment.lines[skip:]
        after = ids[-1]
    return lines


def test_a_piece_is_stored_and_its_receipt_signed(hub, station):
    station.signs_in(3)
    taken = hub.ingest(station.id, station.piece(2))
    assert (taken.seq, taken.event_id) == (4, station.ids[-1])
    assert (taken.stored, taken.duplicates, taken.need, taken.notices) == (3, 0, None, ())
    assert taken.durable_through == taken.receipt.durable_through == 4
    assert taken.receipt.is_signed_by(hub.receipt_key)
    assert _everything(hub, station) == station.lines


def test_the_same_piece_again_gives_the_same_answer(hub, station):
    station.signs_in(3)
    first = hub.ingest(station.id, station.piece(2))
    again = hub.ingest(station.id, station.piece(2))
    assert (again.stored, again.duplicates, again.receipt) == (0, 3, first.receipt)


def test_an_overlap_is_trimmed_by_event_id(hub, station):
    station.signs_in(5)
    hub.ingest(station.id, station.piece(2, 4))
    taken = hub.ingest(station.id, station.piece(3, 6))
    assert (taken.stored, taken.duplicates, taken.seq) == (2, 2, 6)
    assert _everything(hub, station) == station.lines


def test_a_copied_station_is_stored_as_a_second_branch(hub, station):
    station.signs_in(5)
    hub.ingest(station.id, station.piece(2))
    copy = station.fork(3)
    copy.add(bound(board(1), lamp(1)))
    taken = hub.ingest(station.id, copy.piece(4))
    assert (taken.stored, taken.seq, taken.event_id) == (1, 4, copy.ids[-1])
    assert [(notice.code, notice.seq) for notice in taken.notices] == [("fork", 4)]
    assert hub.frontier()[station.id] == (6, station.ids[-1])
    # Both go on growing, and both are told of the fork.
    copy.signs_in(1)
    station.signs_in(1)
    assert hub.ingest(station.id, copy.piece(5)).event_id == copy.ids[-1]
    grown = hub.ingest(station.id, station.piece(7))
    assert grown.event_id == station.ids[-1]
    assert grown.notices[0].code == "fork"
    assert [notice.code for notice in hub.standing(station.id).notices] == ["fork"]
    [row] = hub.show("stations")
    assert row["branches"] == 2


def test_a_part_sent_again_after_a_fork_is_acknowledged_as_far_as_it_goes(hub, station):
    station.signs_in(6)
    hub.ingest(station.id, station.piece(2))
    copy = station.fork(4)
    copy.signs_in(1)
    for _ in range(2):  # before and after the hub knows of the fork
        again = hub.ingest(station.id, copy.piece(2, 4))
        assert (again.stored, again.seq, again.event_id) == (0, 4, copy.ids[3])
        hub.ingest(station.id, copy.piece(5))


def test_who_stands_on_one_history_is_led_to_the_other_from_where_they_part(hub, station):
    station.signs_in(6)
    hub.ingest(station.id, station.piece(2))
    copy = station.fork(3)
    copy.signs_in(2)
    hub.ingest(station.id, copy.piece(4))
    segment = decode(hub.read_after(station.id, station.ids[-1], toward=copy.ids[-1]))
    assert (segment.first, segment.before, segment.head) == (4, copy.ids[2], copy.ids[-1])
    assert hub.read_after(station.id, copy.ids[-1], toward=copy.ids[-1]) is None
    assert decode(hub.read_after(station.id, GENESIS, toward=copy.ids[-1])).first == 1


def test_each_history_of_a_fork_has_its_own_receipt(hub, station):
    station.signs_in(5)
    hub.ingest(station.id, station.piece(2))
    copy = station.fork(3)
    copy.signs_in(1)
    hub.ingest(station.id, copy.piece(4))
    receipt = hub.receipt_at(station.id, copy.seq, copy.ids[-1])
    assert (receipt.durable_through, receipt.event_id) == (4, copy.ids[-1])
    assert receipt.is_signed_by(hub.receipt_key)
    with pytest.raises(Refused, match="does not stand at 4"):
        hub.receipt_at(station.id, 4, GENESIS)


def test_both_branches_can_be_read(hub, station):
    station.signs_in(4)
    hub.ingest(station.id, station.piece(2))
    copy = station.fork(2)
    copy.signs_in(1)
    copy.add(bound(board(1), lamp(1)))
    hub.ingest(station.id, copy.piece(3))
    data = hub.read_after(station.id, copy.ids[1], toward=copy.ids[-1])
    assert decode(data).head == copy.ids[-1]
    assert _everything(hub, station) == station.lines


def test_a_fork_that_overlaps_both_histories_keeps_the_common_part_once(hub, station):
    station.signs_in(4)
    hub.ingest(station.id, station.piece(2))
    copy = station.fork(3)
    copy.add(bound(board(1), lamp(1)))
    taken = hub.ingest(station.id, copy.piece(1))
    assert (taken.duplicates, taken.stored) == (3, 1)


def test_an_unknown_past_is_asked_for(hub, station):
    station.signs_in(9)
    hub.ingest(station.id, station.piece(2))
    other = station.fork(2)
    for number in range(5):
        other.add(bound(board(number), lamp(number)))
    taken = hub.ingest(station.id, other.piece(6))
    assert taken.need == 1
    assert hub.common(station.id, list(enumerate(other.ids, 1))) == (2, station.ids[1])


def test_a_head_of_another_key_is_refused_and_set_aside(hub, station):
    station.signs_in(1)
    stranger = Station("S99")
    with pytest.raises(Refused, match="not that of the journal's key") as refusal:
        hub.ingest(station.id, station.piece(2, key=stranger.key))
    assert refusal.value.code == "forged"
    assert hub.fingerprint()["quarantined"] == 1
    assert hub.standing(station.id).seq == 1


def test_every_flipped_byte_of_a_piece_is_refused(hub, station):
    station.signs_in(1)
    good = station.piece(2)
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 1
        with pytest.raises(Refused):
            hub.ingest(station.id, bytes(bad))
    assert hub.standing(station.id).seq == 1


def test_an_oversized_delivery_is_refused_before_it_is_read(hub, station):
    with pytest.raises(Refused) as refusal:
        hub.ingest(station.id, bytes(DELIVERY_BYTES_MAX + 1))
    assert refusal.value.code == "too_large"


def test_a_stranger_is_refused(hub):
    stranger = Station("S99")
    with pytest.raises(Refused) as refusal:
        hub.ingest(stranger.id, stranger.piece())
    assert refusal.value.code == "unknown_journal"


def test_a_piece_of_another_journal_is_refused_at_this_address(hub, station):
    other = enrolled(hub, "S04")
    with pytest.raises(Refused, match="as the address says"):
        hub.ingest(station.id, other.piece())


def test_nobody_else_writes_a_feed(hub):
    feed = hub.office.secrets.feeds["keys"].journal
    with pytest.raises(Refused) as refusal:
        hub.ingest(feed, hub.read_after(feed, GENESIS))
    assert refusal.value.code == "not_allowed"


def test_an_authentic_line_that_nobody_can_read_is_stored_and_acknowledged(hub, station):
    station.add_line(b'{"t":"moon.landed","v":7,"b":{}}')
    station.add_line(b"not json at all")
    taken = hub.ingest(station.id, station.piece(2))
    assert (taken.seq, taken.stored) == (3, 2)
    assert hub.fingerprint()["uninterpreted"] == 2
    assert _everything(hub, station) == station.lines


def test_loose_lines_go_out_as_one_piece_under_their_newest_head(hub, station):
    for seq in range(2, 40):
        station.signs_in(1)
        hub.ingest(station.id, station.piece(seq, seq))
    data = hub.read_after(station.id, station.ids[9])
    segment = decode(data)
    assert (segment.first, segment.last) == (11, 39)
    assert prove(segment, station.key.public)[-1] == station.ids[-1]
    assert hub.read_after(station.id, station.ids[-1]) is None


def test_a_reader_inside_a_piece_gets_that_piece(hub, station):
    station.signs_in(9)
    hub.ingest(station.id, station.piece(2))
    segment = decode(hub.read_after(station.id, station.ids[4]))
    assert segment.first <= 6 <= segment.last


def test_a_position_that_nobody_holds_is_refused(hub, station):
    with pytest.raises(Refused, match="does not stand in"):
        hub.read_after(station.id, bytes(31) + b"\x01")
    with pytest.raises(Refused) as refusal:
        hub.read_after(JournalId(bytes(16)), GENESIS)
    assert refusal.value.code == "unknown_journal"


def test_a_seal_takes_the_place_of_loose_pieces_and_keeps_every_line(hub, station):
    for seq in range(2, 31):
        station.signs_in(1)
        hub.ingest(station.id, station.piece(seq, seq))
    before = hub.fingerprint()
    taken = hub.ingest_seal(station.id, station.seal_header(1, 20))
    assert (taken.duplicates, taken.need) == (20, None)
    assert hub.fingerprint() == before
    assert hub.read_after(station.id, GENESIS) == station.sealed(1, 20)
    assert _everything(hub, station) == station.lines
    [_, *tail] = list(_rows(hub, station))
    assert [row[1] for row in tail] == list(range(21, 31))
    again = hub.ingest_seal(station.id, station.seal_header(1, 20))
    assert again.receipt == taken.receipt


def test_a_seal_inside_a_piece_leaves_both_ends(hub, station):
    station.signs_in(29)
    hub.ingest(station.id, station.piece(2, 30))
    hub.ingest_seal(station.id, station.seal_header(11, 20))
    assert [(row[1], row[2], row[3]) for row in _rows(hub, station)] == [
        (1, 1, 0),
        (2, 10, 0),
        (11, 20, 1),
        (21, 30, 0),
    ]
    assert _everything(hub, station) == station.lines
    station.signs_in(1)
    assert hub.ingest(station.id, station.piece(31)).seq == 31
    assert _everything(hub, station) == station.lines


def test_a_seal_whose_lines_are_missing_names_the_first_one(hub, station):
    station.signs_in(9)
    hub.ingest(station.id, station.piece(2, 5))
    assert hub.ingest_seal(station.id, station.seal_header(1, 10)).need == 6


def test_a_forged_seal_changes_nothing(hub, station):
    station.signs_in(4)
    hub.ingest(station.id, station.piece(2))
    forged = station.segment(1, 5)
    stranger = Station("S99").segment(1, 1)
    bad = encode(type(forged)(**{**_fields(forged), "seal": stranger.seal}))
    with pytest.raises(Refused) as refusal:
        hub.ingest_seal(station.id, bad.split(b"\n", 1)[0])
    assert refusal.value.code == "forged"
    assert all(row[3] == 0 for row in _rows(hub, station))


@pytest.mark.parametrize("header", [b"", b"[]", b'{"first":1}', b"\xff", b"[" * 5000, bytes(20000)])
def test_what_is_no_seal_is_refused_in_words(hub, station, header):
    with pytest.raises(Refused):
        hub.ingest_seal(station.id, header)


def test_a_sealed_segment_may_bring_new_events_and_old_ones(hub, station):
    station.signs_in(19)
    hub.ingest(station.id, station.piece(2, 7))
    taken = hub.ingest(station.id, station.sealed(1, 20))
    assert (taken.stored, taken.duplicates, taken.seq) == (13, 7, 20)
    assert [(row[1], row[2], row[3]) for row in _rows(hub, station)] == [(1, 20, 1)]
    assert _everything(hub, station) == station.lines


def test_any_order_of_deliveries_ends_in_the_same_ledger(hub, station):
    for number in range(12):
        station.add(bound(board(number), lamp(number)))
    pieces = [station.piece(first, first + 1) for first in range(2, 13)]
    for _ in range(12):  # backwards again and again: each round can take one more
        for piece in reversed(pieces):
            hub.ingest(station.id, piece)
    straight = a_hub()
    twin = enrolled(straight)
    twin.lines, twin.ids = station.lines, station.ids
    straight.ingest(twin.id, twin.piece(2))
    assert hub.show("findings") == straight.show("findings")
    assert hub.frontier()[station.id] == straight.frontier()[twin.id]


def _rows(hub, station):
    store = hub.office.store
    journal = store.find_journal(station.id)
    return [
        (branch.no, piece.first, piece.last, int(piece.is_sealed))
        for branch in store.branches(journal.no)
        for piece in store.pieces(branch.no, 1, branch.tip_seq)
    ]


def _fields(segment):
    return {name: getattr(segment, name) for name in segment.__slots__}


def test_a_journal_forked_a_thousand_times_is_followed_to_its_beginning(hub, station):
    store = hub.office.store
    with store.transaction():
        row = store.find_journal(station.id)
        [branch] = store.branches(row.no)
        for _ in range(1100):
            station.signs_in(1)
            seq, before, head = station.seq, station.before(station.seq), station.ids[-1]
            branch = store.add_branch(row.no, branch.no, seq - 1, before)
            store.add_piece(
                branch.no,
                first=seq,
                last=seq,
                before=before,
                head=head,
                is_sealed=False,
                blob=station.piece(seq),
            )
            store.move_tip(branch.no, seq, head)
    taken = hub.ingest_seal(station.id, station.seal_header(102, station.seq))
    assert (taken.need, taken.event_id) == (None, station.ids[-1])
