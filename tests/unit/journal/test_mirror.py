"""The own journal on a second medium: appended to, cut back, caught up with, read again."""

import random
import tempfile
from io import BytesIO
from pathlib import Path

import pytest

from drivers import HealthState
from edge_agent.journal import mirror
from edge_agent.journal.mirror import Coverage, MirrorFault, MirrorFolder
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.station import mirroring
from edge_agent.station.mirroring import Copy, Mirroring, mirror_checked
from tally.records.mirror import FILE_BYTES_MAX, Owner, as_bundle, beginning, framed, parts
from tally.records.segment import decode
from tests.support.damage import copy_of, flip, label, stored, whole
from tests.support.stations import NOON, Bench, Plant, piece


@pytest.fixture
def bench(tmp_path):
    return Bench(Plant(), "S03", tmp_path)


@pytest.fixture
def medium():
    """A folder on another file system than the journal's."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def worked(bench, count=8):
    journal = bench.told(bench.open())
    for number in range(count):
        journal.append([label(number)], b"state", at=NOON)
    return journal


def folder_of(bench, medium):
    return MirrorFolder(medium, bench.folder, bench.identity.journal)


def view_of(bench):
    return OutgoingJournal.at(bench.path, bench.identity, tuple)


def owner_of(bench):
    own = bench.identity
    return Owner(bench.trust.root, own.journal, own.station, own.key.public)


def copy_to(bench, medium):
    return Copy(owner_of(bench), folder_of(bench, medium), view_of(bench))


def ranges(bench, medium):
    view = view_of(bench)
    try:
        return folder_of(bench, medium).held(view.id_at).ranges
    finally:
        view.close()


def copies(bench, medium):
    return folder_of(bench, medium).copies


def test_what_is_recorded_is_on_the_medium_after_each_round(bench, medium):
    journal = worked(bench)
    copy = copy_to(bench, medium)
    assert copy.catch_up() == journal.seq
    journal.append([label(50)], None, at=NOON)
    journal.append([label(51)], None, at=NOON)
    assert copy.catch_up() == journal.seq
    assert ranges(bench, medium) == [(1, journal.seq)]
    [file] = medium.iterdir()
    with file.open("rb") as raw:
        bundle, _ = as_bundle(raw)
    assert [(one.first, one.last) for one in bundle.parts] == [
        (1, journal.seq - 2),
        (journal.seq - 1, journal.seq),
    ]


def test_a_tail_cut_off_anywhere_is_cut_back_and_caught_up_with(bench, medium):
    journal = worked(bench)
    copy = copy_to(bench, medium)
    copy.catch_up()
    for number in range(3):
        journal.append([label(60 + number)], None, at=NOON)
        copy.catch_up()
    [file] = medium.iterdir()
    whole_file = file.read_bytes()
    for size in (0, 1, 40, *range(300, len(whole_file), 97), len(whole_file) - 1):
        file.write_bytes(whole_file[:size])
        assert copy_to(bench, medium).catch_up() == journal.seq
        assert ranges(bench, medium) == [(1, journal.seq)], size
        for more in medium.iterdir():
            if more != file:
                more.unlink()


def test_damage_in_the_middle_of_a_file_is_written_once_more(bench, medium):
    journal = worked(bench)
    copy = copy_to(bench, medium)
    for number in range(4):
        copy.catch_up()
        journal.append([label(60 + number)], None, at=NOON)
    copy.catch_up()
    [file] = medium.iterdir()
    raw = bytearray(file.read_bytes())
    at = len(raw) // 2
    raw[at : at + 30] = bytes(30)
    file.write_bytes(raw)
    assert ranges(bench, medium) != [(1, journal.seq)]
    copy_to(bench, medium).catch_up()
    assert ranges(bench, medium) == [(1, journal.seq)]


def test_a_file_whose_beginning_is_damaged_is_left_and_another_is_begun(bench, medium):
    journal = worked(bench)
    copy_to(bench, medium).catch_up()
    [file] = medium.iterdir()
    spoiled = b"#" + file.read_bytes()[1:]
    file.write_bytes(spoiled)
    copy_to(bench, medium).catch_up()
    assert file.read_bytes() == spoiled
    assert ranges(bench, medium) == [(1, journal.seq)]


def test_files_are_changed_when_they_grow_large_and_the_oldest_goes_when_the_hub_has_it(
    bench, medium, monkeypatch
):
    monkeypatch.setattr(mirror, "FILE_BYTES_MAX", 1500)
    journal = worked(bench, 0)
    copy = copy_to(bench, medium)
    for number in range(6):
        journal.append([label(number)], None, at=NOON)
        copy.catch_up()
    names = sorted(one.name for one in medium.iterdir())
    assert len(names) > 1
    folder = folder_of(bench, medium)
    assert not folder.make_room(acknowledged=0)
    assert folder.make_room(acknowledged=journal.seq)
    assert sorted(one.name for one in medium.iterdir()) == names[1:]


def test_parts_of_another_history_do_not_count(bench, medium):
    journal = worked(bench)
    own = copy_of(bench, journal)
    other = own.fork(5)
    for number in range(6):
        other.add(label(900 + number).body)
    folder = folder_of(bench, medium)
    folder.settle()
    folder.append(iter([piece(other)]), owner_of(bench))
    assert ranges(bench, medium) == []
    copy_to(bench, medium).catch_up()
    assert ranges(bench, medium) == [(1, journal.seq)]


def test_a_damaged_event_is_not_taken_over_and_holds_up_nothing(bench, medium):
    journal = worked(bench)
    journal.save_receipt(bench.plant.receipt(journal))
    flip(bench, 5)
    copy_to(bench, medium).catch_up()
    assert ranges(bench, medium) == [(1, 4), (6, journal.seq)]


@pytest.mark.parametrize("seqs", [(4,), (2, 3, 7), (9,)])
def test_an_event_that_only_the_mirror_holds_is_put_back_at_the_start(bench, medium, seqs):
    journal = worked(bench)
    copy_to(bench, medium).catch_up()
    own = copy_of(bench, journal)
    for seq in seqs:
        flip(bench, seq)
    again = bench.open(start=False)
    again.start(agent="test", at=NOON, copies=copies(bench, medium))
    assert again.damaged == ()
    assert stored(bench)[: own.seq] == whole(own)
    assert "put back" in again.mended[0]
    assert "恢复" in again.mended[1]


def test_what_even_the_mirror_lacks_is_lost_and_what_it_has_is_not(bench, medium):
    journal = worked(bench)
    copy_to(bench, medium).catch_up()
    journal.append([label(99)], None, at=NOON)
    newest = journal.seq
    flip(bench, 3)
    flip(bench, newest)
    again = bench.open(start=False)
    again.start(agent="test", at=NOON, copies=copies(bench, medium))
    assert again.damaged == (newest,)
    assert again.give_up(newest, at=NOON)
    copy_to(bench, medium).catch_up()
    last = again.seq
    assert ranges(bench, medium) == [(1, newest - 1), (newest + 1, last)]


def test_before_an_event_is_given_up_the_mirror_is_looked_at_once_more(bench, medium):
    journal = bench.open(start=False)
    journal.start(agent="test", at=NOON, copies=copies(bench, medium))
    journal.append([label(number) for number in range(8)], None, at=NOON)
    copy_to(bench, medium).catch_up()
    flip(bench, 4)
    journal.look_again(1, journal.seq)
    assert journal.damaged == (4,)
    assert not journal.give_up(4, at=NOON)
    assert (journal.damaged, dict(journal.lost)) == ((), {})


def test_old_damage_that_the_weekly_look_finds_is_put_back_from_the_mirror(bench, medium):
    journal = bench.told(bench.open())
    journal.append([label(number) for number in range(1100)], None, at=NOON)
    copy_to(bench, medium).catch_up()
    own = copy_of(bench, journal)
    flip(bench, 20)
    bench.connect().execute("DELETE FROM meta WHERE key = 'audited'")
    again = bench.open(start=False)
    again.start(agent="test", at=NOON, copies=copies(bench, medium))
    assert again.damaged == ()
    assert stored(bench)[: journal.seq] == whole(own)


def test_a_medium_that_is_not_there_or_no_other_medium_is_refused_in_words(bench, medium):
    with pytest.raises(MirrorFault) as fault:
        folder_of(bench, medium / "away").demand()
    assert "No such file" in fault.value.en
    assert fault.value.zh
    own = bench.folder / "mirror"
    own.mkdir()
    with pytest.raises(MirrorFault, match="same disk"):
        MirrorFolder(own, bench.folder, bench.identity.journal).demand()


def test_a_medium_that_goes_and_comes_is_said_once_each_and_caught_up_with(
    bench, medium, monkeypatch
):
    monkeypatch.setattr(mirroring, "START_S", 0)
    journal = worked(bench)
    said = []
    away = medium / "in"
    keeper = Mirroring(bench.identity, lambda _: copy_to(bench, away), said.append, lambda: 1.0)
    keeper._round()
    keeper._round()
    away.mkdir()
    keeper._round()
    journal.append([label(77)], None, at=NOON)
    keeper.start()
    keeper.stop()
    assert [(one.state, one.code) for one in said] == [
        (HealthState.DEGRADED, "J-203"),
        (HealthState.OK, ""),
    ]
    assert all(one.words_zh for one in said)
    assert ranges(bench, away) == [(1, journal.seq)]


def test_the_doctor_tells_how_far_the_mirror_is_behind(bench, medium):
    journal = worked(bench)
    copy_to(bench, medium).catch_up()
    assert mirror_checked(str(medium), bench.folder, bench.identity)[0]
    journal.append([label(number) for number in range(200)], None, at=NOON)
    is_well, words = mirror_checked(str(medium), bench.folder, bench.identity)
    assert not is_well
    assert f"{journal.seq - 200} of {journal.seq}" in words
    assert not mirror_checked(str(medium / "away"), bench.folder, bench.identity)[0]


def test_ranges_join_wherever_they_come_from():
    dice = random.Random(7)
    for _ in range(300):
        held, seqs = Coverage(), set()
        for _ in range(dice.randrange(8)):
            first = dice.randrange(1, 40)
            last = first + dice.randrange(9)
            held.add(first, last)
            seqs |= set(range(first, last + 1))
        assert {seq for low, high in held.ranges for seq in range(low, high + 1)} == seqs
        assert all(a[1] + 1 < b[0] for a, b in zip(held.ranges, held.ranges[1:], strict=False))
        missing = [seq for seq in range(1, 51) if seq not in seqs]
        assert held.lacks(1, 50) == len(missing)
        gap = held.missing(1, 50)
        assert (gap[0] if gap else None) == (missing[0] if missing else None)
        assert gap is None or set(range(gap[0], gap[1] + 1)) <= set(missing)


def test_any_bytes_are_read_to_their_end_and_give_only_whole_parts(bench):
    journal = worked(bench, 3)
    data = piece(copy_of(bench, journal))
    good = framed(data)
    dice = random.Random(11)
    for _ in range(200):
        noise = [dice.randbytes(dice.randrange(60)) for _ in range(3)]
        lying = good.replace(b'"size":', b'"size":9')
        pieces = [good, lying, good[: dice.randrange(len(good))], *noise]
        dice.shuffle(pieces)
        found = list(parts(BytesIO(b"".join(pieces))))
        assert all(one.data == data for one in found)
    assert [one.data for one in parts(BytesIO(b"x" * 5000 + b"\n" + good))] == [data]
    assert list(parts(BytesIO(b'{"journal":"' * 10_000))) == []


def test_a_mirror_file_is_taken_like_a_bundle(bench, medium, tmp_path):
    journal = worked(bench)
    copy_to(bench, medium).catch_up()
    [file] = medium.iterdir()
    with file.open("rb") as raw:
        bundle, source = as_bundle(raw)
        [part] = bundle.parts
        segment = decode(source.read(part.size))
    assert bundle.name == "S03"
    assert bundle.root == bench.trust.root
    assert segment.lines[-1] == stored(bench)[journal.seq - 1][1]
    assert len(beginning(owner_of(bench))) < FILE_BYTES_MAX
