"""The contract between a device driver and the station.

Rules:
1. A driver gives bytes as they came. It never guesses: half a code is marked, not completed.
2. Every presented code is delivered once, in order, from the driver's own thread.
3. A driver never ends silently: what it cannot do, it says in its `Health` or its `DriverFault`.
4. Times are seconds of the monotonic clock that the station passes in.

Read next: `drivers/registry.py` (how a driver is made from settings), `drivers/faults.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, runtime_checkable

READ_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class Read:
    """What one device gave, at one moment.

    Attributes:
        source: the device's name from settings, such as `serial-1`.
        raw: the payload without line end; GS, RS, EOT, NUL kept; 1 to `READ_BYTES_MAX` bytes.
        read_at: monotonic seconds, from the injected clock.
        symbology: AIM identifier such as `]d2`, when the device knows it.
        truncated: more bytes came than the limit, or the frame has no beginning or no end.
        repeats: how many identical reads this one stands for (a scanner that loops). The sum
            over a driver's reads equals the number of codes the device sent.
        group: reads of one trigger pull or one picture share a number.
    """

    source: str
    raw: bytes
    read_at: float
    symbology: str | None = None
    truncated: bool = False
    repeats: int = 1
    group: int | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.raw) <= READ_BYTES_MAX:
            raise ValueError(f"a read has 1 to {READ_BYTES_MAX} bytes, got {len(self.raw)}")
        if self.repeats < 1:
            raise ValueError(f"a read stands for at least one, got repeats={self.repeats}")


class HealthState(Enum):
    """How a device is; LOST means that nothing presented to it arrives."""

    STARTING = "starting"
    OK = "ok"
    DEGRADED = "degraded"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Health:
    """The state of one device, in words a technician can act on.

    Attributes:
        words: English: what happened, expected and found, what to do.
        since: monotonic seconds at which this state began.
        code: the fault's stable code such as `D-101`; empty when there is no fault.
        words_zh: the same words in Chinese.
    """

    source: str
    state: HealthState
    words: str
    since: float
    code: str = ""
    words_zh: str = ""


class FaultReason(Enum):
    """Why a device cannot do its work; decides who is sent."""

    NOT_FOUND = "not_found"
    BUSY = "busy"
    PERMISSION = "permission"
    LOST = "lost"
    MISCONFIGURED = "misconfigured"
    UNREADABLE = "unreadable"
    REFUSED = "refused"
    OUT_OF_PAPER = "out_of_paper"
    FULL = "full"
    BUG = "bug"


class DriverFault(Exception):
    """A device cannot do its work; a technician or time has to act.

    Attributes:
        code: stable, listed in `drivers.faults.KINDS`.
        is_retryable: trying again later may help without anybody changing settings.
        words, words_zh: what happened, expected and found, what to do.
    """

    def __init__(
        self, code: str, reason: FaultReason, *, is_retryable: bool, words: str, words_zh: str = ""
    ) -> None:
        super().__init__(f"{code}: {words}")
        self.code = code
        self.reason = reason
        self.is_retryable = is_retryable
        self.words = words
        self.words_zh = words_zh


@runtime_checkable
class Driver(Protocol):
    """An input device: a thread that reads and delivers until stopped."""

    name: str

    def start(self, deliver: Callable[[Read], None], report: Callable[[Health], None]) -> None:
        """Start reading on an own daemon thread; returns at once, whatever the device does.

        Args:
            deliver: called from the driver's thread for each read; may block (a full queue).
            report: called from the driver's thread once for each change of health.
        """
        ...

    def stop(self, timeout_s: float = 2.0) -> None:
        """End reading and join the thread; may be called any number of times."""
        ...

    def health(self) -> Health:
        """The present health; callable from any thread, also before start and after stop."""
        ...


@dataclass(frozen=True, slots=True)
class LabelJob:
    """One label to print.

    Attributes:
        job_id: names the label on the device; 1 to 80 of letters, digits, `.`, `_`, `-`.
        template: a parsed label template; keys as documented in `drivers.label_files.template`.
        values: what stands for `{name}` in the template.
        copies: 1 to 100.
    """

    job_id: str
    template: Mapping[str, Any]
    values: Mapping[str, str]
    copies: int = 1


@dataclass(frozen=True, slots=True)
class PrintOutcome:
    """What came out: one place (file or device address) for each copy, in order of printing."""

    printer: str
    job_id: str
    places: tuple[str, ...]


@runtime_checkable
class Printer(Protocol):
    """An output device for labels."""

    name: str

    def print_label(self, job: LabelJob) -> PrintOutcome:
        """Print; returns only when the label is out (a file: on disk).

        Raises:
            DriverFault: it is not, or not completely; the words say how many copies are out.
        """
        ...
