"""Master data: once, all problems at once, never another content under a version."""

import pytest

from hub.services import Refused
from tally.events.decoding import read_lines
from tally.events.types import (
    HoldPlaced,
    HoldReleased,
    LotReceived,
    LotReleased,
    MasterPublished,
    OrderReleased,
)
from tally.records.ids import GENESIS
from tally.records.segment import decode
from tests.support.hub_floor import a_hub, demo_files


@pytest.fixture
def hub():
    return a_hub()


def _events(hub, feed):
    journal = hub.office.secrets.feeds[feed].journal
    after, events = GENESIS, []
    while (data := hub.read_after(journal, after)) is not None:
        segment = decode(data)
        after = segment.head
        events += read_lines(segment.lines)
    return events[1:]


def _lots(state, version=1, since="06:10", reason=""):
    text = "lot,part,qty,state,since,by,version,reason\n"
    text += f"FR4-19,FR4-L,400,{state},{since},BDG-3001,{version},{reason}\n"
    return ("lots.csv", text.encode())


def test_the_demo_plant_is_published_once(hub):
    first = hub.publish(demo_files())
    assert {change.kind for change in first.changes} == {"new"}
    assert first.events == len(_events(hub, "master")) + len(_events(hub, "orders"))
    frontier = hub.frontier()
    again = hub.publish(demo_files())
    assert {change.kind for change in again.changes} == {"unchanged"}
    assert again.events == 0
    assert hub.frontier() == frontier


def test_a_dry_run_writes_nothing(hub):
    frontier = hub.frontier()
    shown = hub.publish(demo_files(), dry_run=True)
    assert shown.dry_run
    assert len(shown.changes) > 30
    assert hub.frontier() == frontier
    assert hub.publish(demo_files()).changes == shown.changes


def test_an_order_goes_to_its_own_feed(hub):
    hub.publish(demo_files())
    [event] = _events(hub, "orders")
    assert isinstance(event.b, OrderReleased)
    assert event.b.order == "24-1187"


def test_lots_become_what_happened_to_them(hub):
    hub.publish(demo_files())
    lots = [e for e in _events(hub, "master") if not isinstance(e.b, MasterPublished)]
    kinds = {}
    for event in lots:
        name = getattr(event.b, "lot", None) or event.b.target
        kinds.setdefault(name, []).append(type(event.b))
    assert kinds["BAT-18650-2547A"] == [LotReceived, LotReleased]
    assert kinds["BAT-18650-2546X"] == [LotReceived]
    assert kinds["PCB-L-2546C"] == [LotReceived, HoldPlaced]
    held = next(event for event in lots if isinstance(event.b, HoldPlaced))
    assert (held.by, held.at) == ("BDG-3001", "2026-11-20T06:50:00.000+08:00")


def test_a_lot_goes_from_received_to_released_to_held_and_back(hub):
    hub.publish(demo_files())
    parts = [file for file in demo_files() if file[0] != "lots.csv"]
    hub = a_hub(seed="fresh")
    hub.publish([*parts, _lots("received")])
    hub.publish([_lots("released", 2)])
    hub.publish([_lots("on_hold", 3, reason="scratched")])
    assert hub.office.store.ledger.holds("FR4-19")
    hub.publish([_lots("released", 4)])
    assert not hub.office.store.ledger.holds("FR4-19")
    about = [e for e in _events(hub, "master") if not isinstance(e.b, MasterPublished)]
    types = [LotReceived, LotReleased, HoldPlaced, HoldReleased, LotReleased]
    assert [type(event.b) for event in about] == types
    assert len(about[3].seen) == 1
    with pytest.raises(Refused) as refusal:
        hub.publish([_lots("received", 5)])
    assert "Put it on hold instead" in refusal.value.problems[0]


def test_another_content_under_a_published_version_is_refused_with_both_hashes(hub):
    hub.publish(demo_files())
    files = [
        (name, data.replace(b'high = "0.70"', b'high = "0.80"')) for name, data in demo_files()
    ]
    frontier = hub.frontier()
    with pytest.raises(Refused) as refusal:
        hub.publish(files)
    assert refusal.value.code == "problems"
    [words] = [line for line in refusal.value.problems if "never changes" in line]
    assert words.count("…") == 2
    assert hub.frontier() == frontier


def test_all_problems_of_all_files_come_at_once_and_nothing_is_written(hub):
    frontier = hub.frontier()
    bad = [
        ("a.toml", b"[[product]]\nproduct = 'X'\nversion = 'one'\ncolour = 3\n"),
        ("b.csv", b"badge,roles\nB1,king\n"),
        ("c.toml", b"not toml ["),
        ("d.exe", b""),
    ]
    with pytest.raises(Refused) as refusal:
        hub.publish(bad)
    named = {line.split(":")[0] for line in refusal.value.problems}
    assert named == {"a.toml", "b.csv", "c.toml", "d.exe"}
    assert hub.frontier() == frontier


def test_many_versions_are_cut_into_pieces_and_sealed_segments(hub):
    head = "badge,name.en,name.zh,roles,language,version\n"
    rows = "".join(f"B{n},Person {n},人员{n},operator,en,1\n" for n in range(2300))
    done = hub.publish([("people.csv", (head + rows).encode())])
    assert done.events == 2300
    feed = hub.office.secrets.feeds["master"]
    first = decode(hub.read_after(feed.journal, GENESIS))
    assert first.is_sealed
    assert len(first.lines) == 1000
    assert len(_events(hub, "master")) == 2300


def test_changed_roles_need_a_version_and_then_count(hub):
    hub.publish(demo_files())
    people = "badge,name.en,name.zh,roles,language,version\nBDG-1107,ZHANG Wei,张伟,quality,zh,2\n"
    hub.publish([("people.csv", people.encode())])
    people = [v for v in hub.office.store.versions("person") if v.id == "BDG-1107"]
    assert [version.version for version in people] == ["1", "2"]


def test_versions_of_a_lot_in_one_file_go_on_from_each_other(hub):
    hub.publish([file for file in demo_files() if file[0] != "lots.csv"])
    name, first = _lots("released", 2)
    _, rest = _lots("received", 1)
    both = first + rest.split(b"\n", 1)[1]
    hub.publish([(name, both)])
    about = [e.b for e in _events(hub, "master") if not isinstance(e.b, MasterPublished)]
    assert [type(body) for body in about] == [LotReceived, LotReleased]
    assert hub.publish([(name, both)]).events == 0


def test_a_lower_version_after_a_higher_one_is_refused(hub):
    hub.publish([file for file in demo_files() if file[0] != "lots.csv"])
    hub.publish([_lots("released", 3)])
    with pytest.raises(Refused) as refusal:
        hub.publish([_lots("released", 2)])
    assert "Give the change version 4" in refusal.value.problems[0]


def test_thousands_of_lots_are_published_and_found_again(hub):
    hub.publish([file for file in demo_files() if file[0] != "lots.csv"])
    head = "lot,part,qty,state,since,by\n"
    rows = "".join(f"L-{n},FR4-L,400,released,06:10,BDG-3001\n" for n in range(4000))
    file = ("lots.csv", (head + rows).encode())
    assert hub.publish([file]).events == 8000
    assert hub.publish([file]).events == 0
