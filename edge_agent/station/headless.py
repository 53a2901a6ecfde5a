"""The station without a screen: one line in, one JSON line out, in order.

A line is JSON only if it parses to an object whose first key is one of `KEYS`; else it is a scan,
as a scanner would send it. No line, however it looks, ends the station or stays without an answer.
The shape of lines and answers is a contract: scripts and fixed readers rely on it.
"""

import base64
import binascii
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TextIO, TypeGuard

from drivers import READ_BYTES_MAX, Read
from edge_agent.scan.types import Typed
from edge_agent.station.messages import Line, NotUnderstood, Pause, SyncNow, TurnLink, Work
from edge_agent.station.outputs import Output
from edge_agent.station.streams import write_line
from edge_agent.station.texts import text_of
from edge_agent.workflow.types import Measured, Verdict
from tally.master import Words

SOURCE: Final = "stdin"
LINE_BYTES_MAX: Final = 64 * 1024
ECHO_CHARACTERS_MAX: Final = 4096
TEXT_CHARACTERS_MAX: Final = 512
SOURCE_CHARACTERS_MAX: Final = 64
PAUSE_S_MAX: Final = 3600.0
UNREADABLE: Final = "E-911"
TOO_LONG: Final = "E-912"

Asked = Work | TurnLink | SyncNow | Pause | NotUnderstood


def parse_line(raw: bytes, now: float) -> Line:
    """What one line asks, without its line break.

    Args:
        raw: at most `LINE_BYTES_MAX` + 1 bytes; more than `LINE_BYTES_MAX` is answered with NG.
        now: monotonic seconds.
    """
    echo = raw.decode("utf-8", "backslashreplace")[:ECHO_CHARACTERS_MAX]
    if len(raw) > LINE_BYTES_MAX:
        return Line(echo, _too_long())
    message = _read_object(raw)
    if message is None:
        return Line(echo, _scan(raw, SOURCE, now))
    key = next(iter(message))
    if key in {"scan", "badge", "command"} and _is_text(message[key]):
        echo = message[key][:ECHO_CHARACTERS_MAX]
    return Line(echo, _ASKS[key](message, now))


def _read_object(raw: bytes) -> dict[str, Any] | None:
    if not raw.lstrip().startswith(b"{"):
        return None
    try:
        found = json.loads(raw, parse_float=_Number, parse_int=_Number, parse_constant=_Number)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict) and next(iter(found), None) in _ASKS:
        return found
    return None


class _Number(str):
    """A number as it was written: values are decimal text, never floats."""

    __slots__ = ()


def _ask_scan(message: Mapping[str, Any], now: float) -> Asked:
    text, source = message["scan"], message.get("source", SOURCE)
    if not _is_text(text) or not _is_source(source):
        return _unreadable('{"scan": "PCB-L-00931", "source": "serial-1"}')
    return _scan(text.encode("utf-8", "surrogatepass"), source, now)


def _ask_raw(message: Mapping[str, Any], now: float) -> Asked:
    text, source = message["raw"], message.get("source", SOURCE)
    try:
        if _is_text(text) and _is_source(source):
            return _scan(base64.b64decode(text, validate=True), source, now)
    except (binascii.Error, ValueError):
        pass
    return _unreadable('{"raw": "<base64>"}')


def _ask_typed(key: str, example: str) -> Callable[[Mapping[str, Any], float], Asked]:
    def ask(message: Mapping[str, Any], now: float) -> Asked:
        text = message[key]
        return Work(Typed(text, SOURCE, now)) if _is_text(text) else _unreadable(example)

    return ask


def _ask_measure(message: Mapping[str, Any], _now: float) -> Asked:
    fields = message["measure"]
    source = message.get("source", SOURCE)
    if isinstance(fields, dict) and _is_source(source):
        characteristic, value = fields.get("characteristic"), fields.get("value")
        if (
            _is_text(characteristic)
            and isinstance(value, str)  # a number stands as it was written
            and len(characteristic) + len(value) <= TEXT_CHARACTERS_MAX
            and (characteristic + value).isprintable()
        ):
            return Work(Measured(characteristic, str(value), source))
    return _unreadable('{"measure": {"characteristic": "torque", "value": "0.61"}}')


def _ask_link(message: Mapping[str, Any], _now: float) -> Asked:
    if message["link"] in ("up", "down"):
        return TurnLink(up=message["link"] == "up")
    return _unreadable('{"link": "down"} or {"link": "up"}')


