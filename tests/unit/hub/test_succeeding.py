"""One journal goes on in the place of another: who may, who is told, what becomes of the codes."""

import base64

import pytest

from hub.services import Refused, revoking
from hub.web.standing import standing_of
from tally.events import types as t
from tally.events.decoding import read_lines
from tally.records.ids import GENESIS, ref_to, show_journal
from tally.records.segment import decode
from tally.records.signing import SUCCESSION, succession_message
from tests.support.hub_floor import Clock, Station, a_hub, demo_files, enrolled, secret_of


@pytest.fixture
def hub():
    made = a_hub(Clock())
    made.publish(demo_files())
    return made


@pytest.fixture
def s03(hub):
    """A station of which the hub holds five events, with a block of lamps' codes, two used."""
    station = enrolled(hub)
    block = hub.lease(station.id, "r1", "bl2@1", 30).block
    for counter in (block.start, block.start + 1):
        station.add(t.CodeReserved(f"BL2-2647-{counter:06d}", "bl2@1", block.block, counter))
    station.signs_in(2)
    hub.ingest(station.id, station.piece(2))
    return station


class Successor(Station):
    """The journal that goes on after another of the same station."""

    def __init__(self, before, salt="-next"):
        super().__init__(before.name, salt=salt)
        self.lines, self.ids, self.events = [], [], []
        last = ref_to(before.id, before.seq, before.ids[-1])
        key = base64.b64encode(self.key.public.raw).decode()
        names = (show_journal(self.id), key, "NB1", before.name, "station", "forked")
        opened = t.JournalOpened(*names, predecessor=show_journal(before.id))
        self.add(opened, by="system", seen=(str(last),))


def signed(hub, before, after, key=None):
    """The old key's word for the new journal."""
    message = succession_message(hub.hub_id, before.id, after.ids[0])
    return (key or before.key).sign(SUCCESSION, message)


def succeed(hub, before, after, **more):
    return hub.succeed(before.id, after.piece(), signed(hub, before, after, **more))


def said(hub, feed):
    at, bodies = GENESIS, []
    journal = hub.office.secrets.feeds[feed].journal
    while (data := hub.read_after(journal, at)) is not None:
        segment = decode(data)
        at = segment.head
        bodies += [event.b for event in read_lines(segment.lines)]
    return bodies


def test_a_successor_is_known_the_old_journal_closed_and_its_blocks_written_off(hub, s03):
    after = Successor(s03)
    facts = succeed(hub, s03, after)
    assert (facts.station, facts.hub_id) == ("S03", hub.hub_id)
    assert hub.key_of(after.id) == after.key.public
    assert hub.journal_of("S03") == after.id
    *_, enrolment, closed = said(hub, "keys")
    assert isinstance(enrolment, t.StationEnrolled)
    assert closed == t.JournalClosed(
        show_journal(s03.id), "S03", show_journal(after.id), "succeeded"
    )
    assert isinstance(said(hub, "leases")[-1], t.BlockWrittenOff)
    [row] = hub.show("balance")
    assert (row["unused"], row["in_flight"], row["written_off"], row["unexplained"]) == (
        0,
        2,
        28,
        0,
    )


def test_a_lost_reply_can_be_asked_for_again_and_changes_nothing(hub, s03):
    after = Successor(s03)
    assert succeed(hub, s03, after) == succeed(hub, s03, after)
    assert sum(isinstance(one, t.JournalClosed) for one in said(hub, "keys")) == 1


def test_the_second_copy_is_told_that_another_was_first(hub, s03):
    succeed(hub, s03, Successor(s03))
    with pytest.raises(Refused, match="Another copy of S03 went on") as refusal:
        succeed(hub, s03, Successor(s03, salt="-twin"))
    assert refusal.value.code == "succeeded"


def test_a_closed_journal_is_heard_but_gets_no_codes(hub, s03):
    succeed(hub, s03, Successor(s03))
    s03.signs_in(1)
    taken = hub.ingest(s03.id, s03.piece(6))
    assert (taken.stored, [one.code for one in taken.notices]) == (1, ["closed"])
    assert "closed" in [one.code for one in hub.standing(s03.id).notices]
    with pytest.raises(Refused, match="is closed") as refusal:
        hub.lease(s03.id, "r2", "bl2@1", 10)
    assert refusal.value.code == "closed"
    assert hub.lease(s03.id, "r1", "bl2@1", 30).repeated


