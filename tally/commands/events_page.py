"""Writes `docs/events.md` from the code: every event type, its fields, its claims, what it ends.

`python -m tally.commands.events_page docs/events.md` makes the page anew; a test compares.
"""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import msgspec

from tally.events.registry import TYPES
from tally.events.types import Body, Check
from tally.merge.claims import RULES, Rule
from tally.merge.liveness import ENDS

_HEAD = """# Event types

Made from the code by `make docs`; do not edit. How a line, its chain and its proofs look:
[format](design/format.md). Fields with a default are absent from the line when they have it.
Claims read `EXCLUSIVITY kind:key → value`.
`ONE`: one live distinct value, `ONCE`: one live claim even if equal, `SET`: any number.
"""

_OTHER_ENDINGS = {
    "action.undone": "own events named in `seen`: their claims and their own endings",
    "decision.made": "the events in `retires`, while the decision is in force",
}


def events_page() -> str:
    """The whole page."""
    parts = [_HEAD, *(_section(name, body) for name, body in TYPES.items())]
    parts.append("## Check\n\n" + _about(Check) + "\n\n" + "\n".join(_fields(Check)) + "\n")
    return "\n".join(parts)


def _section(name: str, body: type[Body]) -> str:
    lines = [f"## `{name}`", "", _about(body), "", *_fields(body), ""]
    claims = [_claim(rule) for rule in RULES.get(body, ())]
    lines.append("Claims: " + ("; ".join(claims) if claims else "none") + ".")
    if body in ENDS:
        ended, agree = ENDS[body]
        target = next(key for key, value in TYPES.items() if value is ended)
        same = ", ".join(f"`{column}`" for column in agree)
        lines.append(f"Ends: the `{target}` named in `seen` with the same {same}.")
    elif name in _OTHER_ENDINGS:
        lines.append(f"Ends: {_OTHER_ENDINGS[name]}.")
    return "\n".join(lines) + "\n"


def _about(body: type[Body]) -> str:
    return cleandoc(body.__doc__ or "")


def _fields(body: type[Body]) -> Iterator[str]:
    yield "| field | type | absent means |"
    yield "|---|---|---|"
    hints = typing.get_type_hints(body)
    for field in msgspec.structs.fields(body):
        absent = "required" if field.required else f"`{_default(field.default)}`"
        yield f"| `{field.encode_name}` | {_type(hints[field.name])} | {absent} |"


def _default(value: object) -> str:
    return (
        "{}"
        if value is msgspec.NODEFAULT
        else str(value or '""' if isinstance(value, str) else value)
    )


def _type(hint: object) -> str:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " or ".join(f"`{arg}`" for arg in args)
    if origin is tuple:
        return f"list of {_type(args[0])}"
    if origin is dict:
        return "object"
    if args:
        return " or ".join(_type(arg) for arg in args)
    if isinstance(hint, type):
        names = {"str": "text", "int": "integer", "bool": "true or false", "NoneType": "null"}
        return names.get(hint.__name__, f"[{hint.__name__}](#check)")
    return str(hint)


def _claim(rule: Rule) -> str:
    key = "/".join(f"<{part}>" for part in (*rule.thing, *rule.place))
    value = ", ".join((*rule.value, *rule.detail)) or "itself"
    when = f" (where `{rule.when[0]}` is `{rule.when[1]}`)" if rule.when else ""
    return f"{rule.kind.how} `{rule.kind.name}:{key}` → {value}{when}"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(events_page(), encoding="utf-8")
