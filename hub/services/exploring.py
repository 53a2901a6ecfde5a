"""Exploring a code: its lanes, its life, and what is near when nobody recorded it.

JSON-safe values for the console: what `tally.trace.lanes` and `tally.trace.life` find, with the
names of the parts and people in it. The integrators' trace is `tracing` and stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from hub.services.office import Office
from hub.services.publishing import entities, versions_of
from hub.services.showing import plain
from hub.services.tracing import CODE_CHARACTERS_MAX
from tally.master import Lot, Order, Person, Product, Station, Words, to_content
from tally.merge.units import BoxState, LotState, UnitState
from tally.trace import Direction, as_plain, trace
from tally.trace.completeness import completeness_of
from tally.trace.drawing import plain_completeness
from tally.trace.lanes import Lanes, Look, is_recorded, lanes
from tally.trace.life import Life, life

Row = dict[str, Any]
NEAR_MAX: Final = 8
_BEGINNING_MIN: Final = 3
_CASE: Final = re.compile(r"C-[A-Z2-7]{5}\Z", re.IGNORECASE)
_NAMING: Final = ("product", "part", "who")


def explore(office: Office, code: str, look: Look | None = None) -> Row:
    """The lanes of a code.

    Keys: code, is_known, as_of, selves [unit, box or lot with `sort`], groups, ended [member with
    `side`], cases, is_cut, names, completeness; `near` instead of all lanes for an unknown code.
    """
    asked = _asked(code)
    with office.store.reading():
        graph = office.store.ledger.graph
        found = lanes(graph, asked, look) if asked else None
        rests_on = found.completeness if found else completeness_of(graph)
        page = {
            "code": code,
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

    Keys: code, moments [{type, facts, who, station, at, ref, ended}], is_cut, names. `facts` are
    the event's own fields, the optional ones only where they say something.
    """
    asked = _asked(code)
    with office.store.reading():
        found = life(office.store.ledger.graph, asked) if asked else Life(code, (), is_cut=False)
        moments = [
            {
                "type": moment.type,
                "facts": msgspec.to_builtins(moment.body),
                "who": moment.who,
                "station": moment.station,
                "at": moment.at,
                "ref": moment.ref,
                "ended": list(moment.ended),
            }
            for moment in found.moments
        ]
        return {
            "code": code,
            "moments": moments,
            "is_cut": found.is_cut,
            "names": names_in(office, {"moments": moments}),
        }


def tree(office: Office, code: str, direction: Direction, limit: int) -> Row:
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
        stations.update(e.station for e in entities(office, "station") if isinstance(e, Station))
        found += [
            {"sort": "station", "id": one}
            for one in sorted(stations)
            if one.casefold() == asked.casefold()
        ]
        if asked in versions_of(office, "order"):
            found.append({"sort": "order", "id": asked})
        if is_recorded(ledger.graph, asked):
            found.append({"sort": "code", "id": asked})
    return found


def near(office: Office, text: str) -> list[Row]:
    """Codes and lots that begin as the text does, or as much of it as any: [{sort, code, key}]."""
    asked = _asked(text)
    with office.store.reading():
        lots = [one for one in versions_of(office, "lot").values() if isinstance(one, Lot)]
        for length in range(len(asked), _BEGINNING_MIN - 1, -1):
            found = list(_beginning(office, lots, asked[:length]))
            if found:
                return found[:NEAR_MAX]
    return []


def order(office: Office, name: str) -> Row | None:
    """A work order as last published; None for a stranger."""
    with office.store.reading():
        found = versions_of(office, "order").get(name)
        return to_content(found) if isinstance(found, Order) else None


def names_in(office: Office, value: Any) -> Row:
    """Names of the parts and people in a value: {parts: {id: {en, zh}}, people: {badge: …}}."""
    mentioned = set(_mentioned(value))
    with office.store.reading():
        parts = {
            product: _both(entity.name)
            for product, entity in versions_of(office, "product").items()
            if isinstance(entity, Product)
        }
        people = {
            badge: _both(entity.name)
            for badge, entity in versions_of(office, "person").items()
            if isinstance(entity, Person) and badge in mentioned
        }
    revised = {
        one: parts[one.partition("@")[0]] for one in mentioned if one.partition("@")[0] in parts
    }
    return {"parts": revised, "people": people}


def _asked(code: str) -> str:
    """The text to look for; empty for one that is no code: too long, or no text."""
    text = code.strip()
    is_text = not any("\ud800" <= letter <= "\udfff" for letter in text)
    return text if is_text and len(text) <= CODE_CHARACTERS_MAX else ""


def _beginning(office: Office, lots: list[Lot], prefix: str) -> Iterator[Row]:
    for spelled in dict.fromkeys((prefix, prefix.upper())):
        for code in office.store.ledger.codes_from(spelled, NEAR_MAX):
            yield {"sort": "unit", "code": code, "key": code}
        for lot in lots:
            if lot.lot.startswith(spelled):
                yield {"sort": "lot", "code": lot.lot, "key": f"{lot.part}/{lot.lot}"}


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


def _both(words: Words) -> dict[str, str]:
    return {"en": words.en, "zh": words.zh}
