"""A station prints by the label templates that it was told, and says in words what it lacks."""

from pathlib import Path

import cv2
import pytest
import zxingcpp

from drivers.label_files.printer import LabelFiles
from edge_agent.station.printing import TemplateLabels
from edge_agent.station.shelf import MasterShelf
from edge_agent.workflow.types import Print, PrintDone, PrintFailed
from tally.commands.demo_config import demo_documents
from tally.events.types import MasterPublished
from tally.master import content_sha256, load_documents, to_content

UNIT = dict(demo_documents())["templates/unit-40x20.toml"]
CODE = "BL2-2547-000412"


def published(file: bytes) -> MasterPublished:
    (template,), problems = load_documents([("unit.toml", file)])
    assert problems == ()
    content = to_content(template)
    return MasterPublished(
        entity="template",
        id="unit-40x20",
        version=str(content["version"]),
        sha256=content_sha256(content),
        content=content,
    )


def width(picture: Path) -> int:
    pixels = cv2.imread(str(picture))
    assert pixels is not None
    return int(pixels.shape[1])


def wanted(template: str = "unit-40x20", job: str = "J.1") -> Print:
    return Print(job, CODE, template, {"order": "24-1187"}, 1)


@pytest.fixture
def shelf() -> MasterShelf:
    return MasterShelf()


@pytest.fixture
def labels(shelf: MasterShelf, tmp_path: Path) -> TemplateLabels:
    return TemplateLabels(LabelFiles("printer-1", tmp_path), shelf.template)


def test_a_template_of_the_feed_prints_without_any_file(
    shelf: MasterShelf, labels: TemplateLabels, tmp_path: Path
) -> None:
    assert shelf.take(published(UNIT), "hub:7")
    assert labels.print_label(wanted()) == PrintDone("J.1", "printer-1")
    (picture,) = tmp_path.glob("J.1-*.png")
    (read,) = zxingcpp.read_barcodes(cv2.imread(str(picture)))
    assert read.text == CODE


def test_a_new_version_counts_from_the_next_label_on(
    shelf: MasterShelf, labels: TemplateLabels, tmp_path: Path
) -> None:
    shelf.take(published(UNIT), "hub:7")
    labels.print_label(wanted(job="old"))
    shelf.take(published(b"version = 2\n" + UNIT.replace(b"[40, 20]", b"[60, 20]")), "hub:8")
    labels.print_label(wanted(job="new"))
    widths = {path.stem[:3]: width(path) for path in tmp_path.glob("*.png")}
    assert widths == {"old": 472, "new": 708}  # 40 and 60 mm at 300 dpi


@pytest.mark.parametrize("name", ["unit-40x21", "../unit-40x20", "unit-40x20@9"])
def test_a_template_that_is_not_known_is_told_with_what_to_do(
    shelf: MasterShelf, labels: TemplateLabels, tmp_path: Path, name: str
) -> None:
    shelf.take(published(UNIT), "hub:7")
    failed = labels.print_label(wanted(name))
    assert isinstance(failed, PrintFailed)
    assert f"knows no label template {name}; technician: import it at the hub" in failed.words.en
    assert f"没有标签模板 {name}" in failed.words.zh
    assert list(tmp_path.iterdir()) == []


def test_what_the_printer_refuses_is_told_in_its_words(
    shelf: MasterShelf, labels: TemplateLabels, tmp_path: Path
) -> None:
    shelf.take(published(UNIT), "hub:7")
    (tmp_path / "OUT_OF_PAPER").touch()
    failed = labels.print_label(wanted())
    assert isinstance(failed, PrintFailed)
    assert "paper" in failed.words.en
