"""Whatever comes in, in whatever order: the machine answers, loses nothing and never lies."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.scan import Typed, recognise
from edge_agent.wording import show
from edge_agent.workflow import (
    KnowledgeChanged,
    Measured,
    PrintDone,
    PrintFailed,
    Repeated,
    Restarted,
    SeenTogether,
    prompt,
)
from edge_agent.workflow.knowledge import Basis, DecisionFact, HoldFact
from tally.events import types as t
from tally.events.decoding import write_line
from tally.master import Words
from tests.support.knowing import HUB, Bench, Knowing

COMMANDS = """CTLOK CTLDONE CTLNO CTLNEXT CTLPRINT CTLGOOD CTLNG CTLUNDO CTLHOLD CTLHELP CTLLNG
CTLLEND CTLBORROW
CTLRING CTLOUT CTLFOO"""
NAMES = """BDG-1107 BDG-1182 BDG-2004 BDG-3001 BDG-9999 24-1187 final-assembly flash-test@5 smt
pack@6 PCB-L-00904 PCB-L-00905 PCB-L-00906 PCB-L-00881 PCB-L-00882 BL2-2647-000401
BL2-2647-000402 BL2-2647-000381 095211010000000870 BAT-18650-2547A BAT-18650-2547B
BAT-18650-2546X FR4-19 LED-88 PCB-L-2546C 09521101000023 hello 0.61 0.99 PCB-L-0"""
texts = st.one_of(
    st.sampled_from(COMMANDS.split()),
    st.sampled_from(["THE-OPEN-UNIT", *NAMES.split()]),
    st.text(max_size=20),
)
steps = st.one_of(
    st.tuples(st.just("scan"), texts),
    st.tuples(st.just("scan"), st.sampled_from(["THE-OPEN-UNIT", "CTLNEXT", "CTLOK", "CTLGOOD"])),
    st.tuples(st.just("measure"), st.sampled_from(["0.6", "0.75", "1e5", "nan", ""])),
    st.tuples(st.just("together"), st.lists(texts, max_size=3)),
    st.tuples(st.sampled_from(["restart", "news", "repeat", "late_print", "printer", "wait"])),
    st.tuples(st.sampled_from(["hold", "release", "old", "fresh", "decide"])),
)


class Floor:
    """A bench and everything else that may happen around it."""

    def __init__(self, station):
        knowledge = Knowing(station)
        for code in ("PCB-L-00904", "PCB-L-00905"):
            knowledge.made(code, passed="20")
        self.bench = Bench(knowledge)

    def scan_of(self, text):
        unit = self.bench.state.unit
        text = unit.code if unit and text == "THE-OPEN-UNIT" else text
        return recognise(Typed(text, "terminal", 0.0, "scanned"), self.bench.knowledge.vocabulary())

    def do(self, what, arg=None):
        """Give an input, or change the world; None: there was no input."""
        bench = self.bench
        match what:
            case "scan":
                unit = bench.state.unit
                return bench.scan(unit.code if unit and arg == "THE-OPEN-UNIT" else arg)
            case "measure":
                return bench.give(Measured("torque", arg, "wrench-1"))
            case "together":
                return bench.give(SeenTogether(tuple(self.scan_of(one) for one in arg)))
            case "restart":
                return bench.give(Restarted())
            case "news":
                return bench.give(KnowledgeChanged())
            case "repeat":
                return bench.give(Repeated(self.scan_of("PCB-L-00904"), 2))
            case "late_print":
                job = bench.prints[-1].job if bench.prints else "none"
                failed = PrintFailed(job, Words("no paper.", "缺纸。"))
                return bench.give(failed if bench.knowledge.seq % 2 else PrintDone(job, "label-1"))
            case _:
                return self.happen(what)

    def happen(self, what):
        bench, knowledge = self.bench, self.bench.knowledge
        match what:
            case "printer":
                bench.answers_printer = not bench.answers_printer
            case "wait":
                bench.at += timedelta(seconds=90)
            case "hold" if bench.state.unit:
                code = bench.state.unit.code
                knowledge.held[code] = [HoldFact(code, "scratched", "09:20", "CHEN Jing")]
            case "release":
                knowledge.held.clear()
            case "old":
                knowledge.basis = Basis("hub as of 2026-11-18", 2 * 86_400.0)
            case "fresh":
                knowledge.basis = HUB
            case "decide":
                self.decide()
                return bench.give(KnowledgeChanged())
        return None

    def decide(self):
        """Somebody decides against the last serial bind that still counts."""
        knowledge = self.bench.knowledge
        for seq, body in reversed(knowledge.written.items()):
            if isinstance(body, t.ComponentBound) and knowledge.used.get(body.child):
                knowledge.end_bind(body.child, body.parent, body.slot)
                known = len(knowledge.told_decisions)
                knowledge.told_decisions.append(
                    DecisionFact(
                        f"D{known}", "C-ABCDE", body.child, "", None, ((seq, body),), "CHEN", "-"
                    )
                )
                return


def written(record):
    """The line that the journal would write; raises if the event could not be read back."""
    return write_line(record.body, hlc="0198f3c2a1b4.0003", at="-", by=record.by, seen=record.seen)


@settings(max_examples=150)
@given(st.sampled_from(["S01", "S02", "S03", "S04"]), st.lists(steps, max_size=60))
def test_any_input_in_any_order_is_answered_and_nothing_is_said_that_was_not_recorded(
    station, done
):
    floor = Floor(station)
    plans = {"S01": "smt", "S02": "24-1187", "S03": "24-1187", "S04": "pack"}
    for what in (("scan", "BDG-1107"), ("scan", plans[station]), *done):
        first = len(floor.bench.records)
        outcome = floor.do(*what)
        if outcome is None:
            continue
        answer, state = outcome.answer, floor.bench.state
        recorded = floor.bench.records[first:]
        assert answer.verdict not in {"OK", "DONE"} or recorded
        assert answer.code or answer.verdict != "NG"
        assert answer.unit == (state.unit.code if state.unit else None)
        for record in recorded:
            assert written(record)
        for said in (answer, *outcome.notices, prompt(state, floor.bench.knowledge)):
            for language in ("en", "zh"):
                text = show(said, language)
                assert text.isprintable()
