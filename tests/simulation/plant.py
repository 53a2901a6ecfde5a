"""The simulated plant's master data: the demo plant, with as many stations as the seed wants.

Boxes are small, a second person may decide cases; everything else is `config/demo`.
"""

import re
from functools import cache

from tally.commands.demo_config import demo_documents

ROLES = ("final", "final", "smt", "pack", "flash", "final", "pack", "final")
PLANS = {
    "smt": "smt@3",
    "flash": "flash-test@5",
    "final": "final-assembly@14",
    "pack": "pack@6",
}
SCHEMES = {"smt": "pcb-l@1", "final": "bl2@1", "pack": "sscc@1"}
OPERATORS = ("BDG-1107", "BDG-1182", "BDG-1120", "BDG-1133")
LEAD = "BDG-2004"
ADMINS = ("BDG-3001", "BDG-3002")
LOTS = ("BAT-18650-2547A", "BAT-18650-2547B", "BAT-18650-2546X")
BOX_SIZE = 2


def names(count):
    """Names of the stations."""
    return tuple(f"S{number:02}" for number in range(1, count + 1))


@cache
def documents(count):
    """Master data files for a plant of so many stations."""
    found = dict(demo_documents())
    found["plant.toml"] = _plant(count).encode()
    routings = found["routings.toml"].decode()
    for role, plan_id in PLANS.items():
        plan = plan_id.partition("@")[0]
        wanted = ", ".join(f'"{name}"' for name in performing(role, count))
        pattern = rf'(plan = "{plan}@\d+"\n)stations = \[[^\]]*\]'
        routings, times = re.subn(pattern, rf"\1stations = [{wanted}]", routings)
        assert times == 1, plan
    found["routings.toml"] = routings.encode()
    found["plans/pack.toml"] = found["plans/pack.toml"].replace(
        b"count = 12", b"count = %d" % BOX_SIZE
    )
    people = re.sub(rb",S0[1-4],", b",S01,", found["people.csv"])
    final = found["plans/final-assembly.toml"]
    found["plans/final-assembly.toml"] = final.replace(
        b'lot_released = "block"', b'lot_released = "provisional"'
    )
    found["people.csv"] = people + "BDG-3002,SUN Li,孙丽,quality;admin,,en\n".encode()
    return tuple(sorted(found.items()))


def performing(role, count):
    """Stations that may do this; where nobody has the role, the first one changes over."""
    found = [name for name, own in zip(names(count), ROLES, strict=False) if own == role]
    return found or ["S01"]


def role_of(name):
    """What the station does when nobody changed it over."""
    return ROLES[int(name[1:]) - 1]


def _plant(count):
    text = (
        '[[site]]\nsite = "NB1"\nname = { en = "Ningbo", zh = "宁波" }\nzone = "Asia/Shanghai"\n\n'
        '[[line]]\nline = "L2"\nsite = "NB1"\nname = { en = "Line 2", zh = "2 号线" }\n'
    )
    for name in names(count):
        home = PLANS[role_of(name)]
        others = [
            plan for role, plan in PLANS.items() if plan != home and name in performing(role, count)
        ]
        plans = ", ".join(f'"{plan}"' for plan in (home, *others))
        text += f'\n[[station]]\nstation = "{name}"\nline = "L2"\nplans = [{plans}]\n'
        text += f'name = {{ en = "{name}", zh = "{name}" }}\n'
    return text


def lot_document(lot, part, version, state, reason):
    """A later version of a lot, as quality imports it."""
    return (
        f"{lot}-{version}.toml",
        (
            f'[[lot]]\nlot = "{lot}"\npart = "{part}"\nversion = {version}\nqty = "500"\n'
            f'state = "{state}"\nsince = "05:00"\nby = "BDG-3001"\nreason = "{reason}"\n'
        ).encode(),
    )
