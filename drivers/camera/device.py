"""A camera: a watched folder of picture files, or a live source or recording through OpenCV.

This module joins watching, decoding and presence, and says in words what cannot be read. OpenCV
and the decoders are loaded by the driver's thread when it starts. Read next: `folder`, `presence`,
`drivers/decoding.py`.
"""

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.camera.folder import FILES_MAX, FolderFull, FolderWatch, Picture
from drivers.camera.picture import PIXELS_MAX
from drivers.camera.presence import Presence
from drivers.contract import DriverFault, FaultReason, Read
from drivers.decoding import (
    CODES_PER_PICTURE_MAX,
    SECOND_OPINIONS,
    STRONG,
    WEAK,
    Decoders,
    Sighting,
    load_opencv,
)
from drivers.device_thread import DeviceThread, Link
from drivers.faults import fault, reason_of
from drivers.settings import DeviceSettings

THOROUGH_EVERY = 5  # a running film is searched thoroughly in every fifth picture
FPS_DEFAULT = 25.0


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """The keys of a `camera` device; exactly one of `folder` and `source` is given."""

    name: str
    folder: str
    """A folder in which each new or changed *.png, *.jpg, *.jpeg is one picture."""
    existing: str
    """`skip` (default) or `read` the pictures that are in the folder at the start."""
    poll_ms: int
    """How often the folder is looked at; 20 to 10,000, default 100."""
    source: str
    """A number (the nth camera), a stream's address, a film file or a pattern `f_%03d.png`."""
    symbologies: tuple[str, ...]
    """What is read; default those with a strong check, `decoding.STRONG`."""
    second_opinion: str
    """When pyzbar is asked: `when_nothing` (default), `always`, `off`."""


def create(settings: DeviceSettings, *, clock: Callable[[], float]) -> DeviceThread:
    """Read the settings; nothing is opened or loaded before the driver starts.

    Raises:
        DriverFault: D-001, all problems of the settings.
    """
    read = CameraSettings(
        name=settings.name,
        folder=settings.text("folder") if settings.has("folder") else "",
        existing=settings.choice("existing", ("skip", "read"), "skip"),
        poll_ms=settings.whole("poll_ms", low=20, high=10_000, default=100),
        source=settings.text("source") if settings.has("source") else "",
        symbologies=settings.choices("symbologies", (*STRONG, *WEAK), STRONG),
        second_opinion=settings.choice("second_opinion", SECOND_OPINIONS, "when_nothing"),
    )
    if settings.has("folder") == settings.has("source"):
        expected = "expected either 'folder' or 'source'"
        settings.problems.append(f"{expected}; found {'both' if read.folder else 'neither'}")
    for key in ("existing", "poll_ms"):
        if settings.has(key) and not settings.has("folder"):
            settings.problems.append(f"{key!r} goes with 'folder' only")
    settings.finish()
    session = FolderSession(read) if read.folder else FilmSession(read)
    return DeviceThread(read.name, session, clock=clock)


class _Eye:
    """Decodes pictures and delivers what they show; lives as long as the driver."""

    def __init__(self, settings: CameraSettings) -> None:
        self.settings = settings
        self._decoders: Decoders | None = None
        self._groups = 0

    def open(self, link: Link) -> None:
        """Load the decoders once, and say what they lack."""
        if self._decoders is None:
            self._decoders = Decoders(
                link.name, self.settings.symbologies, self.settings.second_opinion
            )
        if self._decoders.limitation is not None:
            link.limit(self._decoders.limitation)

    @property
    def decoders(self) -> Decoders:
        assert self._decoders is not None, "open() comes first"
        return self._decoders

    def tell(self, link: Link, place: str, sighting: Sighting) -> None:
        """Say what this picture left in doubt, or that all is well."""
        if sighting.disagreements:
            cause = "; ".join(sighting.disagreements)
            link.degrade(fault("D-205", source=link.name, place=place, cause=cause))
        elif sighting.is_cut:
            limit = CODES_PER_PICTURE_MAX
            link.degrade(fault("D-210", source=link.name, place=place, limit=limit))
        else:
            link.ready()

    def deliver(self, link: Link, shown: list[tuple[bytes, str | None, int]]) -> None:
        """Deliver codes (payload, symbology, repeats) of one picture as one group."""
        if not shown:
            return
        self._groups += 1
        now = link.clock()
        for raw, symbology, repeats in shown:
            read = Read(link.name, raw, now, symbology, repeats=repeats, group=self._groups)
            link.deliver(read)


