"""Two or three stations without a hub: what each takes of the others, and what it refuses."""

import sqlite3
from dataclasses import replace

import pytest

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.standing import Durability, durability, read_by_neighbours, read_witnesses
from edge_agent.sync import port
from edge_agent.sync.peers.desk import Asked
from edge_agent.sync.peers.exchange import PeerState, on_reply
from edge_agent.sync.turn import Reply, Unreached
from edge_agent.sync.wording import say
from tally.events.types import KeyRevoked
from tally.records.ids import show_journal
from tally.records.signing import SigningKey
from tally.records.witness import sign_witness
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.peers import Greeting, show_witness
from tally.wire.reading import read_message, write_message
from tests.simulation.machines import a_disk
from tests.support.building import Writing, bound
from tests.support.neighbours import Standing, asked_of
from tests.support.stations import NOON, Bench, Plant, piece, writing_of

LINE = "L2"


def fact(number):
    return OwnFact(bound(f"PCB-{number}", f"BL2-{number}"), "BDG-1107")


class Floor:
    """Stations of one line that the plant's keys name, and some events each."""

    def __init__(self, *names, line=LINE):
        self.plant = Plant()
        self.benches = [Bench(self.plant, name, line=line) for name in names]
        for bench in self.benches:
            writing = writing_of(bench.identity.station)
            writing.id, writing.key = bench.identity.journal, bench.identity.key
            self.plant.enrol(writing, LINE)
        self.stations = [Standing(bench, bench.told(bench.open())) for bench in self.benches]

    def record(self, index, count=3):
        station = self.stations[index]
        for number in range(count):
            station.journal.append([fact(number)], None, at=NOON)
        return station


@pytest.fixture
def pair():
    floor = Floor("S02", "S03")
    floor.record(0)
    return floor


def ids(station, journal):
    rows = station.journal.connection.execute(
        """SELECT id, line FROM foreign_event JOIN branch ON place >> 40 = branch
           WHERE journal = ? ORDER BY place""",
        (journal,),
    )
    return rows.fetchall()


def greeting_with(body):
    """A neighbour that greets with this, whatever is true."""
    return lambda request, reply: replace(reply, body=body) if request.kind == "hello" else reply


def own(station):
    return station.journal.connection.execute("SELECT id, line FROM event ORDER BY seq").fetchall()


def test_what_a_neighbour_recorded_is_taken_byte_for_byte(pair):
    s02, s03 = pair.stations
    s03.visit(s02)
    assert ids(s03, s02.whom.journal) == own(s02)
    assert not s03.refused


def test_a_second_round_asks_only_for_a_greeting(pair):
    s02, s03 = pair.stations
    s03.visit(s02)
    assert [one.kind for one in s03.visit(s02)] == ["hello"]


def test_a_round_for_the_start_asks_for_the_own_journal_only():
    floor = Floor("S02", "S03")
    s02, s03 = floor.record(0), floor.record(1)
    s02.visit(s03)
    image = sqlite3.connect(":memory:", isolation_level=None)
    s03.journal.connection.backup(image)
    floor.record(1)
    floor.record(0)
    s02.visit(s03)
    again = Standing(floor.benches[1], floor.benches[1].open(connection=image))
    made = again.visit(s02, asks_own_only=True)
    asked = [one for one in made if one.kind == "pull"]
    assert {one.journal for one in asked} == {s03.whom.journal}
    assert again.journal.is_suspect
    assert s02.whom.journal not in again.journal.others.frontier()
    again.visit(s02)
    assert s02.whom.journal in again.journal.others.frontier()


@pytest.mark.parametrize("is_sealed", [False, True])
def test_an_end_that_the_own_key_signed_shows_an_old_image_though_its_events_are_gone(is_sealed):
    floor = Floor("S02", "S03")
    s02, s03 = floor.stations[0], floor.record(1)
    image = sqlite3.connect(":memory:", isolation_level=None)
    s03.journal.connection.backup(image)
    floor.record(1)
    if is_sealed:
        s03.journal.cut_segment()
    s02.visit(s03)
    s03.visit(s02)
    assert not s03.journal.is_suspect
    for table in ("foreign_event", "proof"):
        s02.journal.connection.execute(f"DELETE FROM {table}")
    again = Standing(floor.benches[1], floor.benches[1].open(connection=image))
    made = again.visit(s02, asks_own_only=True)
    assert port.OwnEndSeen(s03.journal.seq, "S02") in again.effects
    assert "pull" in [one.kind for one in made]  # in vain


