"""A printer's labels are read back by the camera; what keeps it from printing is told in words."""

import subprocess
import sys
import time
import tomllib
from pathlib import Path

import cv2
import pytest

from drivers import DriverFault, FaultReason, LabelJob, Printer, registry
from tests.support.devices import Listener, Running

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = {
    path.stem: tomllib.loads(path.read_text())
    for path in sorted((ROOT / "config/demo/templates").glob("*.toml"))
}
CODES = {"unit-40x20": "BL2-2547-000412", "box-100x70": "095211010000000870"}
UNIT = TEMPLATES["unit-40x20"]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "labels"
    folder.mkdir()
    return folder


@pytest.fixture
def printer(folder):
    settings = {"driver": "label_files", "name": "printer-1", "folder": str(folder)}
    return registry.create(settings, clock=time.monotonic)


def job(template=UNIT, *, code="BL2-2547-000412", job_id="J1", copies=1):
    return LabelJob(job_id, template, {"code": code}, copies)


def item(**keys):
    """A template with one item."""
    standard = {"kind": "datamatrix", "x": 3, "y": 4, "size": 12, "value": "{code}"}
    return {"size_mm": [40, 20], "dpi": 300, "item": [standard | keys]}


def refused(printer, template, **more):
    with pytest.raises(DriverFault) as caught:
        printer.print_label(job(template, **more))
    assert caught.value.code == "D-306"
    assert caught.value.reason is FaultReason.MISCONFIGURED
    return caught.value.words


def test_it_is_a_printer(printer):
    assert isinstance(printer, Printer)
    assert printer.name == "printer-1"


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_the_camera_reads_back_what_was_printed(printer, folder, name):
    listener = Listener()
    settings = {"driver": "camera", "name": "camera-1", "folder": str(folder)}
    with Running(settings, listener):
        outcome = printer.print_label(job(TEMPLATES[name], code=CODES[name], job_id=name))
        assert listener.wait_for_raws(1) == [CODES[name].encode()]
    assert outcome.places == (str(folder / f"{name}-1.png"),)
    size = [round(mm * 300 / 25.4) for mm in TEMPLATES[name]["size_mm"]]
    height, width = cv2.imread(outcome.places[0], cv2.IMREAD_GRAYSCALE).shape
    assert [width, height] == pytest.approx(size, abs=1)


@pytest.mark.parametrize(
    ("keys", "code", "payload"),
    [
        ({"kind": "qr"}, "电池批次", "电池批次".encode()),
        ({"kind": "datamatrix"}, "[)>\x1e06\x1d1PX\x1e\x04", b"[)>\x1e06\x1d1PX\x1e\x04"),
        (
            {"kind": "code128", "gs1": True, "size": "32", "x": 4, "value": "[00]{code}"},
            "095211010000000870",
            b"00095211010000000870",
        ),
        ({"kind": "datamatrix", "x": 3.0, "y": "4.0", "size": 10.5}, "X", b"X"),
    ],
)
def test_each_kind_of_symbol_carries_its_payload(printer, folder, keys, code, payload):
    listener = Listener()
    with Running({"driver": "camera", "name": "c", "folder": str(folder)}, listener):
        printer.print_label(job(item(**keys), code=code))
        assert listener.wait_for_raws(1) == [payload]


def test_a_second_print_of_a_job_writes_over_nothing(printer, folder):
    first = printer.print_label(job(copies=2))
    kept = [Path(place).read_bytes() for place in first.places]
    second = printer.print_label(job(code="ANOTHER", copies=2))
    assert [Path(place).name for place in first.places + second.places] == [
        f"J1-{number}.png" for number in (1, 2, 3, 4)
    ]
    assert [Path(place).read_bytes() for place in first.places] == kept
    assert sorted(path.name for path in folder.iterdir()) == [f"J1-{n}.png" for n in (1, 2, 3, 4)]


