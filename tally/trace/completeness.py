"""How complete an answer is: always with its frontier, never a bare "complete" (`decided.md` 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tally.merge.graph import Graph, Tip
from tally.merge.lost import Lost, lost_in
from tally.merge.trusting import Revocation, doubt_about, trust_in
from tally.records.ids import JournalId


@dataclass(frozen=True, slots=True)
class Untrusted:
    """A station whose key was taken back, with events that do not count for it.

    `since`: the seq of its last event that counts; `by`, `at`, `reason`: who took the key back.
    `is_decided`: somebody said that none of them will ever count.
    """

    journal: JournalId
    station: str
    since: int
    by: str
    at: str
    reason: str
    ref: str
    is_decided: bool

    @property
    def words(self) -> dict[str, str]:
        """English and Chinese."""
        en = f"{self.station} is untrusted since its event {self.since} (key taken back by "
        en += f"{self.by} at {self.at}: {self.reason}): what came after does not count"
        zh = f"{self.station} 自第 {self.since} 条记录之后不可信（密钥由 {self.by} 于 {self.at} "
        zh += f"收回：{self.reason}），其后的记录不作数"
        if self.is_decided:
            return {"en": en, "zh": zh}
        return {"en": f"{en} until somebody decides", "zh": f"{zh}，尚待裁定"}


@dataclass(frozen=True, slots=True)
class Completeness:
    """What an answer rests on.

    `tips`: journal name, seq and last wall clock each; `gaps`, `pending`, `unread`: runs behind a
    gap, references to events that have not arrived, events that could not be interpreted;
    `untrusted`: stations whose newer events do not count; `lost`: events that nobody has. `words`:
    English and Chinese.
    """

    tips: tuple[Tip, ...]
    gaps: int
    pending: int
    unread: int
    untrusted: tuple[Untrusted, ...]
    words: dict[str, str]
    lost: tuple[Lost, ...] = ()


def completeness_of(graph: Graph) -> Completeness:
    """What every answer from this graph rests on now."""
    tips = tuple(graph.tips())
    gaps, pending, unread = graph.gap_count(), graph.pending_count(), graph.unread_count()
    untrusted, lost = untrusted_in(graph), lost_in(graph)
    words = _words(tips, gaps, pending, unread)
    said = [*(one.words for one in untrusted), *(one.words for one in lost[:_LOST_NAMED])]
    if len(lost) > _LOST_NAMED:
        more = len(lost) - _LOST_NAMED
        said.append({"en": f"And {more} more are lost", "zh": f"另有 {more} 条记录丢失"})
    for each in said:
        words = {lang: f"{text} {each[lang]}{_STOP[lang]}" for lang, text in words.items()}
    return Completeness(tips, gaps, pending, unread, untrusted, words, lost)


_LOST_NAMED: Final = 3
_STOP: Final = {"en": ".", "zh": "。"}


def untrusted_in(graph: Graph) -> tuple[Untrusted, ...]:
    """Stations with events that do not count because their key was taken back, by name."""
    found = []
    for journal in graph.revoked_journals():
        trust = trust_in(graph, journal)
        doubts = {doubt_about(graph, end, trust) for end in graph.ends_of(journal)} - {""}
        if doubts:
            first = min(trust.revocations, key=lambda one: (_seq(one), one.place.id))
            what = (journal, first.station, _seq(first), first.by, first.at, first.reason)
            found.append(Untrusted(*what, first.place.ref, is_decided="open" not in doubts))
    return tuple(sorted(found, key=lambda one: (one.station, one.journal)))


def _seq(revocation: Revocation) -> int:
    return revocation.trusted.seq if revocation.trusted else 0


def _words(tips: Sequence[Tip], gaps: int, pending: int, unread: int) -> dict[str, str]:
    where = ", ".join(f"{tip.name}:{tip.seq} ({tip.at})" for tip in tips)
    if not where:
        return {"en": "Nothing is known yet.", "zh": "尚无任何数据。"}
    missing = [
        (gaps, f"{gaps} runs of events stand behind a gap", f"{gaps} 段事件之前有缺口"),
        (
            pending,
            f"{pending} events are named that have not arrived",
            f"{pending} 个被引用的事件尚未到达",
        ),
        (unread, f"{unread} events could not be interpreted", f"{unread} 个事件无法解读"),
    ]
    en = "".join(f"; {text}" for count, text, _ in missing if count)
    zh = "".join(f"；{text}" for count, _, text in missing if count)
    return {
        "en": f"Complete to {where}{en}. What happened later is not in it.",
        "zh": f"截至 {where} 完整{zh}。之后发生的事不在其中。",
    }