@pytest.mark.parametrize("how", ["nonsense", "ours", "another key", "another journal", "long"])
def test_an_end_that_the_own_key_did_not_sign_proves_nothing(pair, how):
    s02, s03 = pair.stations
    other = Writing("S09")
    for number in range(9):
        other.add(fact(number).body)
    ours = s03.whom.journal
    header = {
        "nonsense": b'{"tally":\xff}',
        "ours": piece(other).split(b"\n")[0].replace(b"x", b"y"),
        "another key": piece(other)
        .replace(show_journal(other.id).encode(), show_journal(ours).encode())
        .split(b"\n")[0],
        "another journal": piece(other).split(b"\n")[0],
        "long": b"{" * 1500,
    }[how]
    said = Greeting(run="r", end=header.decode("latin-1"))
    s03.visit(s02, greeting_with(write_message(said)))
    assert not [one for one in s03.effects if isinstance(one, port.OwnEndSeen)]


def test_what_a_third_station_recorded_is_passed_on_unchanged():
    floor = Floor("S01", "S02", "S03")
    s01, s02, s03 = floor.stations
    floor.record(0)
    s02.visit(s01)
    s03.visit(s02)
    assert ids(s03, s01.whom.journal) == own(s01)


def test_sealed_segments_are_passed_on_whole_and_under_their_seal():
    floor = Floor("S01", "S02", "S03")
    s01, s02, s03 = floor.stations
    floor.record(0, 20)
    s01.journal.cut_segment()
    floor.record(0, 5)
    s02.visit(s01)
    s03.visit(s02)
    assert ids(s03, s01.whom.journal) == own(s01)


def test_both_histories_of_a_forked_neighbour_are_passed_on():
    floor = Floor("S01", "S02", "S03")
    _, s02, s03 = floor.stations
    forked = writing_of("S09")
    floor.plant.enrol(forked, LINE)
    for data in floor.plant.everything():
        s02.journal.ingest(data, at=NOON)
    for number in range(6):
        forked.add(fact(number).body)
    other = forked.fork(after=3)
    other.add(fact(90).body)
    s02.journal.ingest(piece(forked), at=NOON)
    s02.journal.ingest(piece(other), at=NOON)
    assert s02.journal.others.forks() == (forked.id,)
    s03.visit(s02)
    assert ids(s03, forked.id) == ids(s02, forked.id)
    assert s03.journal.others.forks() == (forked.id,)
    assert [one.kind for one in s03.visit(s02)] == ["hello"]


def test_feeds_of_the_hub_are_passed_on_as_well():
    floor = Floor("S02", "S03")
    s02, s03 = floor.stations
    floor.plant.publish_demo()
    for data in floor.plant.everything():
        s02.journal.ingest(data, at=NOON)
    s03.visit(s02)
    assert s03.journal.ledger.fingerprint().hex64 != ""
    master = floor.plant.feeds["master"]
    assert len(ids(s03, master.id)) == master.seq


def test_a_station_enrolled_meanwhile_becomes_known_by_a_neighbour_in_one_round():
    floor = Floor("S02", "S03")
    s02, s03 = floor.stations
    new = writing_of("S04")
    floor.plant.enrol(new, LINE)
    new.add(fact(1).body)
    for data in (*floor.plant.everything(), piece(new)):
        s02.journal.ingest(data, at=NOON)
    s03.visit(s02)
    assert len(ids(s03, new.id)) == new.seq


def test_the_neighbour_learns_that_its_events_are_held_here(pair):
    s02, s03 = pair.stations
    s03.visit(s02)
    (kept,) = read_witnesses(s02.journal.connection)
    assert (kept.name, kept.seq) == ("S03", s02.journal.seq)
    connection, journal = s02.journal.connection, s02.whom.journal
    assert durability(connection, journal, s02.journal.seq) == Durability("peers", 1)
    pair.record(0)
    assert durability(connection, journal, s02.journal.seq) == Durability("local")


