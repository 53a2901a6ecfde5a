"""A headless station as its operators meet it: one line in, one JSON line out.

`Headless` starts `tally station run DIR --headless`, speaks to it in order, and keeps the lines
that come by themselves (`"in": null`: a device was read, a decision arrived). Every wait has a
deadline, and what was awaited is said together with the last lines seen.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

from tally_demo.commands import DemoError
from tally_demo.processes import Child, Children

ANSWER_S: Final = 90.0
"""Longest time an answer may take on a busy machine; a sync has its own deadline inside."""
_LOOK_S: Final = 0.05

Said: TypeAlias = str | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the station. `given` is its `in`; None when it came by itself."""

    given: Any
    verdict: str
    code: str
    text: str
    unit: str | None
    step: int | None
    events: tuple[str, ...]
    unsent: int
    online: bool
    source: str
    printed: str = field(repr=False)

    @property
    def by_itself(self) -> bool:
        """Whether nobody asked for it."""
        return self.given is None


def parse_line(printed: str) -> Line:
    """Read one output line.

    Raises:
        DemoError: it is not the JSON object that a headless station prints.
    """
    try:
        found = json.loads(printed)
        return Line(
            given=found["in"],
            verdict=str(found["verdict"]),
            code=str(found["code"]),
            text=str(found["text"]),
            unit=found["unit"],
            step=found["step"],
            events=tuple(str(event) for event in found["events"]),
            unsent=int(found["unsent"]),
            online=bool(found["online"]),
            source=str(found.get("source") or ""),
            printed=printed,
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DemoError(
            f"A headless station prints one JSON object a line; found {printed[:300]!r} "
            f"({type(error).__name__}: {error})."
        ) from error


class Headless:
    """One station; it can be killed and started again on the same folder."""

    def __init__(self, name: str, folder: Path, children: Children, log: Path) -> None:
        self.name = name
        self.folder = folder
        self.lines: list[Line] = []
        self._children = children
        self._log = log
        self._child: Child | None = None
        self._changed = threading.Condition()
        self._broken: DemoError | None = None
        self._is_over = True
        self._log_start = 0

    @property
    def acknowledged(self) -> frozenset[str]:
        """Ids of all events that this station ever said are durable."""
        return frozenset(event for line in self.lines for event in line.events)

    @property
    def mark(self) -> int:
        """Where its lines end now, for `hear`."""
        with self._changed:
            return len(self.lines)

    @property
    def pid(self) -> int:
        """Process id of the running station."""
        return self._running().pid

    @property
    def lost_with(self) -> int | None:
        """The exit status if it ended though nobody here ended it; None while it runs."""
        child = self._child
        return child.status if child else None

    def start(self) -> None:
        """Start the station on its folder."""
        arguments = ["station", "run", str(self.folder), "--headless", "--lang", "en"]
        self._log_start = self._log.stat().st_size if self._log.exists() else 0
        child = self._children.start(self.name, arguments, self._log)
        self._child, self._is_over = child, False
        threading.Thread(target=self._listen, args=(child.stdout,), daemon=True).start()

    def say(self, said: Said) -> Line:
        """Give one line and wait for its answer: text is a scan, a mapping is a JSON line.

        Raises:
            DemoError: no answer within `ANSWER_S`, or the station ended.
        """
        line = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
        start = self.mark
        stdin = self._running().stdin
        try:
            stdin.write(line.encode() + b"\n")
            stdin.flush()
        except OSError as error:
            raise self._unheard(f"to take {line!r} ({error})") from error
        return self.hear(
            lambda found: not found.by_itself, what=f"an answer to {line!r}", since=start
        )

    def hear(self, is_it: Callable[[Line], bool], *, what: str, since: int) -> Line:
        """Wait for a line, from position `since` on, that `is_it`.

        Raises:
            DemoError: none within `ANSWER_S`, or the station ended.
        """

        def found() -> Line | None:
            return next((line for line in self.lines[since:] if is_it(line)), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or self._is_over, ANSWER_S)
            if line := found():
                return line
        raise self._unheard(what)

    def await_device(self, device: str) -> None:
        """Wait until the station says on stderr that the device is ready, since it was started.

        Raises:
            DemoError: not within `ANSWER_S`.
        """
        until = time.monotonic() + ANSWER_S
        wanted = f"{device}: READY".encode()
        while wanted not in self._log.read_bytes()[self._log_start :]:
            if time.monotonic() > until:
                raise self._unheard(f"{device} to be ready")
            time.sleep(_LOOK_S)

    def kill(self) -> None:
        """End it with SIGKILL, as a power cut would, and wait until it is gone."""
        self._running().kill()
        with self._changed:
            self._changed.wait_for(lambda: self._is_over, ANSWER_S)
        self._child = None

    def end(self) -> int:
        """Close its input and wait; its exit status."""
        status = self._running().end(with_signal=False)
        self._child = None
        return status

    def _running(self) -> Child:
        if self._child is None:
            raise DemoError(f"Station {self.name} is not running.")
        return self._child

    def _listen(self, stdout: IO[bytes]) -> None:
        try:
            for raw in stdout:
                line = parse_line(raw.decode("utf-8", "replace").rstrip("\n"))
                with self._changed:
                    self.lines.append(line)
                    self._changed.notify_all()
        except DemoError as error:
            self._broken = error
        except ValueError:
            pass  # the pipe was closed here while it was being read
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    def _unheard(self, what: str) -> DemoError:
        if self._broken:
            return self._broken
        child = self._running()
        state = "is running" if child.status is None else f"ended with status {child.status}"
        last = "\n  ".join(line.printed for line in self.lines[-5:]) or "none"
        return DemoError(
            f"Station {self.name} {state}: expected {what} within {ANSWER_S:g} s.\n"
            f"Its last lines:\n  {last}\nOn stderr:\n{child.last_words() or '  nothing'}"
        )
