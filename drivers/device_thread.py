"""What every input driver shares: one daemon thread, sorted faults, waiting times, health.

A family brings a session: a function that opens the device, calls `link.ready()`, delivers through
`link.deliver()` and returns when `link.is_stopping`. A `DriverFault` ends a session; this thread
says so, waits (0.2 s, doubling to 5 s) and opens a new one. This is the place that catches
everything: a driver never dies without words.
"""

import threading
from collections.abc import Callable
from dataclasses import replace

from drivers.contract import DriverFault, Health, HealthState, Read
from drivers.faults import fault

BACKOFF_S_MIN = 0.2
BACKOFF_S_MAX = 5.0

Clock = Callable[[], float]


class Link:
    """What a session may use: the time, the way out for reads, and words about the device."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.clock = clock
        self.was_ready = False
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._health = Health(name, HealthState.STARTING, "Not started yet.", clock())
        self._health = replace(self._health, words_zh="尚未启动。")
        self._deliver: Callable[[Read], None] | None = None
        self._report: Callable[[Health], None] | None = None
        self._limitation: DriverFault | None = None

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    @property
    def health(self) -> Health:
        with self._lock:
            return self._health

    def attach(
        self, deliver: Callable[[Read], None], report: Callable[[Health], None] | None
    ) -> None:
        self._deliver, self._report = deliver, report

    def stop(self) -> None:
        self._stopping.set()

    def pause(self, seconds: float) -> bool:
        """Wait, or less when stopping; whether the session should go on."""
        return not self._stopping.wait(seconds)

    def ready(self) -> None:
        """The device answers; all is well but for its lasting limitation, if it has one."""
        self.was_ready = True
        if self._limitation is not None:
            self.degrade(self._limitation)
        else:
            self.tell(HealthState.OK, "Ready.", "就绪。")

    def limit(self, problem: DriverFault) -> None:
        """The device works, with this limitation for as long as the driver runs."""
        self._limitation = problem
        self.ready()

    def degrade(self, problem: DriverFault) -> None:
        """The device works, but this went wrong; the next `ready()` clears it."""
        self.was_ready = True
        self.tell(HealthState.DEGRADED, problem.words, problem.words_zh, code=problem.code)

    def tell(self, state: HealthState, words: str, words_zh: str, *, code: str = "") -> None:
        """Note a health, and report it if it differs from the last one."""
        with self._lock:
            old = self._health
            if (old.state, old.code, old.words) == (state, code, words):
                return
            since = old.since if old.state is state else self.clock()
            self._health = Health(self.name, state, words, since, code, words_zh)
            told = self._health
        if self._report is not None and not self.is_stopping:
            try:
                self._report(told)
            except Exception:  # noqa: BLE001 - whoever listens badly must not end the device;
                return  # `health()` still answers with the truth.

    def deliver(self, read: Read) -> None:
        """Hand a read to the station; a refusal is said in words and never ends the device."""
        assert self._deliver is not None, "deliver() belongs into a session"
        try:
            self._deliver(read)
        except Exception as error:  # noqa: BLE001 - the callback is not ours
            cause = f"{type(error).__name__}: {error}"
            self.degrade(fault("D-090", source=self.name, cause=cause))
            return
        if self.health.code == "D-090":
            self.ready()


class DeviceThread:
    """A `Driver` around a session."""

    def __init__(self, name: str, session: Callable[[Link], None], *, clock: Clock) -> None:
        self.name = name
        self._session = session
        self._link = Link(name, clock)
        self._thread: threading.Thread | None = None

    def start(self, deliver: Callable[[Read], None], report: Callable[[Health], None]) -> None:
        """Start; once in the life of a driver (a new one is made from the same settings).

        Raises:
            RuntimeError: started before.
        """
        if self._thread is not None or self._link.is_stopping:
            raise RuntimeError(f"{self.name} was started or stopped before: create a new driver")
        self._link.attach(deliver, report)
        self._thread = threading.Thread(target=self._run, name=f"driver {self.name}", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        self._link.stop()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)
            if thread.is_alive():
                words = f"Did not stop within {timeout_s} s: the device or the station holds it."
                words_zh = f"{timeout_s} 秒内未停止:被设备或工位程序占用。"
                self._link.tell(HealthState.LOST, words, words_zh)
                return
        self._link.tell(HealthState.LOST, "Stopped by the station.", "已由工位程序停止。")

    def health(self) -> Health:
        return self._link.health

    def _run(self) -> None:
        link = self._link
        link.tell(HealthState.STARTING, "Starting.", "正在启动。")
        backoff_s = BACKOFF_S_MIN
        while not link.is_stopping:
            link.was_ready = False
            problem = self._serve_once()
            if link.is_stopping:
                return
            link.tell(HealthState.LOST, problem.words, problem.words_zh, code=problem.code)
            if not problem.is_retryable:
                return
            if link.was_ready:
                backoff_s = BACKOFF_S_MIN
            link.pause(backoff_s)
            backoff_s = min(backoff_s * 2, BACKOFF_S_MAX)

    def _serve_once(self) -> DriverFault:
        """One session, and why it ended."""
        try:
            self._session(self._link)
        except DriverFault as problem:
            return problem
        except Exception as error:  # noqa: BLE001 - the device supervisor catches everything
            cause = f"{type(error).__name__}: {error}"
            return fault("D-091", source=self.name, cause=cause)
        return fault("D-091", source=self.name, cause="the session ended without being asked to")