def test_a_receipt_of_the_hub_counts_more_than_neighbours(pair):
    s02, s03 = pair.stations
    s03.visit(s02)
    s02.journal.save_receipt(pair.plant.receipt(s02.journal, archived_through=2))
    connection, journal = s02.journal.connection, s02.whom.journal
    assert durability(connection, journal, 2).level == "archived"
    assert durability(connection, journal, s02.journal.seq).level == "hub"


def test_a_receipt_reaches_the_writer_by_a_neighbour(pair):
    s02, s03 = pair.stations
    s03.visit(s02)
    receipt = pair.plant.receipt(s02.journal)
    s03.journal.keep_receipt_of_neighbour(receipt)
    s02.visit(s03)
    assert s02.journal.unsent == 0


def test_a_receipt_that_the_hub_did_not_sign_is_not_kept(pair):
    s02, s03 = pair.stations
    forged = pair.plant.receipt(s02.journal, key=SigningKey(b"\1" * 32))
    said = write_message(Greeting(run="x", receipt=m.show_receipt(forged)))
    s02.visit(s03, greeting_with(said))
    assert s02.journal.unsent == s02.journal.seq
    assert s02.refused == [], "it may be of a key that comes with the hub's feed"


@pytest.mark.parametrize("how", ["another key", "another event", "another journal"])
def test_a_witness_that_does_not_hold_counts_for_nothing(pair, how):
    s02, s03 = pair.stations
    key = SigningKey(b"\1" * 32) if how == "another key" else s03.whom.key
    event_id = own(s02)[1 if how == "another event" else 2][0]
    journal = s03.whom.journal if how == "another journal" else s02.whom.journal
    witness = sign_witness(key, s03.whom.journal, journal, 3, event_id)
    said = write_message(Greeting(run="x", witness=show_witness(witness)))
    s02.visit(s03, greeting_with(said))
    assert read_witnesses(s02.journal.connection) == []


def test_what_came_by_neighbours_waits_for_the_hub(pair):
    s02, s03 = pair.stations
    s03.visit(s02)
    journal = s02.whom.journal
    assert read_by_neighbours(s03.journal.connection) == {journal: 1}
    s03.journal.standing.hub_holds(journal, 2)
    assert read_by_neighbours(s03.journal.connection) == {journal: 3}
    s03.journal.standing.hub_holds(journal, s02.journal.seq)
    assert read_by_neighbours(s03.journal.connection) == {}


# --- bad neighbours -----------------------------------------------------------------------------


def test_own_events_that_only_a_neighbour_knows_make_the_station_suspect(pair):
    s02, s03 = pair.stations
    image = s02.journal.connection.serialize()
    pair.record(0)
    s03.visit(s02)
    restored = Standing(s02.bench, s02.bench.open(connection=a_disk(image)))
    assert not restored.journal.is_suspect
    restored.visit(s03)
    assert restored.journal.is_suspect
    assert [one.kind for one in restored.visit(s03)] == ["hello"]


def test_a_neighbour_that_invents_a_head_is_asked_in_vain_and_nothing_comes_of_it(pair):
    s02, s03 = pair.stations
    tips = [(s02.whom.journal, 99), (s03.whom.journal, 99)]
    invented = tuple(
        m.Subscription(
            journal=show_journal(journal), name="S", kind="station", seq=seq, id="ab" * 32
        )
        for journal, seq in tips
    )
    said = write_message(Greeting(run="x", holdings=invented))
    made = s03.visit(
        s02, lambda r, reply: replace(reply, body=said) if r.kind == "hello" else reply
    )
    assert len(made) < 20
    assert not s03.journal.is_suspect


def altered(request, reply):
    if request.kind != "pull" or reply.status != 200:
        return reply
    return replace(reply, body=reply.body[:-3] + bytes([reply.body[-3] ^ 1]) + reply.body[-2:])


