"""CTLTEST: each thing that a scanner or PC does to the test code is named, alone and together."""

import re
from pathlib import Path

import numpy as np
import pytest
import zxingcpp

from drivers import Read
from edge_agent.scan import ScanKind, recognise
from edge_agent.scan.framing import GS
from edge_agent.scan.selftest import FAULTS, TEST_CODE, examine
from edge_agent.wording import say
from tests.support.knowing import Knowing
from tests.support.layouts import typed_on

WORDS = Knowing().vocabulary()
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
SEEDED = {
    "noise": TEST_CODE.replace("Z", "\udcff"),
    "input_method": TEST_CODE.translate(FULL_WIDTH),
    "caps": TEST_CODE.swapcase(),
    "pc_french": typed_on("french", TEST_CODE),
    "pc_german": typed_on("german", TEST_CODE),
    "scanner_french": typed_on("us", TEST_CODE, scanner="french"),
    "scanner_german": typed_on("us", TEST_CODE, scanner="german"),
    "prefix": f"S1:{TEST_CODE}",
    "suffix": f"{TEST_CODE}#",
    "cut": TEST_CODE[:60],
    "gs": TEST_CODE.replace(GS, ""),
    "changed": TEST_CODE.replace("Q", ""),
}


def raw(text):
    return text.encode("utf-8", "surrogateescape")


def test_every_fault_has_a_seed():
    assert tuple(SEEDED) == FAULTS


@pytest.mark.parametrize("fault", FAULTS)
def test_a_seeded_fault_is_named_and_nothing_else(fault):
    assert examine(raw(SEEDED[fault])) == (fault,)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_fault_is_said_with_its_fix_and_without_its_name(fault, lang):
    said = say("ng.scanner_test", lang, faults=fault)
    assert say(f"test.{fault}", lang) in said
    assert "_" not in said


@pytest.mark.parametrize("around", ["{}", "{}\r\n", "\x02{}\x03", "]d2{}"])
def test_a_clean_test_code_says_that_the_scanner_is_well(around):
    assert examine(around.format(TEST_CODE).encode()) == ()


def test_several_faults_are_named_together():
    assert examine(f"P{TEST_CODE}".swapcase().replace(GS, "").encode()) == ("caps", "prefix", "gs")
    shifted = typed_on("german", TEST_CODE.swapcase())
    assert examine(shifted.encode()) == ("caps", "pc_german")


def test_the_command_alone_is_only_the_beginning_of_the_test_code():
    assert examine(b"CTLTEST") == ("cut",)


@pytest.mark.parametrize("text", ["CTLOK", "BL2-2547-000412", "", "测试", "CTLTES"])
def test_other_scans_are_no_test(text):
    assert examine(text.encode()) is None


@pytest.mark.parametrize("fault", FAULTS)
def test_a_spoiled_test_code_is_still_the_command(fault):
    scan = recognise(Read("keyboard", raw(SEEDED[fault]), 1.0), WORDS)
    assert (scan.kind, scan.text, scan.faults) == (ScanKind.COMMAND, "CTLTEST", (fault,))


def test_the_printed_test_code_reads_as_the_test_code():
    page = Path(__file__).parents[3] / "docs" / "operating" / "scanner-test.svg"
    drawn = page.read_text("utf-8")
    size = int(re.search(r'viewBox="0 0 ([0-9]+)', drawn)[1])
    picture = np.full((size, size), 255, np.uint8)
    for x, y, width in re.findall(r'<rect x="(\d+)" y="(\d+)" width="(\d+)"', drawn):
        picture[int(y), int(x) : int(x) + int(width)] = 0
    (read,) = zxingcpp.read_barcodes(np.kron(picture, np.ones((5, 5), np.uint8)))
    assert read.bytes.decode() == TEST_CODE
