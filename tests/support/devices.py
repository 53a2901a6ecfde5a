"""Devices that tests hold in their hands: a scanner on a pty, a camera's folder, who listens.

The far end of each is real (a pty, files); the near end is the driver under test. Labels are made
by zxing-cpp directly, not by our own printer.
"""

import os
import threading
import time
import tty
from pathlib import Path

import cv2
import numpy as np
import zxingcpp

from drivers import HealthState, registry

PATIENCE_S = 30


class Listener:
    """Keeps what a driver delivers and reports, and waits for the event itself."""

    def __init__(self):
        self.reads = []
        self.healths = []
        self.refusing = False
        self._changed = threading.Condition()

    def deliver(self, read):
        if self.refusing:
            raise OSError("the station's journal is closed")
        with self._changed:
            self.reads.append(read)
            self._changed.notify_all()

    def report(self, health):
        with self._changed:
            self.healths.append(health)
            self._changed.notify_all()

    def wait(self, is_so):
        with self._changed:
            assert self._changed.wait_for(is_so, PATIENCE_S), (self.reads, self.healths)

    def wait_for_state(self, state, *, after=0):
        """The first health with this state, at or after the given place in the list."""
        self.wait(lambda: any(one.state is state for one in self.healths[after:]))
        return next(one for one in self.healths[after:] if one.state is state)

    def wait_for_raws(self, count):
        self.wait(lambda: sum(read.repeats for read in self.reads) >= count)
        return [read.raw for read in self.reads]


class PtyScanner:
    """A serial scanner: the far end of a pty, behind a device name that comes and goes."""

    family = "serial_port"

    def __init__(self, folder):
        self.place = Path(folder) / "tty-scanner"
        self.settings = {"driver": "serial_port", "name": "serial-1", "port": str(self.place)}
        self._ends = None

    def plug_in(self):
        far, near = os.openpty()
        tty.setraw(far)
        tty.setraw(near)
        self._ends = (far, near)
        self.place.symlink_to(os.ttyname(near))

    def unplug(self):
        self.place.unlink()
        for end in self._ends:
            os.close(end)
        self._ends = None

    def put_away(self):
        if self._ends:
            self.unplug()

    def present(self, raw):
        self.send(raw + b"\r")

    def send(self, raw):
        while raw:
            raw = raw[os.write(self._ends[0], raw) :]


class PictureFolder:
    """A camera whose pictures are files: every code presented is a picture put there whole."""

    family = "camera"

    def __init__(self, folder):
        self.place = Path(folder) / "pictures"
        self.settings = {"driver": "camera", "name": "camera-1", "folder": str(self.place)}
        self._away = Path(folder) / "away"
        self._count = 0

    def plug_in(self):
        if self._away.exists():
            self._away.rename(self.place)
        else:
            self.place.mkdir()

    def unplug(self):
        self.place.rename(self._away)

    def put_away(self):
        pass

    def present(self, raw):
        self._count += 1
        self.put(f"p{self._count:04}.png", picture_of(raw))

    def put(self, name, pixels):
        put_file(self.place / name, encoded(pixels, Path(name).suffix))


def symbol(raw, kind="DataMatrix", scale=4, **options):
    """A symbol with its quiet zone, and white around it as on a label."""
    made = zxingcpp.create_barcode(raw, getattr(zxingcpp.BarcodeFormat, kind), **options)
    return cv2.copyMakeBorder(
        np.array(made.to_image(scale=scale)), 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=255
    )


def picture_of(*raws, kind="DataMatrix"):
    """One grey picture with a symbol for each payload, one below the other."""
    labels = [symbol(raw, kind) for raw in raws]
    width = max(label.shape[1] for label in labels)
    return np.vstack(
        [
            cv2.copyMakeBorder(
                label, 0, 20, 0, width - label.shape[1], cv2.BORDER_CONSTANT, value=200
            )
            for label in labels
        ]
    )


def clutter():
    """Bars, boxes and letters that are no code, as on a bench."""
    chance = np.random.default_rng(20)
    pixels = chance.integers(90, 160, (480, 640)).astype(np.uint8)
    for x in chance.integers(0, 600, 60):
        cv2.rectangle(pixels, (int(x), 50), (int(x) + 6, 200), int(x) % 255, -1)
    cv2.putText(pixels, "NOT A CODE 12345", (20, 300), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 0, 2)
    return pixels


def encoded(pixels, suffix=".png"):
    is_done, raw = cv2.imencode(suffix, pixels)
    assert is_done
    return bytes(raw)


def put_file(path, raw):
    """Put a file there whole, as a careful writer does."""
    making = path.with_name(f".{path.name}.making")
    making.write_bytes(raw)
    making.replace(path)


class Running:
    """A driver under test with its listener; stopped at the end whatever happens."""

    def __init__(self, settings, listener=None, *, is_expected_ok=True):
        self.listener = listener or Listener()
        self.driver = registry.create(settings, clock=time.monotonic)
        self._is_expected_ok = is_expected_ok

    def __enter__(self):
        self.driver.start(self.listener.deliver, self.listener.report)
        if self._is_expected_ok:
            self.listener.wait_for_state(HealthState.OK)
        return self.listener

    def __exit__(self, *_):
        self.driver.stop(PATIENCE_S)