def _ask_sync(message: Mapping[str, Any], _now: float) -> Asked:
    return SyncNow() if message["sync"] is True else _unreadable('{"sync": true}')


def _ask_wait(message: Mapping[str, Any], _now: float) -> Asked:
    try:
        seconds = float(message["wait"]) if isinstance(message["wait"], _Number) else math.nan
    except ValueError:
        seconds = math.nan
    if 0 <= seconds <= PAUSE_S_MAX:
        return Pause(seconds)
    return _unreadable(f'{{"wait": 1.5}}, 0 to {PAUSE_S_MAX:.0f} seconds')


_ASKS: Final[Mapping[str, Callable[[Mapping[str, Any], float], Asked]]] = {
    "scan": _ask_scan,
    "badge": _ask_typed("badge", '{"badge": "BDG-1107"}'),
    "measure": _ask_measure,
    "command": _ask_typed("command", '{"command": "CTLOK"}'),
    "link": _ask_link,
    "sync": _ask_sync,
    "wait": _ask_wait,
    "raw": _ask_raw,
}
KEYS: Final = tuple(_ASKS)


def _scan(raw: bytes, source: str, now: float) -> Work:
    if not raw:
        return Work(Typed("", source, now))
    truncated = len(raw) > READ_BYTES_MAX
    return Work(Read(source, raw[:READ_BYTES_MAX], now, truncated=truncated))


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and not isinstance(value, _Number)


def _is_source(value: object) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= SOURCE_CHARACTERS_MAX
        and value.isprintable()
        and not isinstance(value, _Number)
    )


def _unreadable(example: str) -> NotUnderstood:
    return NotUnderstood(
        UNREADABLE,
        Words(
            f"This line is not as expected. Nothing saved. Expected {example}.",
            f"无法理解此行。未保存。应为 {example}。",
        ),
    )


def _too_long() -> NotUnderstood:
    return NotUnderstood(
        TOO_LONG,
        Words(
            f"The line is longer than {LINE_BYTES_MAX} bytes. Nothing saved. Scan again, one code.",
            f"此行超过 {LINE_BYTES_MAX} 字节。未保存。请重扫,每次一个编码。",
        ),
    )


def render(
    echo: Any, output: Output, language: Literal["en", "zh"], *, unsent: int, online: bool
) -> str:
    """One line of JSON, without its line break; keys as in the contract."""
    fields = {
        "in": echo,
        "verdict": output.verdict.value,
        "code": output.code,
        "text": text_of(output, language),
        "unit": output.unit,
        "step": output.step,
        "events": [event.hex() for event in output.events],
        "unsent": unsent,
        "online": online,
        "source": output.source,
    }
    if output.slip:
        fields["slip"] = output.slip
    return json.dumps(fields, ensure_ascii=False)


class HeadlessSpeaker:
    """Answers as JSON lines; remarks go beside, for whoever looks after the station."""

    def __init__(
        self,
        stream: TextIO,
        errors: TextIO,
        language: Literal["en", "zh"],
        *,
        is_language_fixed: bool = True,
    ) -> None:
        """`is_language_fixed`: CTLLNG changes what the operator sees, but not these lines."""
        self._stream = stream
        self._errors = errors
        self._language: Literal["en", "zh"] = language
        self._is_language_fixed = is_language_fixed

    def begin(self, output: Output, *, unsent: int, online: bool) -> None:
        """Silent unless work goes on from before: a script expects answers only."""
        if output.unit is not None or output.verdict is not Verdict.READY:
            self.tell(output, unsent=unsent, online=online)

    def answer(self, echo: Any, output: Output, *, unsent: int, online: bool) -> None:
        """Exactly one line for each line of input."""
        is_change = output.answer is not None and output.answer.key == "ready.language"
        if is_change and not self._is_language_fixed:
            self._language = "en" if self._language == "zh" else "zh"
        line = render(echo, output, self._language, unsent=unsent, online=online)
        write_line(self._stream, line)

    def tell(self, output: Output, *, unsent: int, online: bool) -> None:
        """What happened by itself, with `"in": null`."""
        self.answer(None, output, unsent=unsent, online=online)

    def remark(self, output: Output) -> None:
        """About link and devices: never on the stream that scripts read."""
        text = text_of(output, self._language)
        write_line(self._errors, f"{output.source}: {output.verdict.value} {output.code} {text}")
