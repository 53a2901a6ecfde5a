"""How complete an answer is: always with its frontier, never a bare "complete" (`decided.md` 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tally.merge.graph import Graph, Tip


@dataclass(frozen=True, slots=True)
class Completeness:
    """What an answer rests on.

    `tips`: journal name, seq and last wall clock each; `gaps`, `pending`, `unread`: runs behind a
    gap, references to events that have not arrived, events that could not be interpreted. `words`:
    English and Chinese.
    """

    tips: tuple[Tip, ...]
    gaps: int
    pending: int
    unread: int
    words: dict[str, str]


def completeness_of(graph: Graph) -> Completeness:
    """What every answer from this graph rests on now."""
    tips = tuple(graph.tips())
    gaps, pending, unread = graph.gap_count(), graph.pending_count(), graph.unread_count()
    return Completeness(tips, gaps, pending, unread, _words(tips, gaps, pending, unread))


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
