"""A case in plain words, English and Simplified Chinese, for every kind of case that there is.

Each kind says what happened, why it cannot be, where to go and what to look for, and what each
answer means for the goods. Templates take `thing` (what the key is about), `place` (the slot,
operation or number on it), `owner` (what a claim speaks for), `value`, `who`, `where`, `at`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tally.events.types import Check
from tally.merge.claims import KINDS

Words = dict[str, str]


@dataclass(frozen=True, slots=True)
class Telling:
    """One kind of case. `number` is its place in the plant's list of kinds; empty where it has
    none.
    """

    number: str
    title: Words
    did: Words
    only: Words
    scan: Words
    keep: Words
    none: Words


def _w(en: str, zh: str) -> Words:
    return {"en": en, "zh": zh}


TELLINGS: Final[dict[str, Telling]] = {
    "in": Telling(
        "K1",
        _w("Part in two units", "一个零件在两个产品里"),
        _w(
            "{who} built {thing} into {owner} at {where}, {at}.",
            "{who} 于 {at} 在 {where} 把 {thing} 装入 {owner}。",
        ),
        _w("A part can sit in one unit only.", "一个零件只能装在一个产品里。"),
        _w(
            "Go to {owner} and scan the part in it. If it reads {thing}, the claim for {owner} is "
            "right; if it reads something else, it is not.",
            "找到 {owner}，扫描里面的零件。若读到 {thing}，则 {owner} 的说法正确；否则不正确。",
        ),
        _w(
            "{thing} is in {owner}. The other claims end; those units miss a part until another "
            "one is built in.",
            "{thing} 在 {owner} 里。其他说法终止；那些产品缺件，须装入另一个零件。",
        ),
        _w(
            "{thing} is in none of these units. Each of them misses a part until another one is "
            "built in.",
            "{thing} 不在这些产品中的任何一个里。它们都缺件，须各装入另一个零件。",
        ),
    ),
    "slot": Telling(
        "K1",
        _w("Two parts in one place", "一个位置装了两个零件"),
        _w(
            "{who} built {value} into place {place} of {thing} at {where}, {at}.",
            "{who} 于 {at} 在 {where} 把 {value} 装入 {thing} 的 {place} 位置。",
        ),
        _w("One place holds one part only.", "一个位置只能装一个零件。"),
        _w(
            "Go to {thing} and scan what sits in place {place}.",
            "找到 {thing}，扫描 {place} 位置里的零件。",
        ),
        _w(
            "{value} sits in place {place} of {thing}. The other parts are free again: find them.",
            "{thing} 的 {place} 位置里是 {value}。其他零件重新可用：请找到它们。",
        ),
        _w(
            "None of these parts sits in place {place} of {thing}; it is empty until one is built "
            "in.",
            "{thing} 的 {place} 位置里不是其中任何一个；在装入零件之前为空。",
        ),
    ),
    "unit": Telling(
        "K2",
        _w("Same code on two units", "两个产品使用同一编码"),
        _w(
            "{who} made {value} with code {thing} at {where}, {at}.",
            "{who} 于 {at} 在 {where} 以编码 {thing} 制成 {value}。",
        ),
        _w("A code is one unit only.", "一个编码只属于一个产品。"),
        _w(
            "Find every unit that bears {thing}. Two of them: keep the one that stays and relabel "
            "the other. Only one: its label was scanned twice.",
            "找出所有贴有 {thing} 的产品。有两个：保留一个，另一个换新标签。"
            "只有一个：标签被扫了两次。",
        ),
        _w(
            "The unit of {where}, {at}, is {thing}. Any other that bears this code needs a new "
            "label.",
            "{where} {at} 的产品是 {thing}。其他贴有此编码的产品须换新标签。",
        ),
        _w(
            "No unit is {thing}. Every unit that bears this code needs a new label.",
            "没有产品是 {thing}。贴有此编码的产品都须换新标签。",
        ),
    ),
    "code": Telling(
        "K2",
        _w("Same code taken twice", "同一编码被领用两次"),
        _w(
            "{where} took {thing} from its block at {at} ({who}).",
            "{where} 于 {at} 从号段领用 {thing}（{who}）。",
        ),
        _w("A code is given out once.", "一个编码只发放一次。"),
        _w(
            "Look for labels with {thing}: is there one, or are there two? Ask whether the PC of "
            "{where} was copied or restored.",
            "查找印有 {thing} 的标签：是一张还是两张？询问 {where} 的电脑是否被复制或恢复过。",
        ),
        _w(
            "{thing} belongs to the label of {where}, {at}. Scrap any other label with it.",
            "{thing} 属于 {where} {at} 的标签。其他印有它的标签作废。",
        ),
        _w("Every label with {thing} is to be scrapped.", "所有印有 {thing} 的标签都须作废。"),
    ),
    "op": Telling(
        "K9",
        _w("Contradicting results", "结果互相矛盾"),
        _w(
            "{who} recorded {value} for {thing}, operation {place}, at {where}, {at}.",
            "{who} 于 {at} 在 {where} 记录 {thing} 工序 {place} 为 {value}。",
        ),
        _w("One attempt of an operation has one result.", "同一次工序只有一个结果。"),
        _w(
            "Bring {thing} back to the operation and do it again, or find the protocol of the "
            "first time.",
            "把 {thing} 送回该工序重做，或查找当时的记录。",
        ),
        _w(
            "{value} of {where}, {at}, counts. The other results end.",
            "以 {where} {at} 的 {value} 为准。其他结果终止。",
        ),
        _w(
            "No result counts; the operation on {thing} has to be done again.",
            "均不作数；{thing} 须重做该工序。",
        ),
    ),
    "box": Telling(
        "K7",
        _w("Unit in two boxes", "一个产品在两个箱里"),
        _w(
            "{who} packed {thing} into {owner} at {where}, {at}.",
            "{who} 于 {at} 在 {where} 把 {thing} 装入箱 {owner}。",
        ),
        _w("A unit lies in one box only.", "一个产品只能在一个箱里。"),
        _w(
            "Open box {owner} and look for {thing}; scan it where you find it.",
            "打开箱 {owner} 查找 {thing}；在找到的地方扫描它。",
        ),
        _w(
            "{thing} lies in {owner}. The other boxes hold one unit less.",
            "{thing} 在箱 {owner} 里。其他箱各少一件。",
        ),
        _w("{thing} lies in none of these boxes.", "{thing} 不在这些箱中的任何一个里。"),
    ),
    "boxstate": Telling(
        "K7",
        _w("Box closed with two contents", "一个箱以两种内容关闭"),
        _w(
            "{who} closed box {thing} at {where}, {at}.",
            "{who} 于 {at} 在 {where} 关闭箱 {thing}。",
        ),
        _w("A closed box has one list of contents.", "关闭的箱只有一份内容清单。"),
        _w("Open box {thing} and scan every unit in it.", "打开箱 {thing}，逐件扫描。"),
        _w(
            "The contents of {where}, {at}, count for box {thing}.",
            "箱 {thing} 以 {where} {at} 的内容为准。",
        ),
        _w(
            "Neither list counts; box {thing} is open again.",
            "两份清单均不作数；箱 {thing} 重新打开。",
        ),
    ),
    "boxopen": Telling(
        "K2",
        _w("Same box code used twice", "同一箱码被使用两次"),
        _w(
            "{who} opened box {thing} at {where}, {at}.",
            "{who} 于 {at} 在 {where} 打开箱 {thing}。",
        ),
        _w("A box code is one box only.", "一个箱码只属于一个箱。"),
        _w(
            "Look for boxes that bear {thing}: is there one, or are there two?",
            "查找贴有 {thing} 的箱：是一个还是两个？",
        ),
        _w(
            "The box of {where}, {at}, is {thing}. Any other needs a new label.",
            "{where} {at} 的箱是 {thing}。其他须换新标签。",
        ),
        _w("No box is {thing}; all need a new label.", "没有箱是 {thing}；都须换新标签。"),
    ),
    "lot": Telling(
        "",
        _w("Lot received as two", "一个批次以两种内容收货"),
        _w(
            "{who} received lot {thing} as {value} at {where}, {at}.",
            "{who} 于 {at} 在 {where} 将批次 {thing} 收为 {value}。",
        ),
        _w("A lot comes from one supplier's lot only.", "一个批次只来自一个供应商批次。"),
        _w(
            "Compare the label on lot {thing} with the delivery note.",
            "核对批次 {thing} 的标签与送货单。",
        ),
        _w(
            "Lot {thing} is {value}. The other receipt ends.",
            "批次 {thing} 是 {value}。另一收货终止。",
        ),
        _w(
            "Neither receipt of lot {thing} counts; receive it again.",
            "批次 {thing} 的收货均不作数；须重新收货。",
        ),
    ),
    "master": Telling(
        "",
        _w("Version published with two contents", "同一版本以两种内容发布"),
        _w(
            "{who} published {thing} with content {value} at {where}, {at}.",
            "{who} 于 {at} 在 {where} 发布 {thing}，内容 {value}。",
        ),
        _w("A published version never changes.", "已发布的版本不会改变。"),
        _w(
            "Compare both files; publish what is right as a new version.",
            "比较两个文件；把正确的作为新版本发布。",
        ),
        _w("Content {value} counts for {thing}.", "{thing} 以内容 {value} 为准。"),
        _w(
            "Neither content of {thing} counts; publish a new version.",
            "{thing} 的两种内容均不作数；须发布新版本。",
        ),
    ),
    "order": Telling(
        "",
        _w("Order released with two contents", "同一工单以两种内容下达"),
        _w(
            "{who} released order {thing} with content {value} at {where}, {at}.",
            "{who} 于 {at} 在 {where} 下达工单 {thing}，内容 {value}。",
        ),
        _w("An order is released with one content.", "一个工单只以一种内容下达。"),
        _w(
            "Compare both releases with whoever planned the order.",
            "与计划人员核对两次下达的内容。",
        ),
        _w("Content {value} counts for order {thing}.", "工单 {thing} 以内容 {value} 为准。"),
        _w(
            "Neither release of {thing} counts; release it anew.",
            "{thing} 的两次下达均不作数；须重新下达。",
        ),
    ),
}
assert set(TELLINGS) == {kind.name for kind in KINDS if kind.how != "SET"}, "a kind without words"

HOLD_ALL: Final = _w(
    "Nobody can tell yet. Nothing ends; everything stays held, and the reason stands in the case.",
    "目前无法判断。一切不变，全部保持冻结，原因记入本争议。",
)
TAKE_BACK: Final = _w(
    "Take the last answer back: the case is as it was before it. The answer stays in the history.",
    "撤回上一次裁定：恢复到裁定之前的状态。该裁定保留在历史中。",
)
GO_AND_SCAN: Final = _w(
    "Nothing is decided now; the goods stay held until somebody has looked.",
    "现在不作裁定；在有人查看之前货物保持冻结。",
)
UNKNOWN: Final = Telling(
    "",
    _w("Decided key", "已裁定"),
    _w("{who} recorded {value} at {where}, {at}.", "{who} 于 {at} 在 {where} 记录 {value}。"),
    _w("Somebody decided about it.", "已有人对此裁定。"),
    _w("Look at {thing}.", "查看 {thing}。"),
    _w("{value} counts.", "以 {value} 为准。"),
    _w("None counts.", "均不作数。"),
)
"""For a decision on a key of a kind that has no conflicts."""

_RULES: Final[dict[str, Words]] = {
    "not_used": _w("not used before", "未曾使用"),
    "lot_released": _w("lot released", "批次已放行"),
    "previous_op": _w("operation before passed", "前道工序合格"),
    "not_held": _w("not on hold", "未被冻结"),
    "right_part": _w("right part", "零件正确"),
}
_VERDICTS: Final[dict[str, Words]] = {
    "PASS": _w("yes", "是"),
    "FAIL": _w("no", "否"),
    "UNKNOWN": _w("unknown, went on provisionally", "未知，暂时放行"),
}


_BASES: Final[dict[str, str]] = {
    "own journal": "本工位记录",
    "numbering scheme": "编码规则",
    "hub now": "中心当前数据",
    "never heard of the hub": "从未收到中心数据",
}
_HUB_AS_OF: Final = re.compile(r"hub as of ([0-9: -]{1,20})")
_ALLOWED: Final = "; allowed by "


def basis_words(basis: str) -> Words:
    """Where a station's knowledge came from; words that no station of ours writes stay in both."""
    known, _, lead = basis.partition(_ALLOWED)
    if heard := _HUB_AS_OF.fullmatch(known):
        zh = f"中心 {heard[1]} 的数据"
    else:
        zh = _BASES.get(known, known)
    return _w(basis, f"{zh}；{lead} 放行" if lead else zh)


def checked_words(checks: Iterable[Check]) -> Words:
    """What a station checked, as it answered."""
    told: list[Words] = []
    for one in checks:
        rule = _RULES.get(one.rule, _w(one.rule, one.rule))
        found = _VERDICTS[one.verdict]
        known = basis_words(one.basis)
        basis = _w(f" ({known['en']})", f"（{known['zh']}）") if one.basis else _w("", "")
        told.append(
            _w(
                f"{rule['en']}: {found['en']}{basis['en']}",
                f"{rule['zh']}：{found['zh']}{basis['zh']}",
            )
        )
    return _w("; ".join(one["en"] for one in told), "；".join(one["zh"] for one in told))


def telling_of(kind: str) -> Telling:
    """The words of a kind."""
    return TELLINGS.get(kind, UNKNOWN)


def fill(words: Words, **values: str | Words) -> Words:
    """A template in both languages, filled; a value may itself be in both."""
    return {
        language: text.format_map(
            {
                name: value if isinstance(value, str) else value[language]
                for name, value in values.items()
            }
        )
        for language, text in words.items()
    }
