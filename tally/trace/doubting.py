"""What clocks add to a finding that nothing orders two results, for people.

The finding itself rests on no clock (`tally.merge.findings`): it stays, whatever they say.
"""

from __future__ import annotations

from dataclasses import replace

from tally.merge.graph import Graph
from tally.merge.marks import Finding
from tally.records.ids import parse_ref
from tally.trace.timing import Timed, seconds, shown_ms, timeline


def with_times(graph: Graph, finding: Finding) -> Finding:
    """The finding, and in its words by how many seconds times may be off, or what came last.

    Any other finding is given back as it is.
    """
    if finding.code != "order-not-provable":
        return finding
    found = (graph.find(parse_ref(ref)) for ref in finding.evidence)
    told = timeline(graph, [at for at in found if at is not None and graph.is_readable(at)])
    said = _said(graph, told)
    words = {lang: f"{finding.words[lang][:-1]} ({said[lang]}){_END[lang]}" for lang in _END}
    return replace(finding, words=words)


_END = {"en": ".", "zh": "。"}


def _said(graph: Graph, told: tuple[Timed, ...]) -> dict[str, str]:
    known = [(one.by_hub.ms, one.by_hub.within_ms, one.place) for one in told if one.by_hub]
    known.sort(key=lambda one: (*one[:2], one[2].id))
    if len(known) < max(2, len(told)):
        return {"en": "order not provable", "zh": "先后无法证明"}
    (before_ms, before_within, _), (ms, within, last) = known[-2:]
    apart = before_within + within
    if ms - before_ms <= apart:
        return {
            "en": f"order not provable, ± {seconds(apart)} s",
            "zh": f"先后无法证明，± {seconds(apart)} s",
        }
    when = f"{shown_ms(ms)} ± {seconds(within)} s"
    return {
        "en": f"by the hub's clock that of {graph.writer(last)} is the newest, {when}",
        "zh": f"按中心时钟，{graph.writer(last)} 的结果最新，{when}",
    }
