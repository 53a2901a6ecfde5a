"""Who and what there is by name: persons who may act at the hub, names of stations and lines.

Reads master data only. Whether a person may do a certain thing is judged where it is done
(`deciding`), each time anew.
"""

from __future__ import annotations

from collections.abc import Mapping

from hub.services.deciding import MAY_DECIDE
from hub.services.office import Office
from hub.services.publishing import versions_of
from tally.master import Line, Person, Site, Station, Words


def deciders(office: Office) -> tuple[Person, ...]:
    """Persons whose role lets them settle cases, by badge; empty before people are imported."""
    with office.store.reading():
        known = versions_of(office, "person").values()
    found = [one for one in known if isinstance(one, Person) and MAY_DECIDE & set(one.roles)]
    return tuple(sorted(found, key=lambda person: person.badge))


def names(office: Office) -> Mapping[tuple[str, str], Words]:
    """Names of sites, lines, stations and persons: (kind, id) → both languages."""
    found: dict[tuple[str, str], Words] = {}
    with office.store.reading():
        for kind in ("site", "line", "station", "person"):
            for name, entity in versions_of(office, kind).items():
                if isinstance(entity, Site | Line | Station | Person):
                    found[kind, name] = entity.name
    return found
