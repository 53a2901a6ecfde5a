"""The desk shows what the hub learned: keys taken back, closed journals, gaps, ends, low gauges."""

import datetime as dt
import re

import pytest
from starlette.testclient import TestClient

from hub import trust
from hub.api.bell import Bell
from hub.certificates import AUTHORITY_WARNS
from hub.services import revoking
from hub.web.app import console_app
from hub.web.desk import Desk
from hub.web.ends import CERTIFICATE_WARNS, endings
from hub.web.pages.live import station_mark
from hub.web.sessions import Admissions
from hub.web.standing import Gap
from tally.events import types as t
from tally.records.ids import show_journal
from tests.support.building import lamp
from tests.support.hub_floor import a_hub, demo_files, enrolled, entropy_of

HERE = "http://127.0.0.1:8440"
ATTACK = '"><script>alert(1)</script>{station}'
GREETS = {"run": "r1", "unsent": 0}
ADMIN = {"by": "BDG-3001", "reason": "laptop stolen"}
DAY = dt.timedelta(days=1)
TRUE_MS = int(dt.datetime(2026, 11, 20, 6, tzinfo=dt.UTC).timestamp() * 1000)


class House:
    """A console in memory whose certificate ends when a test says."""

    def __init__(self):
        self.hub = a_hub()
        self.hub.publish(demo_files())
        self.station = enrolled(self.hub, "S03")
        self.end = None
        admissions = Admissions(lambda: 1.0, entropy_of("console"))
        self.desk = Desk(self.hub, Bell(), admissions, lambda: 1.0, lambda: self.end)
        self.client = TestClient(console_app(self.desk), base_url=HERE, follow_redirects=False)
        link = f"/in/{admissions.invite()}"
        self.client.post(link, data={"badge": "BDG-3001"}, headers={"Origin": HERE})

    def page(self, path, language="en"):
        self.desk.changed()
        self.client.cookies.set("tally-language", language)
        answer = self.client.get(path)
        assert answer.status_code == 200
        return re.sub(r"\s+", " ", answer.text).replace("&#39;", "'")

    def standing(self, name="S03"):
        self.desk.changed()
        return next(one for one in self.desk.standing().stations if one.station == name)


@pytest.fixture
def house():
    made = House()
    yield made
    made.hub.office.store.close()


# --- certificates -----------------------------------------------------------------------------