def test_an_altered_piece_is_refused_and_the_journal_is_taken_in_the_next_round(pair):
    s02, s03 = pair.stations
    s03.visit(s02, altered)
    assert ids(s03, s02.whom.journal) == []
    assert s03.refused
    s03.visit(s02)
    assert ids(s03, s02.whom.journal) == own(s02)


def test_what_one_neighbour_withholds_or_alters_comes_by_another():
    floor = Floor("S01", "S02", "S03")
    s01, s02, s03 = floor.stations
    floor.record(0)
    s02.visit(s01)
    withheld = lambda request, reply: Reply(204, "", b"") if request.kind == "pull" else reply
    for bad in (altered, withheld):
        s03.visit(s01, bad)
        assert ids(s03, s01.whom.journal) == []
    s03.visit(s02)
    assert ids(s03, s01.whom.journal) == own(s01)


def test_a_neighbour_whose_journals_are_all_wrong_is_left_alone_for_a_while():
    floor = Floor("S01", "S02", "S03", "S04")
    s01, s02, s03, s04 = floor.stations
    for index, station in enumerate((s01, s02, s03)):
        floor.record(index)
        if station is not s01:
            s01.visit(station)
    s04.visit(s01, altered)
    assert len(s04.refused) == 3
    assert s04.states[s01.whom.journal].not_before >= s04.now + 60


def test_a_station_whose_key_was_taken_back_is_told_nothing(pair):
    s02, s03 = pair.stations
    s03.visit(s02)
    event_id = own(s03)[-1][0]
    ref = f"{show_journal(s03.whom.journal)}:{s03.journal.seq}:{event_id[:8].hex()}"
    name = show_journal(s03.whom.journal)
    pair.plant.keys.add(KeyRevoked(name, "S03", "stolen", ref), by="BDG-3001")
    for data in pair.plant.everything():
        s02.journal.ingest(data, at=NOON)
    made = s03.visit(s02)
    assert {s02.desk.answer(asked_of(one)).status for one in made} == {401, 403}


def test_answers_without_end_end_with_the_round(pair):
    s02, s03 = pair.stations
    many = tuple(
        m.Subscription(
            journal=show_journal(s02.whom.journal),
            name="S02",
            kind="station",
            seq=seq,
            id=f"{seq:064x}",
        )
        for seq in range(1, 900)
    )
    said = write_message(Greeting(run="x", holdings=many))
    made = s03.visit(
        s02, lambda r, reply: replace(reply, body=said) if r.kind == "hello" else reply
    )
    assert len(made) <= 200


def test_a_station_of_another_line_gets_no_session_and_reads_nothing(pair):
    s02, _ = pair.stations
    stranger = writing_of("S77")
    pair.plant.enrol(stranger, "L9")
    for data in pair.plant.everything():
        s02.journal.ingest(data, at=NOON)
    asked = m.SessionRequest(journal=show_journal(stranger.id), run="r")
    body = write_message(asked)
    answered = s02.desk.answer(Asked("POST", p.SESSION, {}, None, "1", body))
    assert answered.status == 403


def test_nothing_is_read_without_a_session(pair):
    s02, s03 = pair.stations
    made = s03.visit(s02)
    for request in made:
        if request.kind in {"hello", "pull"}:
            answered = s02.desk.answer(asked_of(request, bearer="0" * 64))
            assert answered.status == 401
            assert read_message(answered.body, m.Problem).code == "no_session"


def test_an_answer_to_one_neighbours_challenge_opens_no_session_at_another():
    floor = Floor("S01", "S02", "S03")
    s01, s02, s03 = floor.stations
    made = s03.visit(s02)
    answer = next(one for one in made if one.kind == "answer")
    for request in (made[0], answer):
        answered = s01.desk.answer(asked_of(request))
    assert answered.status == 401


