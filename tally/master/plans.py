"""Station plans: what a station asks for, step by step, and the file format that says so.

A plan file is TOML (or the same as JSON); its keys are the attributes below, with `[[step]]` for
`steps`. A plan is frozen when published: a change is a new version. What the steps *do* is
`edge_agent.workflow`; this module only knows what a plan may say.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, get_args
from typing import Literal as OneOf

from tally.master.reading import ID, ID_WORDS, REF, REF_WORDS, Problem, Table, Words, near

Answer = OneOf["block", "lead", "provisional"]
"""What a rule does when the station does not know: refuse, ask for a lead's badge, go on and
re-check later. A rule that is known to fail always refuses."""
ANSWERS: tuple[Answer, ...] = get_args(Answer)

Subject = OneOf["unit", "box"]
SUBJECTS: tuple[Subject, ...] = get_args(Subject)

TEXT_CELLS_MAX = 30
HINT_CELLS_MAX = 52
TRIES_MAX = 20
PACK_MAX = 10_000
MAX_AGE_S = 86_400  # a day: knowledge younger than this counts as known
MAX_AGE_S_LIMIT = 90 * 86_400


@dataclass(frozen=True, slots=True)
class PreviousOp:
    """The scanned part must have passed operation `op`.

    What a station was told longer than `max_age_s` ago counts as UNKNOWN; then `unknown` answers.
    """

    op: str
    unknown: Answer
    max_age_s: int = MAX_AGE_S


@dataclass(frozen=True, slots=True)
class Rules:
    """The poka-yoke rules of one step, each with its answer to UNKNOWN.

    None: the rule does not apply. `not_used` (the part is in no other unit or box) always applies
    to `bind_serial` and `pack`, `lot_released` (the part's lot may be used) to `bind_serial` and
    `load_lot`; a file names them only to change the answer from the plan's `unknown`.
    `previous_op` applies where it is written.
    """

    not_used: Answer | None = None
    lot_released: Answer | None = None
    previous_op: PreviousOp | None = None


@dataclass(frozen=True, slots=True)
class Commission:
    """Take the next code of `scheme`, reserve it, print `template` with it."""

    kind: ClassVar[str] = "commission"
    id: str
    text: Words
    scheme: str
    template: str
    hint: Words | None = None


@dataclass(frozen=True, slots=True)
class CommissionPreprinted:
    """Scan a label that was printed elsewhere; its code of `scheme` now names the unit."""

    kind: ClassVar[str] = "commission_preprinted"
    id: str
    text: Words
    scheme: str
    hint: Words | None = None


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Scan the label that step `of` printed; only then is the unit commissioned.

    `sources` are the device names that may read it; empty: any.
    """

    kind: ClassVar[str] = "read_back"
    id: str
    text: Words
    of: str
    sources: tuple[str, ...] = ()
    hint: Words | None = None


@dataclass(frozen=True, slots=True)
class Identify:
    """Scan an existing unit of `part`; the following steps are about it."""

    kind: ClassVar[str] = "identify"
    id: str
    text: Words
    part: str
    rules: Rules = Rules()
    hint: Words | None = None


@dataclass(frozen=True, slots=True)
class BindSerial:
    """Scan one serial of `part` and bind it to `slot` of the unit."""

    kind: ClassVar[str] = "bind_serial"
    id: str
    text: Words
    part: str
    slot: str
    rules: Rules = Rules()
    hint: Words | None = None


@dataclass(frozen=True, slots=True)
class LoadLot:
    """Scan a lot of `part` once; every unit binds it to `slot` by itself until it changes."""

    kind: ClassVar[str] = "load_lot"
    id: str
    text: Words
    part: str
    slot: str
    rules: Rules = Rules()
    hint: Words | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """Take a value in `unit`; good from `low` to `high`, both included, as decimal text.

    After `tries` bad values the unit has failed.
    """

    kind: ClassVar[str] = "measure"
    id: str
    text: Words
    characteristic: str
    unit: str
    low: str
    high: str
    tries: int = 1
    hint: Words | None = None


@dataclass(frozen=True, slots=True)
class PassFail:
    """The operator says pass, or fail with a defect code of `defects` (empty: any)."""

    kind: ClassVar[str] = "pass_fail"
    id: str
    text: Words
    defects: tuple[str, ...] = ()
    hint: Words | None = None


@dataclass(frozen=True, slots=True)
class OpenBox:
    """Take the next code of `scheme` (an SSCC) for a new box; its label is `template`."""

    kind: ClassVar[str] = "open_box"
    id: str
    text: Words
    scheme: str
    template: str
    hint: Words | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """Scan units of `part` into the open box until it holds `count`."""

    kind: ClassVar[str] = "pack"
    id: str
    text: Words
    part: str
    count: int
    rules: Rules = Rules()
    hint: Words | None = None


@dataclass(frozen=True, slots=True)
class CloseBox:
    """Print the label of the box that step `of` opened and read it back."""

    kind: ClassVar[str] = "close_box"
    id: str
    text: Words
    of: str
    sources: tuple[str, ...] = ()
    hint: Words | None = None


Step = (
    Commission
    | CommissionPreprinted
    | ReadBack
    | Identify
    | BindSerial
    | LoadLot
    | Measure
    | PassFail
    | OpenBox
    | Pack
    | CloseBox
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of a station plan.

    Attributes:
        plan: its name; with `version` the reference `final-assembly@14`.
        operation: the operation of the routing that it performs, as text: `"30"`.
        product: what is made, with revision: `BL-2@4`.
        unknown: the answer of every rule that names none of its own.
        steps: in the order of work, 1 to 100.
        subject: whether the operation is about a unit or a box.
    """

    plan: str
    version: int
    operation: str
    product: str
    unknown: Answer
    steps: tuple[Step, ...]
    subject: Subject = "unit"

    @property
    def plan_id(self) -> str:
        """Name and version, as events cite it."""
        return f"{self.plan}@{self.version}"

    def step(self, step_id: str) -> Step | None:
        """Give the step of that id."""
        return next((step for step in self.steps if step.id == step_id), None)


def read_plan(table: Table) -> Plan:
    """Read a plan; problems go to the table's list, and then the result is not to be used."""
    before = len(table.problems)
    unknown = table.one_of("unknown", ANSWERS)
    read = [_read_step(inner, unknown) for inner in table.tables("step", "the steps as [[step]]")]
    steps = tuple(step for step in read if step is not None)
    plan = Plan(
        plan=table.text("plan", pattern=ID, words=ID_WORDS),
        version=table.whole("version", low=1, high=999_999_999),
        operation=table.text("operation", pattern=ID, words='an operation, as in "30"'),
        product=table.text("product", pattern=REF, words=REF_WORDS),
        unknown=unknown,
        steps=steps,
        subject=table.one_of("subject", SUBJECTS, "unit"),
    )
    is_sound = len(table.problems) == before
    table.problems += [
        Problem(table.file, key, expected, found, hint)
        for key, expected, found, hint in _order_problems(plan, read, is_sound=is_sound)
    ]
    return plan


def _read_step(table: Table, unknown: Answer) -> Step | None:
    before = len(table.problems)
    kind = table.one_of("kind", tuple(_READERS))
    if len(table.problems) > before:
        return None  # without a kind nobody knows which keys belong
    step = _READERS[kind](table, unknown)
    table.close()
    return step


def _id(table: Table) -> str:
    return table.text("id", pattern=ID, words=ID_WORDS)


def _text(table: Table) -> Words:
    return table.words("text", cells_max=TEXT_CELLS_MAX)


def _hint(table: Table) -> Words | None:
    return table.optional_words("hint", cells_max=HINT_CELLS_MAX)


def _part(table: Table) -> str:
    return table.text("part", pattern=ID, words="a product or material, without revision")


def _slot(table: Table) -> str:
    return table.text("slot", pattern=ID, words=ID_WORDS)


def _scheme(table: Table) -> str:
    return table.text("scheme", pattern=REF, words=REF_WORDS)


def _template(table: Table) -> str:
    return table.text("template", pattern=ID, words=ID_WORDS)


def _of(table: Table) -> str:
    return table.text("of", pattern=ID, words="the id of an earlier step")


def _sources(table: Table) -> tuple[str, ...]:
    return table.texts("sources", pattern=ID, words="device names")


def _rules(table: Table, unknown: Answer, *always: str) -> Rules:
    """Read the rules of a step; those in `always` apply even if the file does not name them."""
    inner = table.optional_table("rules", "a table of rules")
    if inner is None:
        given = dict.fromkeys(always, unknown)
        return Rules(given.get("not_used"), given.get("lot_released"))
    answers = {name: inner.one_of(name, ANSWERS, unknown) for name in always}
    rules = Rules(
        answers.get("not_used"), answers.get("lot_released"), _previous_op(inner, unknown)
    )
    inner.close()
    return rules


def _previous_op(rules: Table, unknown: Answer) -> PreviousOp | None:
    inner = rules.optional_table("previous_op", 'a table, as in { op = "20" }')
    if inner is None:
        return None
    previous = PreviousOp(
        op=inner.text("op", pattern=ID, words='an operation in quotes, as in "20"'),
        unknown=inner.one_of("unknown", ANSWERS, unknown),
        max_age_s=inner.whole("max_age_s", low=1, high=MAX_AGE_S_LIMIT, default=MAX_AGE_S),
    )
    inner.close()
    return previous


def _read_commission(t: Table, _: Answer) -> Step:
    return Commission(_id(t), _text(t), _scheme(t), _template(t), _hint(t))


def _read_commission_preprinted(t: Table, _: Answer) -> Step:
    return CommissionPreprinted(_id(t), _text(t), _scheme(t), _hint(t))


def _read_read_back(t: Table, _: Answer) -> Step:
    return ReadBack(_id(t), _text(t), _of(t), _sources(t), _hint(t))


def _read_identify(t: Table, unknown: Answer) -> Step:
    return Identify(_id(t), _text(t), _part(t), _rules(t, unknown), _hint(t))


def _read_bind_serial(t: Table, unknown: Answer) -> Step:
    rules = _rules(t, unknown, "not_used", "lot_released")
    return BindSerial(_id(t), _text(t), _part(t), _slot(t), rules, _hint(t))


def _read_load_lot(t: Table, unknown: Answer) -> Step:
    rules = _rules(t, unknown, "lot_released")
    return LoadLot(_id(t), _text(t), _part(t), _slot(t), rules, _hint(t))


def _read_measure(t: Table, _: Answer) -> Step:
    step_id, text = _id(t), _text(t)
    characteristic = t.text("characteristic", pattern=ID, words=ID_WORDS)
    unit = t.text("unit", words="a unit, as in Nm", cells_max=12)
    before = len(t.problems)
    low, high = t.decimal("low"), t.decimal("high")
    if len(t.problems) == before and Decimal(low) > Decimal(high):
        t.note("low", f"at most high, {high}", low, quote=False)
    tries = t.whole("tries", low=1, high=TRIES_MAX, default=1)
    return Measure(step_id, text, characteristic, unit, low, high, tries, _hint(t))


def _read_pass_fail(t: Table, _: Answer) -> Step:
    defects = t.texts("defects", pattern=ID, words="defect codes")
    return PassFail(_id(t), _text(t), defects, _hint(t))


def _read_open_box(t: Table, _: Answer) -> Step:
    return OpenBox(_id(t), _text(t), _scheme(t), _template(t), _hint(t))


def _read_pack(t: Table, unknown: Answer) -> Step:
    count = t.whole("count", low=1, high=PACK_MAX)
    return Pack(_id(t), _text(t), _part(t), count, _rules(t, unknown, "not_used"), _hint(t))


def _read_close_box(t: Table, _: Answer) -> Step:
    return CloseBox(_id(t), _text(t), _of(t), _sources(t), _hint(t))


_READERS: dict[str, Callable[[Table, Answer], Step]] = {
    Commission.kind: _read_commission,
    CommissionPreprinted.kind: _read_commission_preprinted,
    ReadBack.kind: _read_read_back,
    Identify.kind: _read_identify,
    BindSerial.kind: _read_bind_serial,
    LoadLot.kind: _read_load_lot,
    Measure.kind: _read_measure,
    PassFail.kind: _read_pass_fail,
    OpenBox.kind: _read_open_box,
    Pack.kind: _read_pack,
    CloseBox.kind: _read_close_box,
}

_NAMES_THE_UNIT = (Commission, CommissionPreprinted, Identify)
_NEEDS_A_UNIT = (BindSerial, Measure, PassFail)
_OF_BOXES = (OpenBox, Pack, CloseBox)


def _order_problems(
    plan: Plan, read: Sequence[Step | None], *, is_sound: bool
) -> Iterator[tuple[str, str, str, str]]:
    """Find steps that cannot work where they stand: key, expected, found, hint of each.

    `read`: None for a step whose kind is not known. Where something else is wrong, only what does
    not depend on it is looked at.
    """
    yield from _id_problems(read)
    if len(plan.steps) == len(read):
        yield from _reference_problems(plan.steps)
    if not is_sound:
        return
    if plan.subject == "box":
        yield from _box_problems(plan.steps)
    else:
        yield from _unit_problems(plan.steps)


def _id_problems(steps: Sequence[Step | None]) -> Iterator[tuple[str, str, str, str]]:
    seen: dict[str, int] = {}
    for number, step in enumerate(steps, 1):
        if step is None or not step.id:
            continue
        first = seen.setdefault(step.id, number)
        if first != number:
            yield f"step[{number}].id", "each id once", f"{step.id!r} as in step[{first}]", ""


def _reference_problems(steps: tuple[Step, ...]) -> Iterator[tuple[str, str, str, str]]:
    for number, step in enumerate(steps, 1):
        if not isinstance(step, ReadBack | CloseBox) or not step.of:
            continue
        wanted = Commission if isinstance(step, ReadBack) else OpenBox
        known = [other.id for other in steps[: number - 1] if isinstance(other, wanted)]
        if step.of not in known:
            expected = f"the id of an earlier {wanted.kind} step"
            yield f"step[{number}].of", expected, repr(step.of), near(step.of, known)
    read = {step.of for step in steps if isinstance(step, ReadBack)}
    for number, step in enumerate(steps, 1):
        if isinstance(step, Commission) and step.id and step.id not in read:
            expected = f'a later read_back step with of = "{step.id}"'
            yield f"step[{number}]", expected, "a label that nobody reads back", ""


def _unit_problems(steps: tuple[Step, ...]) -> Iterator[tuple[str, str, str, str]]:
    names = [number for number, step in enumerate(steps, 1) if isinstance(step, _NAMES_THE_UNIT)]
    kinds = ", ".join(kind.kind for kind in _NAMES_THE_UNIT)
    if len(names) != 1:
        found = f"{len(names)} of them"
        yield "step", f"exactly one step that names the unit ({kinds})", found, ""
        return
    for number, step in enumerate(steps, 1):
        if isinstance(step, _NEEDS_A_UNIT) and number < names[0]:
            expected = f"a place after step[{names[0]}], which names the unit"
            yield f"step[{number}]", expected, f"{step.kind} before it", ""
        if isinstance(step, _OF_BOXES):
            expected = "steps about a unit"
            yield f"step[{number}].kind", expected, step.kind, 'write subject = "box" for packing'


def _box_problems(steps: tuple[Step, ...]) -> Iterator[tuple[str, str, str, str]]:
    kinds = [step.kind for step in steps]
    if kinds != [kind.kind for kind in _OF_BOXES]:
        yield "step", "open_box, pack, close_box, in this order", ", ".join(kinds), ""
