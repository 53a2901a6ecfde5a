"""A scanner on a serial port, by pyserial: opens it for itself alone, reads, comes back after loss.

What a code is, decides `framing`; this module only moves bytes and sorts what goes wrong. pyserial
is loaded when the driver starts. Opening a port throws away what the device sent before.
"""

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from drivers.contract import DriverFault, FaultReason, Read
from drivers.device_thread import DeviceThread, Link
from drivers.faults import fault, reason_of
from drivers.serial_port.framing import TERMINATORS, Coalescer, Frame, Framer
from drivers.settings import DeviceSettings

TICK_S = 0.05  # how soon a stop, an idle rest or a count of repeats is noticed
CHUNK_BYTES_MAX = 4096
PARITIES = {"none": "N", "even": "E", "odd": "O", "mark": "M", "space": "S"}


@dataclass(frozen=True, slots=True)
class SerialSettings:
    """The keys of a `serial_port` device."""

    name: str
    port: str
    """Device file; a `/dev/serial/by-id/...` name survives re-plugging."""
    baudrate: int
    """300 to 4,000,000; default 9600. USB scanners ignore it."""
    data_bits: int
    parity: str
    stop_bits: int
    terminator: str
    """What ends a code: a key of `framing.TERMINATORS`; default `cr_or_lf`."""
    idle_ms: int
    """Silence after which an unterminated rest is given out as truncated; default 250."""
    prefix: str
    suffix: str
    """What the scanner adds to every code, taken off here; default nothing. Latin-1 text."""


def create(settings: DeviceSettings, *, clock: Callable[[], float]) -> DeviceThread:
    """Read the settings; the port is opened when the driver starts.

    Raises:
        DriverFault: D-001, all problems of the settings.
    """
    read = SerialSettings(
        name=settings.name,
        port=settings.text("port"),
        baudrate=settings.whole("baudrate", low=300, high=4_000_000, default=9600),
        data_bits=settings.whole("data_bits", low=7, high=8, default=8),
        parity=settings.choice("parity", tuple(PARITIES), "none"),
        stop_bits=settings.whole("stop_bits", low=1, high=2, default=1),
        terminator=settings.choice("terminator", tuple(TERMINATORS), "cr_or_lf"),
        idle_ms=settings.whole("idle_ms", low=20, high=10_000, default=250),
        prefix=settings.text("prefix", ""),
        suffix=settings.text("suffix", ""),
    )
    for key, value in (("prefix", read.prefix), ("suffix", read.suffix)):
        if len(value) > 64 or any(ord(char) > 255 for char in value):
            settings.problems.append(f"{key!r}: expected at most 64 Latin-1 characters")
    settings.finish()
    return DeviceThread(read.name, SerialSession(read), clock=clock)


class SerialSession:
    """Opens the port and reads until it is gone or the driver stops."""

    def __init__(self, settings: SerialSettings) -> None:
        self._settings = settings

    def __call__(self, link: Link) -> None:
        port = self._open()
        framer = Framer(
            TERMINATORS[self._settings.terminator],
            idle_s=self._settings.idle_ms / 1000,
            prefix=self._settings.prefix.encode("latin-1"),
            suffix=self._settings.suffix.encode("latin-1"),
        )
        repeats = Coalescer()
        link.ready()
        try:
            while not link.is_stopping:
                chunk = self._read(port)
                now = link.clock()
                frames = framer.feed(chunk, now) if chunk else framer.tick(now)
                self._deliver(link, repeats, frames)
                self._deliver_counted(link, repeats.tick(now))
        finally:
            # What came before the loss or the stop did come: it is marked, not dropped.
            self._deliver(link, repeats, framer.close(link.clock()))
            self._deliver_counted(link, repeats.close())
            port.close()

    def _deliver(self, link: Link, repeats: Coalescer, frames: Sequence[Frame]) -> None:
        for frame in frames:
            self._deliver_counted(link, repeats.add(frame))

    @staticmethod
    def _deliver_counted(link: Link, frames: Sequence[Frame]) -> None:
        for frame in frames:
            link.deliver(
                Read(
                    link.name,
                    frame.raw,
                    frame.at,
                    truncated=frame.truncated,
                    repeats=frame.repeats,
                )
            )

    def _open(self) -> Any:
        import serial

        settings = self._settings
        try:
            return serial.Serial(
                settings.port,
                settings.baudrate,
                bytesize=settings.data_bits,
                parity=PARITIES[settings.parity],
                stopbits=settings.stop_bits,
                timeout=min(TICK_S, settings.idle_ms / 1000),
                exclusive=True,
            )
        except (OSError, ValueError) as error:
            raise self._sort(error) from error

    def _read(self, port: Any) -> bytes:
        """What is there, after at most `TICK_S`; returns as soon as there is a byte."""
        try:
            first: bytes = port.read(1)
            waiting = min(port.in_waiting, CHUNK_BYTES_MAX) if first else 0
            more: bytes = port.read(waiting) if waiting else b""
        except (OSError, TypeError) as error:  # TypeError: pyserial 3.5, port closed under it
            raise fault(
                "D-105", source=self._settings.name, port=self._settings.port, cause=error
            ) from error
        return first + more

    def _sort(self, error: OSError | ValueError) -> DriverFault:
        """Why the port did not open. pyserial's errors keep the number of the system's."""
        settings = self._settings
        line = f"{settings.baudrate} baud {settings.data_bits}{PARITIES[settings.parity]}"
        expected = f"{line}{settings.stop_bits}"
        code, cause = "D-104", str(error)
        if isinstance(error, OSError) and error.errno not in {None, errno.EINVAL, errno.ENOTTY}:
            cause = os.strerror(error.errno)
            match reason_of(error):
                case FaultReason.PERMISSION:
                    code = "D-103"
                case FaultReason.BUSY:
                    code = "D-102"
                case _:
                    code = "D-101"
        return fault(code, source=settings.name, port=settings.port, cause=cause, expected=expected)
