"""What only a camera does: files half written, several codes in view, films, two decoders."""

import os
import re
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest

from drivers import HealthState
from tests.support.devices import (
    PictureFolder,
    Running,
    clutter,
    encoded,
    picture_of,
    put_file,
    symbol,
)


@pytest.fixture
def camera(tmp_path):
    rig = PictureFolder(tmp_path)
    rig.plug_in()
    return rig


def heard_until_last(heard, camera):
    """Present one more picture: what came before it has been looked at then."""
    camera.put("zz-last.png", picture_of(b"LAST"))
    heard.wait(lambda: any(read.raw == b"LAST" for read in heard.reads))
    return [read.raw for read in heard.reads]


def test_clutter_and_an_empty_picture_give_nothing(camera):
    with Running(camera.settings) as heard:
        camera.put("a.png", clutter())
        camera.put("b.png", np.full((400, 600), 255, np.uint8))
        camera.put("c.jpg", np.zeros((400, 600), np.uint8))
        assert heard_until_last(heard, camera) == [b"LAST"]
    assert heard.healths[-1].state is HealthState.OK


def test_codes_of_one_picture_share_a_group_and_come_from_top_to_bottom(camera):
    with Running(camera.settings) as heard:
        camera.put("a.png", picture_of(b"TOP", b"MIDDLE", b"BOTTOM"))
        assert heard.wait_for_raws(3) == [b"TOP", b"MIDDLE", b"BOTTOM"]
        camera.put("b.png", picture_of(b"ALONE"))
        heard.wait_for_raws(4)
    groups = [read.group for read in heard.reads]
    assert groups[0] == groups[1] == groups[2]
    assert groups[3] not in {None, groups[0]}


def test_the_same_label_twice_in_one_picture_is_one_read_that_counts_both(camera):
    with Running(camera.settings) as heard:
        camera.put("a.png", picture_of(b"SAME", b"SAME"))
        heard.wait_for_raws(2)
    assert [(read.raw, read.repeats) for read in heard.reads] == [(b"SAME", 2)]


@pytest.mark.parametrize(
    ("kind", "options", "payload", "symbology"),
    [
        ("DataMatrix", {"gs1": True}, b"010952110102300121AB", "]d2"),
        ("Code128", {"gs1": True}, b"010952110102300121AB", "]C1"),
        ("QRCode", {}, b"[01]09521101023001[21]AB", "]Q1"),
        ("Code128", {}, b"[01]09521101023001[21]AB", "]C0"),
    ],
)
def test_the_aim_identifier_of_the_symbol_is_given(camera, kind, options, payload, symbology):
    with Running(camera.settings) as heard:
        camera.put("a.png", symbol("[01]09521101023001[21]AB", kind, **options))
        heard.wait_for_raws(1)
    assert [(read.raw, read.symbology) for read in heard.reads] == [(payload, symbology)]


@pytest.mark.parametrize("degrees", [0, 20, 45, 70, 90, 180, 200])
def test_a_bar_code_is_read_at_any_angle(camera, degrees):
    label = cv2.copyMakeBorder(
        symbol("PCB-L-00931", "Code128", 3), 200, 200, 100, 100, cv2.BORDER_CONSTANT, value=255
    )
    height, width = label.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    with Running(camera.settings) as heard:
        camera.put("a.jpg", cv2.warpAffine(label, turn, (width, height), borderValue=255))
        assert heard.wait_for_raws(1) == [b"PCB-L-00931"]


def test_pictures_that_are_there_at_the_start_are_old(camera):
    camera.put("a.png", picture_of(b"YESTERDAY"))
    with Running(camera.settings) as heard:
        assert heard_until_last(heard, camera) == [b"LAST"]


def test_pictures_that_are_there_at_the_start_are_read_if_the_setting_says_so(camera):
    camera.put("b.png", picture_of(b"SECOND"))
    camera.put("a.png", picture_of(b"FIRST"))
    with Running(camera.settings | {"existing": "read"}) as heard:
        assert heard.wait_for_raws(2) == [b"FIRST", b"SECOND"]


