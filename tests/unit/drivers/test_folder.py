"""Which files of a watched folder are new pictures."""

import os

import pytest

from drivers.camera.folder import FILES_MAX, FolderFull, FolderWatch
from tests.support.devices import encoded, picture_of, put_file


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def watch(folder):
    watch = FolderWatch(str(folder), read_existing=False)
    assert watch.poll() == []
    return watch


def taken(watch, now):
    pictures = [watch.take(name, now) for name in watch.poll()]
    return [(one.name, one.refusal) for one in pictures if one is not None]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG"])
def test_a_picture_written_piece_by_piece_is_taken_once_when_it_is_whole(folder, watch, suffix):
    raw = encoded(picture_of(b"SLOW"), suffix.lower())
    place = folder / f"a{suffix}"
    for end in range(0, len(raw), len(raw) // 7):
        place.write_bytes(raw[:end])
        assert taken(watch, now=float(end)) == []  # however long each piece takes
    place.write_bytes(raw)
    assert taken(watch, now=1e6) == [(place.name, "")]
    assert taken(watch, now=2e6) == []


def test_a_picture_that_breaks_off_is_refused_once_when_it_has_not_changed_for_a_second(
    folder, watch
):
    raw = encoded(picture_of(b"HALF"))
    (folder / "a.png").write_bytes(raw[:100])
    assert taken(watch, now=10.0) == []
    assert taken(watch, now=10.9) == []
    [(name, why)] = taken(watch, now=11.0)
    assert name == "a.png"
    assert "breaks off after 100 bytes" in why
    assert taken(watch, now=12.0) == []
    (folder / "a.png").write_bytes(raw)
    assert taken(watch, now=13.0) == [("a.png", "")]


def test_what_a_writer_does_to_the_time_of_a_file_just_taken_makes_no_second_picture(folder, watch):
    put_file(folder / "a.png", encoded(picture_of(b"ONCE")))
    assert taken(watch, now=10.0) == [("a.png", "")]
    os.utime(folder / "a.png", (1_000_000_000, 1_000_000_000))
    assert taken(watch, now=10.5) == []
    assert taken(watch, now=20.0) == []


def test_a_file_touched_later_is_presented_again(folder, watch):
    put_file(folder / "a.png", encoded(picture_of(b"AGAIN")))
    assert taken(watch, now=10.0) == [("a.png", "")]
    os.utime(folder / "a.png", (1_000_000_000, 1_000_000_000))
    assert taken(watch, now=11.0) == [("a.png", "")]


def test_a_jpeg_with_something_behind_its_end_is_whole(folder, watch):
    put_file(folder / "a.jpg", encoded(picture_of(b"TRAILER"), ".jpg") + b"maker's notes" * 100)
    assert taken(watch, now=1.0) == [("a.jpg", "")]


def test_pictures_are_taken_by_name(folder, watch):
    raw = encoded(picture_of(b"X"))
    for name in ("b.png", "c.jpeg", "a.PNG", ".hidden.png"):
        put_file(folder / name, raw)
    assert [name for name, _ in taken(watch, now=1.0)] == ["a.PNG", "b.png", "c.jpeg"]


def test_a_name_that_was_gone_is_new_when_it_comes_again(folder, watch):
    raw = encoded(picture_of(b"X"))
    put_file(folder / "a.png", raw)
    assert taken(watch, now=1.0) == [("a.png", "")]
    (folder / "a.png").unlink()
    assert taken(watch, now=1.1) == []
    put_file(folder / "a.png", raw)
    assert taken(watch, now=1.2) == [("a.png", "")]


def test_a_folder_with_too_many_files_is_refused(tmp_path):
    folder = tmp_path / "full"
    folder.mkdir()
    (folder / "0").touch()
    for number in range(FILES_MAX):
        (folder / f"x{number}").hardlink_to(folder / "0")
    with pytest.raises(FolderFull):
        FolderWatch(str(folder), read_existing=False).poll()