def test_a_challenge_is_answered_once(pair):
    s02, s03 = pair.stations
    answer = next(one for one in s03.visit(s02) if one.kind == "answer")
    assert s02.desk.answer(asked_of(answer)).status == 401


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", "/", {}),
        ("PUT", "/v1/journals/AAAA/records", {}),
        ("GET", "/v1/journals/AAAA/records", {}),
        ("GET", "/v1/journals/{own}/records", {"after": "zz"}),
        ("GET", "/v1/journals/{own}/records", {"after": "ab" * 32, "seq": "2"}),
        ("GET", "/v1/journals/{own}/records", {"after": "ab" * 32, "seq": "9" * 17}),
        ("GET", "/v1/journals/{own}/records", {"after": "ab" * 32, "seq": "-1"}),
        ("GET", "/v1/journals/{strange}/records", {}),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_problem_document(pair, method, path, query):
    s02, s03 = pair.stations
    made = s03.visit(s02)
    bearer = next(one.bearer for one in made if one.bearer)
    path = path.format(own=show_journal(s02.whom.journal), strange="A" * 26)
    answered = s02.desk.answer(Asked(method, path, query, bearer, "1", b""))
    assert 400 <= answered.status < 500
    assert answered.content_type == p.PROBLEM_TYPE


def test_a_neighbour_of_another_protocol_is_told_so(pair):
    s02, _ = pair.stations
    assert s02.desk.answer(Asked("POST", p.SESSION, {}, None, "99", b"")).status == 426


@pytest.mark.parametrize(
    "reply",
    [
        Unreached(say("timeout", where="x", seconds=1)),
        Reply(500, "text/html", b"<h1>"),
        Reply(200, "text/html", b"<h1>"),
        Reply(200, p.JSON_TYPE, b"{"),
        Reply(401, p.PROBLEM_TYPE, b"{}"),
        Reply(200, p.JSON_TYPE, b'{"nonce":"' + b"ab" * 32 + b'","verifier":"00","epoch":0}'),
    ],
)
def test_whatever_comes_instead_of_an_answer_ends_the_round_or_opens_it_again(pair, reply):
    s02, s03 = pair.stations
    state = PeerState()
    seen = 0
    while not state.is_over:
        seen += 1
        assert seen < 5
        request = next(iter(s03.visit(s02)))
        state, effects = on_reply(
            s03.whom, s02.as_neighbour, state, request, reply, s03.views, float(seen)
        )
        assert effects == ()
    assert state.not_before > 0


def flip(bench_station, seq):
    """Turn one bit of an own event, beside the program."""
    connection = bench_station.journal.connection
    (line,) = connection.execute("SELECT line FROM event WHERE seq = ?", (seq,)).fetchone()
    (trigger,) = connection.execute(
        "SELECT sql FROM sqlite_schema WHERE name = 'event_is_never_changed'"
    ).fetchone()
    connection.execute("DROP TRIGGER event_is_never_changed")
    connection.execute(
        "UPDATE event SET line = ? WHERE seq = ?",
        (line[:9] + bytes([line[9] ^ 1]) + line[10:], seq),
    )
    connection.execute(trigger)


def test_an_own_event_that_only_a_neighbour_holds_is_put_back_from_it_without_the_hub(pair):
    s02, s03 = pair.stations
    s03.visit(s02)  # it takes all of S02, and signs for it
    before = own(s02)
    flip(s02, 4)
    again = Standing(pair.benches[0], pair.benches[0].open())
    assert again.journal.damaged == (4,)
    assert not again.journal.give_up(4, at=NOON)  # the hub lacks it; the neighbour does not
    again.visit(s03)
    assert again.journal.damaged == ()
    assert own(again)[: len(before)] == before
    assert not again.refused
    assert [one.kind for one in again.visit(s03)] == ["hello"]


def test_a_damaged_event_that_no_neighbour_signed_for_is_lost_and_neighbours_read_over_it(pair):
    s02, s03 = pair.stations
    s03.visit(s02)
    pair.record(0)
    lost = s02.journal.seq
    flip(s02, lost)
    again = Standing(pair.benches[0], pair.benches[0].open())
    assert again.journal.give_up(lost, at=NOON)
    s03.visit(again)
    held = s03.journal.others.frontier()[again.journal.identity.journal]
    assert held == (again.journal.seq, again.journal.event_id)
    assert [one.code for one in s03.journal.ledger.findings()] == ["event-lost"]
    assert not s03.refused
