"""One event as a sentence: the key of its text, and what fills it.

The facts of an event leave out what is not set; every placeholder of the texts has a value here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.services.casewords import basis_words
from tally.master.reasons import reason_words

UNSET: Final = "-"
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "code.reserved": ("block", "counter"),
    "label.printed": ("printer", "copy"),
    "label.scrapped": ("reason",),
    "unit.commissioned": ("code", "product"),
    "lot.received": ("lot", "part", "quantity"),
    "lot.released": ("lot", "part"),
    "component.bound": ("child", "parent", "slot"),
    "component.unbound": ("child", "parent", "slot", "reason"),
    "measurement.taken": (
        "characteristic", "value", "unit_of_measure", "low", "high", "verdict", "operation",
        "trial",
    ),
    "operation.completed": ("operation", "result", "attempt", "plan"),
    "box.opened": ("box", "capacity", "product"),
    "item.packed": ("item", "box", "position"),
    "item.unpacked": ("item", "box", "reason"),
    "box.closed": ("box",),
    "hold.placed": ("target", "reason"),
    "hold.released": ("target", "reason"),
    "action.undone": ("what", "reason"),
    "decision.made": ("case", "reason"),
    "refusal.shown": ("code", "scanned", "step"),
    "step.skipped": ("step", "reason"),
}  # fmt: skip
_SHORTER: Final[Mapping[str, tuple[str, str]]] = {
    "lot.received": ("quantity", "event.lot.arrived"),
    "measurement.taken": ("low", "event.measurement.unlimited"),
    "operation.completed": ("plan", "event.operation.ended"),
}
"""The text to take where this field and all that goes with it is not set."""
_RULES: Final = {"not_used", "lot_released", "previous_op", "not_held", "right_part"}
_COUNTED_FROM_ONE: Final = {"copy", "attempt", "trial"}
"""Their events leave out the first."""


def sentence(moment: Mapping[str, Any]) -> tuple[str, dict[str, object]]:
    """Key and values of the text for one moment of `hub.services.exploring.tell`.

    A value may be `Words`: the page takes those of its language.
    """
    name, facts = moment["type"], moment["facts"]
    if name not in _FIELDS:
        return "event.other", {"type": name}
    values = {field: _value(field, facts) for field in _FIELDS[name]}
    if name == "box.closed":
        values["count"] = len(facts.get("items", ()))
    field, shorter = _SHORTER.get(name, ("", ""))
    if shorter and values[field] == UNSET and values.get("high", UNSET) == UNSET:
        return shorter, values
    if name == "step.skipped":
        return f"event.step.{facts['what']}", values
    return f"event.{name}", values


def _value(field: str, facts: Mapping[str, Any]) -> object:
    default = "1" if field in _COUNTED_FROM_ONE else UNSET
    value = facts.get(field)
    if field == "reason" and isinstance(value, str) and value:
        return reason_words(value)
    return default if value in {None, ""} else value


def checks(moment: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rules judged at this moment: rule, is_known, subject, verdict, basis (both languages)."""
    return [
        {
            "rule": check["rule"],
            "is_known": check["rule"] in _RULES,
            "subject": " ".join(filter(None, (check["subject"], check.get("arg")))),
            "verdict": check["verdict"],
            "basis": basis_words(check.get("basis") or UNSET),
        }
        for check in moment["facts"].get("checks", ())
    ]