def test_only_what_ends_soon_is_said():
    now = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    far = now + AUTHORITY_WARNS
    assert endings(None, far, now) == ()
    assert endings(now + CERTIFICATE_WARNS, far, now) == ()
    [one] = endings(now + CERTIFICATE_WARNS - DAY, far, now)
    assert (one.kind, one.has_ended) == ("certificate", False)
    found = endings(now, now - DAY, now)
    assert [(one.kind, one.has_ended) for one in found] == [
        ("certificate", True),
        ("authority", True),
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", ["/", "/start", "/stations"])
def test_certificates_near_their_end_are_named_with_what_to_do(house, path, language):
    before = house.page(path, language)
    house.end = house.desk.now() + 400 * DAY
    assert house.page(path, language) == before
    assert "tally hub renew" not in before
    house.end = house.desk.now() + 100 * DAY
    assert "tally hub serve" in house.page(path, language)
    clock = house.hub.office.clock
    clock.now = trust.authority_end(house.hub.office.secrets) - 300 * DAY
    assert "tally hub renew DIR --ca" in house.page(path, language)


# --- stations ---------------------------------------------------------------------------------


def test_a_station_with_a_revoked_key_is_named_with_since_who_and_why(house):
    station = house.station
    station.add(t.ItemPacked(lamp(1), "BX-1", 1))
    station.add(t.ItemPacked(lamp(2), "BX-1", 2))
    house.hub.ingest(station.id, station.piece(2))
    calm = station_mark(house.standing())
    revoking.revoke(house.hub.office, "S03", since="3", **ADMIN)
    page = house.page("/stations")
    assert "UNTRUSTED after its event 2: BDG-3001 took the key back" in page
    assert "laptop stolen" in page
    assert "tally hub trust DIR S03" in page
    assert "tally hub enroll-token DIR S03" in page
    assert "Stations whose key was taken back: S03" in house.page("/")
    assert "第 2 条事件之后不可信" in house.page("/stations", "zh")
    assert station_mark(house.standing()) != calm


def test_a_revoked_key_asks_for_nothing_once_all_is_decided_and_the_station_goes_on(house):
    station, office = house.station, house.hub.office
    station.add(t.ItemPacked(lamp(1), "BX-1", 1))
    house.hub.ingest(station.id, station.piece(2))
    revoking.revoke(office, "S03", since="2", **ADMIN)
    enrolled(house.hub, "S03", salt="-new")
    [taken] = house.standing().taken
    assert (taken.is_open, taken.waits) == (False, True)
    assert "tally hub trust DIR S03" in house.page("/stations")
    [row] = revoking.untrusted(office)
    named = {"seen": row["seen"], "supersedes": row["supersedes"]}
    revoking.judge(office, station.id, through="all", **named, **ADMIN)
    assert house.standing().taken == []
    assert "UNTRUSTED" not in house.page("/stations")


def test_a_station_goes_on_in_its_open_journal_and_says_which_it_follows(house):
    house.hub.note_hello(house.station.id, GREETS | {"unsent": 7})
    house.hub.office.clock.forward(minutes=10)
    new = enrolled(house.hub, "S03", salt="-new")
    found = house.standing()
    assert (found.state, found.journal, found.former) == ("unheard", show_journal(new.id), 1)
    assert f"goes on after {show_journal(house.station.id)[:8]}" in house.page("/stations")
    house.hub.note_hello(new.id, GREETS)
    found = house.standing()
    assert (found.state, found.unsent, found.calling) == ("live", 0, [])


def test_a_computer_whose_journal_is_closed_is_named_while_it_calls(house):
    house.hub.note_hello(house.station.id, GREETS)
    new = enrolled(house.hub, "S03", salt="-new")
    house.hub.note_hello(new.id, GREETS)
    assert house.standing().calling == [], "its last greeting was before it was closed"
    house.hub.office.clock.forward(seconds=30)
    house.hub.note_hello(house.station.id, GREETS)
    assert house.standing().calling == [show_journal(house.station.id)]
    assert "FORMER COMPUTER CALLS" in house.page("/stations")
    assert "旧电脑仍在联系" in house.page("/stations", "zh")
    assert "Stations whose former computer still calls: S03" in house.page("/")
    house.hub.office.clock.forward(minutes=10)
    assert "FORMER COMPUTER CALLS" not in house.page("/stations")


def test_a_journal_with_a_gap_says_how_much_is_here_and_how_much_is_missing(house):
    station = house.station
    station.signs_in(1300)
    house.hub.note_hello(station.id, GREETS | {"head": 1301})
    house.hub.ingest(station.id, station.piece(1200))
    found = house.standing()
    assert found.gap == Gap(newest=102, missing=1198)
    assert found.unsent == 1198
    said = "newest 102 heard, 1,198 before them still missing"
    assert said in house.page("/stations")
    assert "最新的 102 条已到,之前还缺 1,198 条" in house.page("/stations", "zh")
    assert "<b>1,198</b> <span>Events missing before others" in house.page("/")
    for first, last in ((2, 500), (501, 900), (901, 1199)):
        house.hub.ingest(station.id, station.piece(first, last))
    assert house.standing().gap is None
    assert "still missing" not in house.page("/stations")


def test_a_lost_event_stands_at_its_station_until_it_turns_up(house):
    station = house.station
    station.signs_in(10)
    ids = station.ids
    station.add(t.EventLost(5, ids[4].hex(), ids[3].hex(), "00" * 32, "nobody has it"))
    for part in ((2, 4), (12, 12), (6, 12)):
        house.hub.ingest(station.id, station.piece(*part))
    assert list(house.standing().lost) == [5]
    assert "1 lost on its disk, the first is 5" in house.page("/stations")
    assert "在其磁盘上丢失" in house.page("/stations", "zh")
    house.hub.ingest(station.id, station.piece(5, 5))
    assert list(house.standing().lost) == []


def test_few_codes_and_little_disk_are_marked_in_words(house):
    house.hub.note_hello(house.station.id, GREETS | {"codes_left:bl2@1": 900})
    assert "LOW" not in house.page("/stations")
    assert "Nothing needs you now" in house.page("/")
    house.hub.note_hello(house.station.id, GREETS | {"codes_left:bl2@1": 9})
    assert '<td class="wrong"><b>LOW</b><br>bl2@1: 9' in house.page("/stations")
    house.hub.note_hello(house.station.id, GREETS | {"disk_free_mib": 100})
    page = house.page("/")
    assert "Stations low on disk: S03" in page
    assert "Nothing needs you now" not in page


def test_a_hostile_reason_is_shown_as_text(house):
    station = house.station
    station.add(t.ItemPacked(lamp(1), "BX-1", 1))
    house.hub.ingest(station.id, station.piece(2))
    revoking.revoke(house.hub.office, "S03", since="2", by="BDG-3001", reason=ATTACK)
    for language in ("en", "zh"):
        for path in ("/", "/stations", f"/trace?code={lamp(1)}", f"/trace/report?code={lamp(1)}"):
            page = house.page(path, language)
            assert "<script>" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{station}" in house.page("/stations", language)


# --- trace ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "does not count: recorded under a key of S03 that was taken back"),
        ("zh", "不作数:S03 当时的密钥已被收回"),
    ],
)
def test_a_moment_under_a_key_that_was_taken_back_is_marked(house, language, words):
    station, code = house.station, lamp(1)
    station.add(t.UnitCommissioned(code, "BL-2@4", scheme="bl2@1"))
    station.add(t.HoldPlaced(code, "unit", "scratch"))
    house.hub.ingest(station.id, station.piece(2))
    for path in ("/trace", "/trace/report"):
        assert words not in house.page(f"{path}?code={code}", language)
    revoking.revoke(house.hub.office, "S03", since="3", **ADMIN)
    assert house.page(f"/trace?code={code}", language).count(words) == 1
    assert house.page(f"/trace/report?code={code}", language).count(words) == 1


@pytest.mark.parametrize(
    ("language", "clock", "order"),
    [
        ("en", "by the hub's clock 2026-11-20T", "order not provable (± 9 s)"),
        ("zh", "按中心时钟 2026-11-20T", "先后无法证明 (± 9 s)"),
    ],
)
def test_a_wrong_clock_is_corrected_and_an_order_that_nothing_proves_is_marked(
    house, language, clock, order
):
    for station, off in ((house.station, 360_000), (enrolled(house.hub, "S02"), 0)):
        station.clock_ms = TRUE_MS + off
        station.add(t.ClockObserved(off, 2500), by="system")
        station.add(t.HoldPlaced(lamp(1), "unit", "scratch"))
        house.hub.ingest(station.id, station.piece(2))
    page = house.page(f"/trace?code={lamp(1)}", language)
    assert page.count(clock) == 1
    assert re.search(clock + r"[0-9:+]+ ± 5 s", page)
    assert page.count(order) == 1
    assert page.count(order.partition(" (")[0]) == 1
    report = house.page(f"/trace/report?code={lamp(1)}", language)
    assert clock in report
    assert order in report
