"""CM-01: a million codes from fifty stations, whatever replies are lost, and no code twice.

The grants are the hub's own, the codes those that a station prints from them.
"""

import datetime as dt
import random

import numpy as np
import pytest

from hub.services import Refused
from tally.master import load_documents
from tests.support.hub_floor import a_hub, demo_files, enrolled

STATIONS = 50
CODES = 1_000_000
GRANTS_A_STATION = 8
STATION = """
[[station]]
station = "{0}"
line = "L2"
name = {{ en = "{0}", zh = "{0}" }}
plans = []
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_fifty_stations_make_a_million_codes_and_none_twice(seed):
    chance = random.Random(seed)
    hub = a_hub()
    names = [f"F{number:02}" for number in range(1, STATIONS + 1)]
    documents = [*demo_files(), ("more.toml", "".join(map(STATION.format, names)).encode())]
    hub.publish(documents)
    stations = [enrolled(hub, name) for name in names]
    entities, _ = load_documents(documents)
    (scheme,) = (one for one in entities if getattr(one, "scheme_id", "") == "bl2@1")
    wanted = parts(chance, CODES, STATIONS * GRANTS_A_STATION)
    asked = [
        (stations[at % STATIONS], f"r{at // STATIONS}", count) for at, count in enumerate(wanted)
    ]
    # A reply that was lost is asked for again, late, and once in a while twice.
    lost = chance.sample(asked, len(asked) // 3)
    chance.shuffle(asked)
    held = {}
    for station, request, count in [*asked, *lost, *lost[::3]]:
        block = hub.lease(station.id, request, "bl2@1", count).block
        assert held.setdefault((station.id, request), block) == block
    ranks = np.concatenate([np.arange(one.start, one.start + one.count) for one in held.values()])
    (period,) = {one.period for one in held.values()}
    rows = scheme.render_many(ranks, period=dt.date.fromisoformat(period))
    codes = np.ascontiguousarray(rows).view(f"S{rows.shape[1]}").ravel()
    assert len(codes) == CODES
    assert len(np.unique(codes)) == CODES
    with pytest.raises(Refused) as refusal:
        hub.lease(stations[0].id, "one more", "bl2@1", 1)
    assert refusal.value.code == "no_capacity"


def parts(chance, whole, number):
    """`number` counts of at least one, in a random partition of `whole`."""
    cuts = sorted(chance.sample(range(1, whole), number - 1))
    return [end - start for start, end in zip([0, *cuts], [*cuts, whole], strict=True)]
