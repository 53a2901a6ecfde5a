"""Every event is a sentence in both languages, also the one that says as little as it may."""

import msgspec
import pytest

from hub.web.moments import checks, sentence
from hub.web.wording import TEXTS, say
from tally.events import types as t
from tally.events.registry import NAMES

BODIES = [
    t.CodeReserved("C", "s@1", "B-01", 7),
    t.LabelPrinted("C", "P", "J"),
    t.LabelScrapped("C", "torn"),
    t.UnitCommissioned("C", "BL-2"),
    t.LotReceived("L", "P"),
    t.LotReceived("L", "P", "400"),
    t.LotReleased("L", "P"),
    t.ComponentBound("C", "U", "slot", "serial", "P", "step"),
    t.ComponentUnbound("C", "U", "slot", "broken"),
    t.MeasurementTaken("U", "30", "s", "torque", "0.6", "Nm", "PASS"),
    t.MeasurementTaken("U", "30", "s", "torque", "0.6", "Nm", "PASS", high="0.7"),
    t.OperationCompleted("U", "30", "PASS"),
    t.OperationCompleted("U", "30", "PASS", plan="p@1"),
    t.BoxOpened("B", "BL-2", 12),
    t.ItemPacked("U", "B", 1),
    t.ItemUnpacked("U", "B", "wrong"),
    t.BoxClosed("B", ("U", "V"), "00"),
    t.HoldPlaced("U", "unit", "scratch"),
    t.HoldReleased("U", "unit", "polished"),
    t.ActionUndone("mistake"),
    t.DecisionMade("C-AAAAA", "in:C", "none", (), (), "looked"),
    t.RefusalShown("E-103", "L"),
    *(t.StepSkipped("U", "s", what, "later") for what in ("skipped", "parked", "resumed")),
    t.OperatorSignedIn("BDG-1", "operator"),
]


def moment(body):
    return {"type": NAMES[type(body)], "facts": msgspec.to_builtins(body)}


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_event_is_a_sentence(body, language):
    key, values = sentence(moment(body))
    said = say(language, key, **values)
    assert said
    assert "{" not in said
    assert "None" not in said


def test_every_sentence_belongs_to_an_event():
    said = {sentence(moment(body))[0] for body in BODIES}
    assert said == {key for key in TEXTS["en"] if key.startswith("event.")}


def test_checks_name_their_rule_subject_and_basis():
    body = t.OperationCompleted(
        "U", "30", "PASS", checks=(t.Check("previous_op", "C", "UNKNOWN", arg="20"),)
    )
    [check] = checks(moment(body))
    assert (check["subject"], check["verdict"], check["basis"]["zh"]) == ("C 20", "UNKNOWN", "-")
    assert "rule.previous_op" in TEXTS["en"]
    assert check["is_known"]


@pytest.mark.parametrize(
    ("basis", "chinese"),
    [
        ("own journal", "本工位记录"),
        ("numbering scheme", "编码规则"),
        ("hub now", "中心当前数据"),
        ("hub as of 09:14", "中心 09:14 的数据"),
        ("hub as of 2026-11-20 09:14", "中心 2026-11-20 09:14 的数据"),
        (
            "hub as of 09:14; allowed by CHEN Jing (BDG-3001)",
            "中心 09:14 的数据；CHEN Jing (BDG-3001) 放行",
        ),
        ("hub as of <b>", "hub as of <b>"),
        ("x; allowed by " * 2000 + "y", "x；" + "x; allowed by " * 1999 + "y 放行"),
        ("a neighbour's word", "a neighbour's word"),
    ],
)
def test_what_a_check_rests_on_is_said_in_both_languages(basis, chinese):
    body = t.OperationCompleted(
        "U", "30", "PASS", checks=(t.Check("not_used", "C", "PASS", basis),)
    )
    [check] = checks(moment(body))
    assert check["basis"] == {"en": basis, "zh": chinese}
