"""The published module, the faults, the registry."""

import errno
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drivers import READ_BYTES_MAX, DriverFault, FaultReason, Read, registry
from drivers.faults import KINDS, fault, reason_of

PAGE = Path(__file__).resolve().parents[3] / "docs/operating/device-faults.md"


def test_importing_drivers_loads_no_device_library():
    story = """
import sys, time
import drivers
from drivers import registry
for settings in (
    {"driver": "serial_port", "name": "a", "port": "/dev/none"},
    {"driver": "camera", "name": "b", "folder": "/none"},
    {"driver": "label_files", "name": "c", "folder": "/none"},
):
    registry.create(settings, clock=time.monotonic)
print([name for name in ("cv2", "serial", "zxingcpp", "pyzbar", "numpy") if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", story], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("raw", [b"", b"x" * (READ_BYTES_MAX + 1)])
def test_a_read_outside_its_size_is_a_bug_of_the_driver(raw):
    with pytest.raises(ValueError, match="1 to 4096 bytes"):
        Read("serial-1", raw, 0.0)


def test_a_read_stands_for_at_least_one_code():
    with pytest.raises(ValueError, match="at least one"):
        Read("serial-1", b"A", 0.0, repeats=0)


@pytest.mark.parametrize("code", sorted(KINDS))
def test_every_fault_says_the_same_values_in_both_languages(code):
    kind = KINDS[code]
    names = set(re.findall(r"\{(\w+)", kind.en))
    assert names == set(re.findall(r"\{(\w+)", kind.zh))
    made = fault(code, **dict.fromkeys(names, "VALUE"))
    assert isinstance(made, DriverFault)
    assert made.code == code
    assert "VALUE" in made.words
    assert "VALUE" in made.words_zh


def test_every_fault_stands_on_the_technicians_page_and_no_other():
    rows = dict(re.findall(r"^\| (D-\d{3}) \| (\w+) \|", PAGE.read_text(), re.MULTILINE))
    assert rows == {code: kind.reason.value for code, kind in KINDS.items()}


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOENT, FaultReason.NOT_FOUND),
        (errno.ENODEV, FaultReason.NOT_FOUND),
        (errno.EACCES, FaultReason.PERMISSION),
        (errno.EROFS, FaultReason.PERMISSION),
        (errno.EBUSY, FaultReason.BUSY),
        (errno.ENOSPC, FaultReason.FULL),
        (errno.EDQUOT, FaultReason.FULL),
        (errno.EIO, FaultReason.LOST),
    ],
)
def test_errors_of_the_system_are_sorted_by_who_has_to_act(number, reason):
    assert reason_of(OSError(number, "text")) is reason


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"driver": "serial_prt", "name": "s"}, "did you mean 'serial_port'?"),
        ({"name": "s"}, "expected one of serial_port, camera, label_files"),
        ({"driver": ["camera"], "name": "s"}, "expected one of"),
        ({"driver": "camera", "name": "s"}, "either 'folder' or 'source'; found neither"),
        ({"driver": "camera", "name": "s", "folder": "a", "source": "b"}, "found both"),
        ({"driver": "camera", "name": "s", "source": "0", "poll_ms": 50}, "with 'folder' only"),
        (
            {"driver": "camera", "name": "s", "folder": "a", "symbologies": ["QrCode"]},
            "did you mean 'QRCode'?",
        ),
        ({"driver": "camera", "name": "s", "folder": "a", "symbologies": []}, "a list of some"),
        ({"driver": "camera", "name": "", "folder": "a\0"}, "'name'"),
    ],
)
def test_settings_that_describe_no_driver_are_refused_in_words(settings, words):
    with pytest.raises(DriverFault, match="D-001") as caught:
        registry.create(settings, clock=time.monotonic)
    assert words in caught.value.words