class FolderSession:
    """Each new picture file is one picture and one group."""

    def __init__(self, settings: CameraSettings) -> None:
        self._settings = settings
        self._watch = FolderWatch(settings.folder, read_existing=settings.existing == "read")
        self._eye = _Eye(settings)

    def __call__(self, link: Link) -> None:
        # What is in the folder now is old; loading takes a moment, so the folder comes first.
        names = self._poll(link)
        cv2 = load_opencv(link.name)
        self._eye.open(link)
        link.ready()
        while not link.is_stopping:
            for name in names:
                picture = self._watch.take(name, link.clock())
                if picture is not None:
                    self._show(link, cv2, picture)
                if link.is_stopping:
                    return
            link.pause(self._settings.poll_ms / 1000)
            names = self._poll(link)

    def _poll(self, link: Link) -> list[str]:
        place = self._settings.folder
        try:
            return self._watch.poll()
        except FolderFull as error:
            raise fault("D-207", source=link.name, place=place, limit=FILES_MAX) from error
        except OSError as error:
            is_denied = reason_of(error) is FaultReason.PERMISSION
            code = "D-202" if is_denied else "D-201"
            cause = error.strerror or error
            raise fault(code, source=link.name, place=place, cause=cause) from error

    def _show(self, link: Link, cv2: Any, picture: Picture) -> None:
        grey = None if picture.refusal else _decode(cv2, picture.raw)
        if grey is None:
            cause = picture.refusal or "its header is whole but its pixels are damaged"
            link.degrade(fault("D-204", source=link.name, place=picture.name, cause=cause))
            return
        sighting = self._eye.decoders.read_still(grey)
        self._eye.tell(link, picture.name, sighting)
        shown = [(code.raw, code.symbology, code.repeats) for code in sighting.codes]
        self._eye.deliver(link, shown)


class FilmSession:
    """A camera, stream or recording: a code counts by `presence`."""

    def __init__(self, settings: CameraSettings) -> None:
        self._settings = settings
        self._eye = _Eye(settings)
        self._is_recording = _is_recording(settings.source)

    def __call__(self, link: Link) -> None:
        cv2 = load_opencv(link.name)
        self._eye.open(link)
        source = self._settings.source
        film = cv2.VideoCapture(int(source) if source.isdecimal() else source)
        try:
            if not film.isOpened():
                raise self._lost("it does not open")
            self._play(link, cv2, film)
        finally:
            film.release()

    def _play(self, link: Link, cv2: Any, film: Any) -> None:
        presence: Presence[tuple[bytes, str | None]] = Presence()
        frame_s = 1 / _fps(film.get(cv2.CAP_PROP_FPS))
        started = link.clock()
        count = 0
        while not link.is_stopping:
            is_there, frame = film.read()
            if not is_there:
                raise self._ended(count)
            if frame.shape[0] * frame.shape[1] > PIXELS_MAX:
                raise self._lost(f"expected at most {PIXELS_MAX} pixels, found {frame.shape}")
            count += 1
            grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) if frame.ndim == 3 else frame
            thorough = presence.has_unconfirmed or count % THOROUGH_EVERY == 1
            sighting = self._eye.decoders.read(grey, thorough=thorough)
            now = started + count * frame_s if self._is_recording else link.clock()
            presented = presence.see([(one.raw, one.symbology) for one in sighting.codes], now)
            self._eye.tell(link, self._settings.source, sighting)
            self._eye.deliver(link, [(raw, symbology, 1) for raw, symbology in presented])
            if self._is_recording:
                link.pause(max(0.0, now - link.clock()))

    def _ended(self, count: int) -> DriverFault:
        if self._is_recording and count:
            place = self._settings.source
            return fault("D-208", source=self._settings.name, place=place, count=count)
        return self._lost("no picture came")

    def _lost(self, cause: str) -> DriverFault:
        place = self._settings.source
        return fault("D-203", source=self._settings.name, place=place, cause=cause)


def _decode(cv2: Any, raw: bytes) -> Any:
    """Grey pixels of a PNG or JPEG, or None when they are damaged."""
    import numpy as np

    return cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_GRAYSCALE)


def _is_recording(source: str) -> bool:
    """A film on disk has an end; a camera, a stream and a pipe have none."""
    if source.isdecimal() or "://" in source:
        return False
    try:
        return stat.S_ISREG(Path(source).stat().st_mode)
    except OSError:
        return "%" in source


def _fps(claimed: float) -> float:
    """Pictures per second; files may claim nothing or nonsense."""
    return claimed if 1 <= claimed <= 1000 else FPS_DEFAULT