def test_what_was_in_flight_is_finished_by_the_successor(hub, s03):
    after = Successor(s03)
    succeed(hub, s03, after)
    hub.stock(hub_stock := _stock())
    code = next(e.b.code for e in s03.events if isinstance(e.b, t.CodeReserved))
    after.add(t.UnitCommissioned(code, "BL-2@4", block="B-01"))
    hub.ingest(after.id, after.piece(2))
    [row] = hub.show("balance")
    assert (row["in_flight"], row["commissioned"], row["unexplained"]) == (1, 1, 0)
    [page] = hub.stock(hub_stock)
    assert {key: page[key] for key in ("in_flight", "commissioned", "written_off")} == {
        "in_flight": 1,
        "commissioned": 1,
        "written_off": 28,
    }


def _stock():
    from hub.services.stocktaking import Stock

    return Stock()


@pytest.mark.parametrize("wrong", ["key", "predecessor", "writer"])
def test_only_the_old_key_names_the_successor_of_its_own_journal(hub, s03, wrong):
    s04 = enrolled(hub, "S04")
    after = Successor(s04 if wrong == "writer" else s03)
    of = s04 if wrong == "predecessor" else s03
    key = s04.key if wrong == "key" else of.key
    with pytest.raises(Refused) as refusal:
        succeed(hub, of, after, key=key)
    assert refusal.value.code == ("forged" if wrong == "key" else "malformed")
    assert hub.key_of(after.id) is None


def test_where_a_person_has_to_let_it_the_old_key_is_not_enough(hub, s03):
    from dataclasses import replace

    strict = replace(hub, office=replace(hub.office, lets_succeed=False))
    with pytest.raises(Refused, match="a person lets") as refusal:
        succeed(strict, s03, Successor(s03))
    assert refusal.value.code == "not_allowed"


def test_a_token_closes_the_journal_of_whoever_had_the_place(hub, s03):
    after = Successor(s03)
    hub.enroll(secret_of(hub.open_token("S03", ["hub:1"])), after.piece())
    closed = said(hub, "keys")[-1]
    assert (closed.journal, closed.reason) == (show_journal(s03.id), "enrolled")
    assert [row["written_off"] for row in hub.show("balance")] == [28]
    again = Successor(after, salt="-third")
    hub.enroll(secret_of(hub.open_token("S03", ["hub:1"])), again.piece())
    ends = [one.journal for one in said(hub, "keys") if isinstance(one, t.JournalClosed)]
    assert ends == [show_journal(s03.id), show_journal(after.id)]


def test_two_histories_are_told_to_all_who_pull_keys(hub, s03):
    twin = s03.fork(3)
    twin.signs_in(4)
    hub.ingest(s03.id, twin.piece(4))
    forked = said(hub, "keys")[-1]
    assert forked == t.JournalForked(
        show_journal(s03.id),
        "S03",
        3,
        (str(ref_to(s03.id, 5, s03.ids[4])), str(ref_to(s03.id, 7, twin.ids[6]))),
    )
    twin.signs_in(1)
    hub.ingest(s03.id, twin.piece(8))
    assert sum(isinstance(one, t.JournalForked) for one in said(hub, "keys")) == 1


def test_a_key_that_was_taken_back_names_no_successor(hub, s03):
    revoking.revoke(hub.office, "S03", since="next", by="BDG-3001", reason="laptop stolen")
    with pytest.raises(Refused) as caught:
        succeed(hub, s03, Successor(s03))
    assert caught.value.code == "not_allowed"
    assert "taken back" in caught.value.words


def test_the_console_asks_for_nobody_once_another_journal_goes_on(hub, s03):
    twin = s03.fork(3)
    twin.signs_in(4)
    hub.ingest(s03.id, twin.piece(4))
    [before] = [one for one in standing_of(hub).stations if one.station == "S03"]
    assert before.is_forked
    after = Successor(s03)
    succeed(hub, s03, after)
    [found] = [one for one in standing_of(hub).stations if one.station == "S03"]
    assert (found.is_forked, found.former) == (False, 1)
    ends = {row["journal"]: row["successor"] for row in hub.show("stations")}
    assert ends == {show_journal(s03.id): show_journal(after.id), show_journal(after.id): None}
