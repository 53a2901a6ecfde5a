"""Exploring a code: its lanes, its life, and what is near when nobody recorded it.

JSON-safe values for the console: what `tally.trace.lanes` and `tally.trace.life` find, with the
names of the parts and people in it. The integrators' trace is `tracing` and stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from hub.services.office import Office
from hub.services.showing import plain
from hub.services.tracing import CODE_CHARACTERS_MAX
from tally.master import Order, Person, Product, from_content, to_content
from tally.merge.units import BoxState, LotState, UnitState
from tally.trace import Direction, as_plain, trace
from tally.trace.completeness import completeness_of
from tally.trace.drawing import plain_completeness, plain_history
from tally.trace.lanes import Lanes, Look, is_recorded, lanes
from tally.trace.life import Life, life
from tally.trace.timing import plain_time

Row = dict[str, Any]
NEAR_MAX: Final = 8
_BEGINNING_MIN: Final = 3
_CASE: Final = re.compile(r"C-[A-Z2-7]{5}\Z", re.IGNORECASE)
_AIM: Final = re.compile(r"\A\][A-Za-z][0-9A-Za-z](?=.)")
_LINK: Final = re.compile(r"https?://[^/?#]+/(?:v|01/[0-9]{14}/21)/([^/?#]+)\Z")
_NAMING: Final = ("product", "part", "who", "by")


def explore(office: Office, code: str, look: Look | None = None) -> Row:
    """The lanes of a code.

    Keys: code (as read from what was scanned), is_known, as_of, selves [unit, box, part or lot with
    `sort`], groups, ended [member with `side`], cases, is_cut, names, completeness; `near` instead
    of all lanes for an unknown code.
    """
    asked = _asked(code)
    with office.store.reading():
        graph = office.store.ledger.graph
        found = lanes(graph, asked, look) if asked else None
        rests_on = found.completeness if found else completeness_of(graph)
        page = {
            "code": asked or code,
            "is_known": found is not None,
            "as_of": office.now().isoformat(timespec="seconds"),
            "completeness": plain_completeness(rests_on),
        }
        if found is None:
            return page | {"near": near(office, code)}
        page |= _plain_lanes(found)
        return page | {"names": names_in(office, page)}


def tell(office: Office, code: str) -> Row:
    """The life of a code.

    Keys: code, moments [{type, facts, who, station, at, ref, ended, counts, history, time}],
    is_cut, names.
    `counts`: false for what was recorded under a key that was taken back. `history`: None, or
    where the journal was forked {name, after, words}. `facts` are the event's
    own fields, the optional ones only where they say something. `time`: None where `at` and the
    order are right as they stand, else as `tally.trace.timing.plain_time` gives it.
    """
    asked = _asked(code)
    with office.store.reading():
        found = life(office.store.ledger.graph, asked) if asked else Life(code, (), is_cut=False)
        moments = [
            {
                "type": moment.type,
                "facts": plain(msgspec.to_builtins(moment.body)),
                "who": moment.who,
                "station": moment.station,
                "at": moment.at,
                "ref": moment.ref,
                "ended": list(moment.ended),
                "counts": moment.counts,
                "history": plain_history(moment.history) if moment.history else None,
                "time": None if moment.timed.is_plain else plain_time(moment.timed),
            }
            for moment in found.moments
        ]
        return {
            "code": code,
            "moments": moments,
            "is_cut": found.is_cut,
            "names": names_in(office, {"moments": moments}),
        }


def family(office: Office, code: str, direction: Direction, limit: int) -> Row:
    """One direction as `tally.trace.as_plain`, at most `limit` links, with names."""
    with office.store.reading():
        found = as_plain(trace(office.store.ledger.graph, _asked(code), direction, limit=limit))
        return found | {"names": names_in(office, found)}


def find(office: Office, text: str) -> list[Row]:
    """What a scanned or typed text names: [{sort, id}], empty for a stranger.

    `sort`: case, station, order, or code (a unit, part, lot or box, which `explore` tells apart).
    """
    asked = _asked(text)
    if not asked:
        return []
    found: list[Row] = []
    with office.store.reading():
        ledger = office.store.ledger
        case = asked.upper()
        if _CASE.match(case) and ledger.case(case):
            found.append({"sort": "case", "id": case})
        stations = {one.name for one in office.store.journals() if one.role == "station"}
        stations.update(one.id for one in office.store.versions("station"))
        found += [
            {"sort": "station", "id": one}
            for one in sorted(stations)
            if one.casefold() == asked.casefold()
        ]
        if any(one.id == asked for one in office.store.versions("order")):
            found.append({"sort": "order", "id": asked})
        if is_recorded(ledger.graph, asked):
            found.append({"sort": "code", "id": asked})
    return found


def near(office: Office, text: str) -> list[Row]:
    """Codes and lots that begin as the text does, or as much of it as any: [{sort, code, key}]."""
    asked = _asked(text)
    with office.store.reading():
        lots = sorted({one.id for one in office.store.versions("lot")})
        found: list[Row] = []
        # What begins so begins with every shorter part too, so the longest is found by halving.
        short, long = _BEGINNING_MIN, len(asked)
        while short <= long:
            middle = (short + long) // 2
            beginning = list(_beginning(office, lots, asked[:middle]))
            if beginning:
                found, short = beginning, middle + 1
            else:
                long = middle - 1
    return found[:NEAR_MAX]


def order(office: Office, name: str) -> Row | None:
    """A work order as last published; None for a stranger."""
    with office.store.reading():
        found = [one for one in office.store.versions("order") if one.id == name]
        orders = [from_content("order", msgspec.json.decode(one.content)) for one in found]
        known = [one for one in orders if isinstance(one, Order)]
        return to_content(max(known, key=lambda one: one.version)) if known else None


def names_in(office: Office, value: Any) -> Row:
    """Names of the parts and people in a value: {parts: {id: {en, zh}}, people: {badge: …}}."""
    mentioned = set(_mentioned(value))
    products = {one: one.partition("@")[0] for one in mentioned}
    with office.store.reading():
        parts = _names(office, "product", set(products.values()))
        people = _names(office, "person", mentioned)
    named = {one: parts[product] for one, product in products.items() if product in parts}
    return {"parts": named, "people": people}


def _names(office: Office, kind: str, ids: set[str]) -> dict[str, Row]:
    """Names of some products or persons by their newest version; only these are decoded."""
    found: dict[str, tuple[int, Row]] = {}
    for version in office.store.versions(kind):
        if version.id in ids:
            entity = from_content(kind, msgspec.json.decode(version.content))
            if isinstance(entity, Product | Person):
                name = (entity.version, {"en": entity.name.en, "zh": entity.name.zh})
                found[version.id] = max(found.get(version.id, name), name, key=lambda one: one[0])
    return {name: words for name, (_, words) in found.items()}


def _asked(code: str) -> str:
    """The code in what was scanned or typed; empty for what can be none: too long, or no text.

    A sign that leads to the public page means its code, and a scanner's word on the kind of
    barcode before it (AIM identifier, ISO/IEC 15424) is left out.
    """
    text = code.strip()
    if any("\ud800" <= letter <= "\udfff" for letter in text) or len(text) > CODE_CHARACTERS_MAX:
        return ""
    text = _AIM.sub("", text)
    link = _LINK.match(text)
    return unquote(link[1]) if link else text


def _beginning(office: Office, lots: list[str], prefix: str) -> Iterator[Row]:
    for spelled in dict.fromkeys((prefix, prefix.upper())):
        for code in office.store.ledger.codes_from(spelled, NEAR_MAX):
            yield {"sort": "unit", "code": code, "key": code}
        for lot in lots:
            if lot.startswith(spelled):
                yield {"sort": "lot", "code": lot, "key": lot}


def _plain_lanes(found: Lanes) -> Row:
    return {
        "selves": [{"sort": _sort_of(state)} | plain(state) for state in found.selves],
        "groups": [plain(group) for group in found.groups],
        "ended": [{"side": side} | plain(member) for side, member in found.ended],
        "cases": list(found.cases),
        "is_cut": found.is_cut,
    }


def _sort_of(state: UnitState | BoxState | LotState) -> str:
    match state:
        case BoxState():
            return "box"
        case LotState():
            return "lot"
        case UnitState():
            return "part" if state.status == "unknown" else "unit"


def _mentioned(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in _NAMING and isinstance(inner, str):
                yield inner
            else:
                yield from _mentioned(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _mentioned(inner)
