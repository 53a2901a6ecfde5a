"""A `Printer` that writes each label as a PNG file: for previews, tests and file-fed printers.

A label is out when its file is on disk: written beside, flushed, linked under its final name and
the folder flushed. A name that exists is never written over: the next copy number is taken. Before
anything is written the drawing is read back by the decoder: a label nobody can scan is not printed.
"""

import os
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from drivers.contract import DriverFault, FaultReason, LabelJob, PrintOutcome
from drivers.decoding import Decoders, load_opencv
from drivers.faults import fault, reason_of
from drivers.label_files.drawing import Drawing, draw
from drivers.label_files.template import LabelProblems, Template, parse_template
from drivers.settings import DeviceSettings, shown

OUT_OF_PAPER = "OUT_OF_PAPER"
COPIES_MAX = 100
COPY_NUMBER_MAX = 100_000
JOB_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,79}")

_FAULT_CODES = {
    FaultReason.NOT_FOUND: "D-302",
    FaultReason.PERMISSION: "D-303",
    FaultReason.FULL: "D-304",
}


def create(settings: DeviceSettings, *, clock: Callable[[], float]) -> "LabelFiles":
    """Read the settings: `folder`, the only key; it must exist when a label is printed.

    Raises:
        DriverFault: D-001, all problems of the settings.
    """
    del clock  # part of every family's signature; a printer has no moments of its own
    folder = settings.text("folder")
    settings.finish()
    return LabelFiles(settings.name, Path(folder))


class LabelFiles:
    """Prints into `folder`; a file named OUT_OF_PAPER there makes it a printer without paper."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder

    def print_label(self, job: LabelJob) -> PrintOutcome:
        """Draw, read back, write `<folder>/<job_id>-<copy>.png`.

        Raises:
            DriverFault: D-209 or D-301 to D-307; the words say how many copies are out.
        """
        template = self._parse(job)
        picture = self._draw(job, template)
        places: list[str] = []
        for _ in range(job.copies):
            if os.path.lexists(self._folder / OUT_OF_PAPER):
                raise self._fault("D-301", job, len(places))
            try:
                places.append(self._write(job.job_id, picture))
            except OSError as error:
                raise self._sort(error, job, len(places)) from error
        return PrintOutcome(self.name, job.job_id, tuple(places))

    def _parse(self, job: LabelJob) -> Template:
        problems: list[str] = []
        if not JOB_ID.fullmatch(job.job_id):
            expected = "job_id: expected 1 to 80 of letters, digits, '.', '_', '-'"
            problems.append(f"{expected}, not beginning with '.'; found {shown(job.job_id)}")
        if not 1 <= job.copies <= COPIES_MAX:
            problems.append(f"copies: expected 1 to {COPIES_MAX}, found {job.copies}")
        template = None
        try:
            template = parse_template(job.template)
        except LabelProblems as found:
            problems += found.problems
        if problems or template is None:
            raise self._refuse(job, problems)
        return template

    def _draw(self, job: LabelJob, template: Template) -> bytes:
        """The label as a PNG file that is known to read back."""
        cv2 = load_opencv(self.name)
        import zxingcpp

        try:
            drawing = draw(template, job.values, cv2=cv2, zxingcpp=zxingcpp)
        except LabelProblems as found:
            raise self._refuse(job, found.problems) from found
        self._read_back(job, drawing)
        _, encoded = cv2.imencode(".png", drawing.pixels)
        return bytes(encoded)

    def _read_back(self, job: LabelJob, drawing: Drawing) -> None:
        decoders = Decoders(self.name, ("DataMatrix", "QRCode", "Code128"), "off")
        sighting = decoders.read(drawing.pixels, thorough=True)
        found = sorted({code.raw for code in sighting.codes})
        expected = sorted(set(drawing.payloads))
        if found != expected:
            raise self._fault("D-307", job, 0, expected=expected, found=found or "nothing")

    def _write(self, job_id: str, picture: bytes) -> str:
        """Put one copy on disk under the next free number; its path."""
        making = self._folder / f".{job_id}.{os.getpid()}.{threading.get_ident()}.making"
        try:
            with making.open("wb") as file:
                file.write(picture)
                file.flush()
                os.fsync(file.fileno())
            place = self._link(making, job_id)
        finally:
            with suppress(OSError):  # the first error is the one to tell
                making.unlink()
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return str(place)

    def _link(self, making: Path, job_id: str) -> Path:
        # A link, unlike a rename, fails when the name exists: two printers on one folder, or a
        # second print of one job, never replace a label.
        for number in range(1, COPY_NUMBER_MAX):
            place = self._folder / f"{job_id}-{number}.png"
            with suppress(FileExistsError):
                place.hardlink_to(making)
                return place
        raise FileExistsError(None, f"{COPY_NUMBER_MAX} labels of {job_id} exist")

    def _sort(self, error: OSError, job: LabelJob, done: int) -> DriverFault:
        code = _FAULT_CODES.get(reason_of(error), "D-305")
        return self._fault(code, job, done, cause=error.strerror or error)

    def _refuse(self, job: LabelJob, problems: Any) -> DriverFault:
        return self._fault("D-306", job, 0, problems="; ".join(problems))

    def _fault(self, code: str, job: LabelJob, done: int, **more: object) -> DriverFault:
        return fault(
            code,
            source=self.name,
            place=str(self._folder),
            job=job.job_id[:80],
            done=done,
            copies=job.copies,
            **more,
        )
