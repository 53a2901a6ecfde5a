"""A small plant for benchmarks: a hub with two numbering schemes, and binds of their codes.

The events are what an assembly station records when a serial part goes into a unit, checks
included; codes count up, as codes of a block do.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from bench.writing import Writer
from hub import bootstrap
from hub.services import Hub
from hub.services.answers import Enrolled
from tally.codes import Scheme
from tally.events.types import Check, ComponentBound
from tally.master import load_documents
from tally.records.segment import encode

ADDRESS: Final = "127.0.0.1:8443"
_SCHEMES: Final = b"""
[[scheme]]
scheme = "unit"
version = 1
level = "unit"
starts = 2020-01-01
[[scheme.field]]
kind = "literal"
text = "UNIT-"
[[scheme.field]]
kind = "counter"
width = 9

[[scheme]]
scheme = "part"
version = 1
level = "unit"
starts = 2020-01-01
[[scheme.field]]
kind = "literal"
text = "PART-"
[[scheme.field]]
kind = "counter"
width = 9
"""


_SITE: Final = """
[[site]]
site = "NB1"
name = { en = "Ningbo", zh = "宁波" }
zone = "Asia/Shanghai"
"""
_STATION: Final = """
[[line]]
line = "L-{name}"
site = "NB1"
name = {{ en = "Line of {name}", zh = "{name} 线" }}

[[station]]
station = "{name}"
line = "L-{name}"
name = {{ en = "{name}", zh = "{name}" }}
plans = []
"""


def schemes() -> list[Scheme]:
    """The numbering schemes of the plant."""
    entities, problems = load_documents([("schemes.toml", _SCHEMES)])
    assert not problems, problems
    return [entity for entity in entities if isinstance(entity, Scheme)]


def unit_code(number: int) -> str:
    """Code of a unit."""
    return f"UNIT-{number:09d}"


def part_code(number: int) -> str:
    """Code of a serial part."""
    return f"PART-{number:09d}"


def make_hub(directory: Path, stations: Iterable[str]) -> Hub:
    """A new hub in a folder that knows schemes and stations; close its store before it is served.

    Each station is a line of its own: none pulls what another recorded.
    """
    hub = bootstrap.create(directory, plant="NB1", site="NB1")
    places = [_SITE, *(_STATION.format(name=name) for name in stations)]
    hub.publish([("schemes.toml", _SCHEMES), ("plant.toml", "".join(places).encode())])
    return hub


def enroll(hub: Hub, writer: Writer) -> Enrolled:
    """Register a writer's journal at the hub by a token, as a station does."""
    return hub.enroll(secret_for(hub, writer.name), encode(writer.opening()))


def secret_for(hub: Hub, station: str) -> str:
    """The secret of a new token."""
    return read_token(hub.open_token(station, [ADDRESS]))["secret"]


def read_token(token: str) -> dict[str, str]:
    """The fields of a token."""
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    fields: dict[str, str] = json.loads(raw)
    return fields


def bind(number: int) -> ComponentBound:
    """Part `number` goes into unit `number`."""
    child, parent = part_code(number), unit_code(number)
    return ComponentBound(
        child=child,
        parent=parent,
        slot="board",
        tracking="serial",
        part="PCB-L",
        step="board",
        checks=(
            Check("right_part", child, "PASS", "numbering scheme", "PCB-L"),
            Check("not_used", child, "PASS", "S02 to 118"),
            Check("previous_op", child, "PASS", "S02 to 118", "20"),
        ),
        source="serial-1",
        raw=child,
    )


def binds(first: int, count: int) -> Iterator[ComponentBound]:
    """Binds of consecutive units."""
    return map(bind, range(first, first + count))