def test_out_of_paper_is_told_until_paper_is_there(printer, folder):
    (folder / "OUT_OF_PAPER").touch()
    with pytest.raises(DriverFault) as caught:
        printer.print_label(job(copies=3))
    assert caught.value.reason is FaultReason.OUT_OF_PAPER
    assert caught.value.is_retryable
    assert "0 of 3 labels of job 'J1' are out" in caught.value.words
    assert "缺纸" in caught.value.words_zh
    (folder / "OUT_OF_PAPER").unlink()
    assert len(printer.print_label(job(copies=3)).places) == 3


def test_a_missing_folder_is_told(printer, folder):
    folder.rmdir()
    with pytest.raises(DriverFault) as caught:
        printer.print_label(job())
    assert (caught.value.code, caught.value.reason) == ("D-302", FaultReason.NOT_FOUND)
    assert str(folder) in caught.value.words


def test_a_full_disk_leaves_no_half_label(folder):
    # A limit on the size of files stops the write in the middle, as a full disk does.
    story = f"""
import resource, sys
from tests.conformance.test_label_files import *
settings = {{"driver": "label_files", "name": "printer-1", "folder": {str(folder)!r}}}
printer = registry.create(settings, clock=time.monotonic)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
try:
    printer.print_label(job())
except DriverFault as fault:
    print(fault.code, fault.reason.name, fault.words)
"""
    run = subprocess.run([sys.executable, "-c", story], capture_output=True, text=True, check=True)
    assert "D-304 FULL printer-1: no room left" in run.stdout
    assert list(folder.iterdir()) == []


def test_all_problems_of_a_template_come_at_once(printer, folder):
    template = {
        "size_mm": [40, "wide"],
        "dpi": "300",
        "colour": "red",
        "item": [
            {"kind": "datamatric", "x": -1, "y": 4, "size": 0, "value": "{code}"},
            {"kind": "text", "x": 1, "y": 1, "size": "NaN", "value": 7, "height": 3, "gs1": True},
        ],
    }
    words = refused(printer, template, job_id="../J", copies=0)
    for part in (
        "size_mm: expected [width, height]",
        "dpi: expected a whole number",
        "'colour' is not a key here",
        "item 1, kind",
        "did you mean 'datamatrix'?",
        "item 1, x",
        "item 1, size",
        "item 2, size",
        "item 2, value",
        "item 2, height",
        "item 2, gs1",
        "job_id: expected",
        "copies: expected 1 to 100",
    ):
        assert part in words
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("template", "code", "words"),
    [
        (item(value="{unit}"), "X", "no value for {unit}, given: code"),
        (item(size=2), "BL2-2547-000412", "expected at least"),
        (item(x=0), "X", "with its quiet zone"),
        (item(x=30), "X", "with its quiet zone"),
        (item(size=280), "X", "more than a label of 40 x 20 mm"),
        (item(kind="text", size=15), "MUCH TOO LONG FOR IT", "more than a label"),
        (item(kind="text"), "A\nB", "without a shape"),
        (item(kind="code128", size=30), "电池", "ASCII only"),
        (item(kind="code128", gs1=True), "no brackets", "cannot be a Code128 symbol"),
        (item(), "half \ud800", "a lone surrogate"),
        (item(), "x" * 5000, "expected 1 to 2000 characters"),
        ({"size_mm": [300, 300], "dpi": 1200, "item": item()["item"]}, "X", "pixels, expected at"),
        ({"size_mm": [40, 20], "dpi": 300, "item": []}, "X", "at least one item"),
        (
            {"size_mm": [40, 20], "dpi": 300, "item": item()["item"] * 2},
            "X",
            "item 1 (datamatrix) and item 2 (datamatrix) touch",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_label_that_cannot_be_drawn_is_refused_in_words(printer, folder, template, code, words):
    assert words in refused(printer, template, code=code)
    assert list(folder.iterdir()) == []


def test_an_unknown_setting_is_named(folder):
    settings = {"driver": "label_files", "name": "p", "foldr": str(folder)}
    with pytest.raises(DriverFault, match="did you mean 'folder'"):
        registry.create(settings, clock=time.monotonic)
