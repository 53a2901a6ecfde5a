"""What operators hold in their hands: a barcode scanner on a serial line, labels and a camera.

The far end of each device is real: a pty that carries bytes at the scanner's side, and label files
that a hand takes from the printer and lays before the camera. Which station they belong to is
decided in `tally_demo.plant`.
"""

from __future__ import annotations

import os
import shutil
import time
import tty
from contextlib import suppress
from pathlib import Path
from typing import Final

from tally_demo.commands import DemoError

LABEL_S: Final = 60.0
"""Longest time a label may take from the station's answer to the printer's folder."""
_LOOK_S: Final = 0.02


class Scanner:
    """A serial scanner: the far end of a pty whose near end stands at `place` for the station."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._ends: tuple[int, int] | None = None

    def plug_in(self) -> None:
        """Make the pty and its name. Its near end stays open here, as a cable stays in its socket:
        a station that ends does not take the line with it.
        """
        far, near = os.openpty()
        tty.setraw(far)
        tty.setraw(near)
        self._ends = (far, near)
        self.place.unlink(missing_ok=True)
        self.place.symlink_to(os.ttyname(near))

    def unplug(self) -> None:
        """Take the name away and close the pty; may be called any number of times."""
        if self._ends:
            self.place.unlink(missing_ok=True)
            for end in self._ends:
                with suppress(OSError):
                    os.close(end)
            self._ends = None

    def scan(self, code: str | bytes) -> None:
        """Send one code and the carriage return that ends it."""
        if self._ends is None:
            raise DemoError(f"The scanner at {self.place} is not plugged in.")
        rest = (code.encode() if isinstance(code, str) else code) + b"\r"
        while rest:
            rest = rest[os.write(self._ends[0], rest) :]


class Hand:
    """The operator's hand between label printer and camera."""

    def __init__(self, labels: Path, pictures: Path) -> None:
        self._labels = labels
        self._pictures = pictures
        self._taken = {path.name for path in labels.glob("*.png")}
        self._shown = len(list(pictures.glob("*.png")))

    def take_label(self) -> Path:
        """The oldest label that was not taken yet; waits until the printer gives one.

        Raises:
            DemoError: no label within `LABEL_S`.
        """
        until = time.monotonic() + LABEL_S
        while time.monotonic() < until:
            fresh = [path for path in self._labels.glob("*.png") if path.name not in self._taken]
            if fresh:
                label = min(fresh, key=lambda path: (path.stat().st_mtime_ns, path.name))
                self._taken.add(label.name)
                return label
            time.sleep(_LOOK_S)
        raise DemoError(
            f"No label came out: expected a new file in {self._labels} within {LABEL_S:g} s, "
            f"found the {len(self._taken)} that were there."
        )

    def show(self, label: Path) -> None:
        """Lay a copy of the label before the camera, whole at once."""
        self._shown += 1
        making = self._pictures / f".picture-{self._shown:04}.making"
        shutil.copyfile(label, making)
        making.rename(self._pictures / f"picture-{self._shown:04}.png")