def test_a_picture_that_is_replaced_is_read_again_and_an_old_one_is_not(camera):
    with Running(camera.settings) as heard:
        camera.put("still.png", picture_of(b"STAYS"))
        heard.wait_for_raws(1)
        camera.put("frame.png", picture_of(b"ONE"))
        heard.wait_for_raws(2)
        camera.put("frame.png", picture_of(b"TWO"))
        heard.wait_for_raws(3)
        assert heard_until_last(heard, camera) == [b"STAYS", b"ONE", b"TWO", b"LAST"]


def test_the_same_picture_put_there_again_is_a_new_one(camera):
    with Running(camera.settings) as heard:
        for count in (1, 2, 3):
            camera.put("frame.png", picture_of(b"AGAIN"))
            heard.wait_for_raws(count)
    assert [read.raw for read in heard.reads] == [b"AGAIN"] * 3


def test_pictures_after_the_folder_came_back_are_read_and_old_ones_are_not(camera):
    with Running(camera.settings) as heard:
        camera.present(b"BEFORE")
        heard.wait_for_raws(1)
        camera.unplug()
        lost = heard.wait_for_state(HealthState.LOST)
        camera.plug_in()
        heard.wait_for_state(HealthState.OK, after=heard.healths.index(lost))
        assert heard_until_last(heard, camera) == [b"BEFORE", b"LAST"]


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_picture_that_breaks_off_is_told_and_the_next_good_one_clears_it(camera, suffix):
    raw = encoded(picture_of(b"HALF"), suffix)
    with Running(camera.settings) as heard:
        put_file(camera.place / f"half{suffix}", raw[: len(raw) // 2])
        told = heard.wait_for_state(HealthState.DEGRADED)
        assert heard_until_last(heard, camera) == [b"LAST"]
        heard.wait_for_state(HealthState.OK, after=heard.healths.index(told))
    assert told.code == "D-204"
    assert f"half{suffix}" in told.words
    assert f"breaks off after {len(raw) // 2} bytes" in told.words


def forged_png(width, height):
    """A PNG whose header promises this many pixels."""
    raw = encoded(np.full((10, 10), 255, np.uint8))
    header = b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + raw[24:29]
    return raw[:12] + header + zlib.crc32(header).to_bytes(4) + raw[33:]


UNUSABLE = {
    "empty.png": (b"", "the file is empty"),
    "gif.png": (b"GIF89a and so on", "expected PNG or JPEG"),
    "huge.png": (forged_png(100_000, 100_000), "at most 50000000 pixels"),
    "flat.png": (forged_png(0, 10), "0 x 10 pixels"),
    "zeros.png": (encoded(picture_of(b"X"))[:-20] + b"\0" * 20, "check sum"),
    "noise.png": (b"\x89PNG\r\n\x1a\n" + b"\xff" * 5000, "breaks off"),
    "header.jpg": (b"\xff\xd8\xff\xe0\x00\x10JFIF\xff\xd9", "breaks off"),
    "nothing.jpg": (b"\xff\xd8\xff\xd9" + b"\0" * 50, "before data"),
    "no-marker.jpg": (b"\xff\xd8\xff\xe0\x00\x02" + b"\0" * 50, "no JPEG marker at byte 6"),
}


def test_each_file_that_is_no_usable_picture_is_told_in_words(camera):
    with Running(camera.settings) as heard:
        for name, (raw, _) in UNUSABLE.items():
            put_file(camera.place / name, raw)
        heard.wait(
            lambda: len([one for one in heard.healths if one.code == "D-204"]) == len(UNUSABLE)
        )
    told = "\n".join(one.words for one in heard.healths)
    for name, (_, words) in UNUSABLE.items():
        assert re.search(f"{name}.*{words}", told), (name, told)


def test_a_file_over_the_limit_is_told_and_not_loaded(camera):
    with Running(camera.settings) as heard:
        making = camera.place / ".huge.making"
        with making.open("wb") as file:
            file.truncate(40 * 1024 * 1024)
        making.replace(camera.place / "huge.png")
        told = heard.wait_for_state(HealthState.DEGRADED)
    assert "at most 33554432 bytes, the file has 41943040" in told.words


def test_what_is_no_picture_file_is_left_alone(camera):
    with Running(camera.settings) as heard:
        os.mkfifo(camera.place / "pipe.png")
        (camera.place / "folder.png").mkdir()
        (camera.place / "nowhere.png").symlink_to("gone")
        (camera.place / "notes.txt").write_text("notes")
        assert heard_until_last(heard, camera) == [b"LAST"]
    assert heard.healths[-1].state is HealthState.OK


def test_more_codes_than_the_limit_are_told(camera):
    sheet = np.vstack(
        [
            np.hstack([symbol(b"%02d%02d" % (row, column), scale=3) for column in range(9)])
            for row in range(9)
        ]
    )
    with Running(camera.settings) as heard:
        camera.put("a.png", sheet)
        told = heard.wait_for_state(HealthState.DEGRADED)
        heard.wait_for_raws(64)
    assert len(heard.reads) == 64
    assert told.code == "D-210"


def test_the_second_opinion_agrees_with_the_first(camera):
    kinds = ["Code128", "Code39", "QRCode", "DataMatrix"]
    with Running(camera.settings | {"second_opinion": "always"}) as heard:
        for count, kind in enumerate(kinds, 1):
            camera.put(f"{kind}.png", symbol("BL2-000412", kind))
            heard.wait_for_raws(count)
    assert [read.raw for read in heard.reads] == [b"BL2-000412"] * 4
    assert heard.healths[-1].state is HealthState.OK


def test_without_libzbar_the_camera_says_so_and_still_reads(camera, tmp_path):
    story = f"""
import sys, time
sys.modules["pyzbar.pyzbar"] = None  # as if the library could not be loaded
from drivers import HealthState
from tests.support.devices import PictureFolder, Running, picture_of
rig = PictureFolder({str(tmp_path)!r})
with Running(rig.settings, is_expected_ok=False) as heard:
    told = heard.wait_for_state(HealthState.DEGRADED)
    rig.put("a.png", picture_of(b"STILL-READ"))
    print(heard.wait_for_raws(1), told.code, told.words, len(heard.healths))
"""
    run = subprocess.run([sys.executable, "-c", story], capture_output=True, text=True, check=True)
    assert "[b'STILL-READ'] D-206" in run.stdout
    assert "second opinion not available: install libzbar0" in run.stdout


def film_of(path, pictures):
    """An uncompressed film of 25 pictures a second."""
    height = max(one.shape[0] for one in pictures)
    width = max(one.shape[1] for one in pictures)
    film = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"FFV1"), 25, (width, height))
    for one in pictures:
        grey = np.full((height, width), 255, np.uint8)
        grey[: one.shape[0], : one.shape[1]] = one
        film.write(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))
    film.release()


