"""Conflicts and cases: an exclusive key with more than one live value (`model.md` 3).

No winner is chosen here. Both claims stay visible and the subjects are held for shipping until a
decision, an unbind or an undo leaves one. A decision that a later claim contradicts reopens its
case by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tally.merge.claims import BY_NAME, KINDS, Kind
from tally.merge.decisions import Standing, decision_of, standing_on
from tally.merge.history import History
from tally.merge.keys import case_id, key_text
from tally.merge.shelf import ClaimView, Shelf

Status: TypeAlias = Literal["open", "contested", "decided"]


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision on a case: who decided what, where to find it, and whether it is in force.

    `claims_seen` and `supersedes` are what the person looked at.
    """

    ref: str
    keep: str
    retires: tuple[str, ...]
    claims_seen: tuple[str, ...]
    supersedes: tuple[str, ...]
    by: str
    at: str
    reason: str
    is_effective: bool


@dataclass(frozen=True, slots=True)
class Case:
    """A conflict as people see it.

    `claims`: all on the key, live or not, by event id. `decisions`: all that count, by event id.
    `held`: units, boxes and items that must not ship while the case is open or contested, sorted.
    `words`: English and Chinese.
    """

    id: str
    key: str
    kind: str
    status: Status
    claims: tuple[ClaimView, ...]
    decisions: tuple[Decision, ...]
    held: tuple[str, ...]
    words: dict[str, str]


def case_on(shelf: Shelf, kind: Kind, key: tuple[str, ...]) -> Case | None:
    """The case on a key, or None: nothing contradicts there and nothing was decided."""
    claims = shelf.on_key(kind, key)
    name = key_text(kind.name, key)
    standing = standing_on(shelf, name)
    status = _status(kind, claims, standing)
    if status is None:
        return None
    held = () if status == "decided" else subjects_of(kind, claims)
    return Case(
        id=case_id(name),
        key=name,
        kind=kind.name,
        status=status,
        claims=tuple(claims),
        decisions=_decisions(shelf, standing),
        held=held,
        words=_words(kind, key, claims, status),
    )


def is_contradiction(kind: Kind, claims: Sequence[ClaimView]) -> bool:
    """Whether the live claims on one key cannot all be true."""
    live = [claim for claim in claims if claim.is_live]
    match kind.how:
        case "ONCE":
            return len(live) > 1
        case "ONE":
            return len({claim.value for claim in live}) > 1
        case "SET":
            return False


def subjects_of(kind: Kind, claims: Sequence[ClaimView]) -> tuple[str, ...]:
    """What a conflict between these claims holds for shipping."""
    live = [claim for claim in claims if claim.is_live]
    match kind.name:
        case "in":
            found = {claim.value[0] for claim in live}
        case "box":
            found = {claim.value[0] for claim in live} | {claim.key[0] for claim in live}
        case "slot" | "unit" | "code" | "op" | "boxstate" | "boxopen":
            found = {claim.key[0] for claim in live}
        case _:
            found = set()
    return tuple(sorted(found))


def _status(kind: Kind, claims: Sequence[ClaimView], standing: Standing) -> Status | None:
    if is_contradiction(kind, claims):
        return "contested" if standing.is_contested else "open"
    return "decided" if standing.effective else None


def _decisions(history: History, standing: Standing) -> tuple[Decision, ...]:
    found = []
    for place in standing.known:
        body, line = decision_of(history, place), history.line(place)
        found.append(
            Decision(
                ref=place.ref,
                keep=body.keep,
                retires=body.retires,
                claims_seen=body.claims_seen,
                supersedes=body.supersedes,
                by=line.by,
                at=line.at,
                reason=body.reason,
                is_effective=place in standing.effective,
            )
        )
    return tuple(found)


def kind_named(name: str) -> Kind | None:
    """The kind that a key's name begins with."""
    return BY_NAME.get(name)


# --- words --------------------------------------------------------------------------------------

_SAYS: Final[dict[str, tuple[str, str]]] = {
    "code": ("{0} was taken from its block {n} times", "代码 {0} 被领用了 {n} 次"),
    "unit": ("{0} was commissioned {n} times", "{0} 被赋码 {n} 次"),
    "in": ("{child} was bound into {n} places", "{child} 被绑定到 {n} 处"),
    "slot": ("slot {1} of {0} holds {n} parts", "{0} 的工位槽 {1} 装了 {n} 个零件"),
    "op": ("one attempt of an operation on {0} has {n} results", "{0} 同一次工序有 {n} 个结果"),
    "box": ("{0} was packed into {n} boxes", "{0} 被装入 {n} 个箱"),
    "boxstate": ("box {0} was closed with {n} contents", "箱 {0} 以 {n} 种内容关闭"),
    "boxopen": ("box {0} was opened {n} times", "箱 {0} 被打开 {n} 次"),
    "lot": ("lot {child} was received as {n} different lots", "批次 {child} 以 {n} 种不同内容收货"),
    "master": ("{child} was published with {n} contents", "{child} 以 {n} 种内容发布"),
    "order": ("order {0} was released with {n} contents", "工单 {0} 以 {n} 种内容下达"),
}
assert set(_SAYS) == {kind.name for kind in KINDS if kind.how != "SET"}

_STATUS: Final[dict[Status, tuple[str, str]]] = {
    "open": ("Somebody has to decide.", "需要有人裁定。"),
    "contested": (
        "Decisions contradict each other; none holds. Somebody has to decide again.",
        "裁定互相矛盾，均不生效，需要重新裁定。",
    ),
    "decided": ("Decided.", "已裁定。"),
}


def _words(
    kind: Kind, key: tuple[str, ...], claims: Sequence[ClaimView], status: Status
) -> dict[str, str]:
    if kind.name not in _SAYS:
        return dict(zip(("en", "zh"), _STATUS[status], strict=True))
    counted = [claim for claim in claims if claim.is_live or status == "decided"]
    number = len(counted) if kind.how == "ONCE" else len({claim.value for claim in counted})
    where = _where(counted)
    said = {}
    for lang, says, state in zip(("en", "zh"), _SAYS[kind.name], _STATUS[status], strict=True):
        head = says.format(*key, *[""] * 2, child="/".join(key), n=number)
        said[lang] = f"{head}: {where}. {state}" if lang == "en" else f"{head}：{where}。{state}"
    return said


def _where(claims: Sequence[ClaimView]) -> str:
    """Value, person, station and time of each claim, at most five."""
    shown = sorted(claims, key=lambda claim: claim.order)
    parts = [
        " ".join(part for part in claim.value if part)
        + f" ({claim.who}, {claim.station}, {claim.at})"
        for claim in shown[:5]
    ]
    return "; ".join(parts) + ("; …" if len(shown) > 5 else "")
