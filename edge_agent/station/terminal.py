"""A plain line terminal: scans and commands in, answers in words out; the same engine as headless.

For a first look, a serial terminal or a screen reader. Typed lines are marked as typed.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TextIO

from edge_agent.scan.types import Typed
from edge_agent.station.headless import LINE_BYTES_MAX, parse_line
from edge_agent.station.messages import Line, SyncNow, TurnLink, Work
from edge_agent.station.outputs import Output
from edge_agent.station.streams import write_line
from edge_agent.station.texts import text_of

KEYBOARD: Final = "keyboard"
_ASKS: Final[Mapping[str, TurnLink | SyncNow]] = {
    "link down": TurnLink(up=False),
    "link up": TurnLink(up=True),
    "sync": SyncNow(),
}
_HELP: Final = {
    "en": "Scan or type a code, a badge or a CTL command. Also: link down, link up, sync. "
    "Ctrl-D ends.",
    "zh": "请扫描或输入编码、工牌或 CTL 命令。另有:link down、link up、sync。Ctrl-D 结束。",
}
_STATUS: Final = {
    "en": "{link}, unsent {unsent}",
    "zh": "{link},待传 {unsent}",
}
_LINK: Final = {"en": ("OFFLINE", "ONLINE"), "zh": ("离线", "在线")}


def parse_typed(raw: bytes, now: float) -> Line:
    """What a typed line asks."""
    text = raw.decode("utf-8", "replace").strip()
    ask = _ASKS.get(" ".join(text.lower().split()))
    if ask is not None:
        return Line(text, ask)
    if len(raw) > LINE_BYTES_MAX or text.startswith("{"):
        return parse_line(raw, now)
    return Line(text, Work(Typed(text, KEYBOARD, now)))


class TerminalSpeaker:
    """Answers as lines for people."""

    def __init__(self, stream: TextIO, errors: TextIO, language: Literal["en", "zh"]) -> None:
        self._stream = stream
        self._errors = errors
        self._language: Callable[[], Literal["en", "zh"]] = lambda: language

    def follow(self, language: Callable[[], Literal["en", "zh"]]) -> None:
        """Speak from now on as this says each time: the language of whoever is signed in."""
        self._language = language

    def greet(self, station: str) -> None:
        """The first line."""
        write_line(self._stream, f"{station}. {_HELP[self._language()]}")

    def begin(self, output: Output, *, unsent: int, online: bool) -> None:
        """Where the last run ended."""
        self.tell(output, unsent=unsent, online=online)

    def answer(self, echo: Any, output: Output, *, unsent: int, online: bool) -> None:
        """The answer to a typed line."""
        self.tell(output, unsent=unsent, online=online)

    def tell(self, output: Output, *, unsent: int, online: bool) -> None:
        """Verdict, unit and step, text, and how the station stands."""
        code = f" {output.code}" if output.code else ""
        where = f" [{output.unit} · {output.step}]" if output.unit else ""
        language = self._language()
        status = _STATUS[language].format(link=_LINK[language][online], unsent=unsent)
        text = text_of(output, language)
        write_line(self._stream, f"{output.verdict.value}{code}{where} {text}  ({status})")

    def remark(self, output: Output) -> None:
        """Link and devices, beside the work."""
        text = text_of(output, self._language())
        write_line(self._errors, f"{output.source}: {output.verdict.value} {output.code} {text}")