def test_in_a_film_a_code_counts_once_while_it_is_in_view(tmp_path):
    blank = np.full((100, 100), 255, np.uint8)
    film_of(
        tmp_path / "film.mkv",
        [
            *[blank] * 2,
            *[picture_of(b"HELD")] * 8,
            picture_of(b"GLIMPSE"),
            *[picture_of(b"NEXT")] * 5,
        ],
    )
    settings = {"driver": "camera", "name": "camera-2", "source": str(tmp_path / "film.mkv")}
    with Running(settings) as heard:
        lost = heard.wait_for_state(HealthState.LOST)
    assert [read.raw for read in heard.reads] == [b"HELD", b"NEXT"]
    assert lost.code == "D-208"
    assert "16 pictures" in lost.words


def test_a_film_may_be_a_series_of_numbered_pictures(tmp_path):
    for number in range(4):
        put_file(tmp_path / f"f_{number:03}.png", encoded(picture_of(b"SERIES")))
    settings = {"driver": "camera", "name": "camera-2", "source": str(tmp_path / "f_%03d.png")}
    with Running(settings) as heard:
        heard.wait_for_state(HealthState.LOST)
    assert [read.raw for read in heard.reads] == [b"SERIES"]


def test_a_camera_that_is_not_there_is_lost_in_words(tmp_path):
    settings = {"driver": "camera", "name": "camera-2", "source": str(tmp_path / "none.mkv")}
    with Running(settings, is_expected_ok=False) as heard:
        lost = heard.wait_for_state(HealthState.LOST)
    assert lost.code == "D-203"
    assert "none.mkv" in lost.words
