"""One image with its key on five computers: five journals in the end, and no code is shared."""

import contextlib

import pytest

from tests.support.copied import BADGE, Station, a_floor
from tests.support.station_process import tally

pytestmark = pytest.mark.timeout(240)
COPIES = 5


def test_20_five_computers_from_one_image_share_no_code_and_end_with_five_journals(tmp_path):
    with a_floor(tmp_path) as floor:
        image = floor.enrolled()
        with Station(image) as station:
            station.sync()
            station.say(BADGE)
            station.sync()
        folders = [floor.copy(image, f"pc{number}") for number in range(COPIES)]
        with contextlib.ExitStack() as running:
            stations, answers = [], []
            for folder in folders:  # asked for a code before it has met the hub
                stations.append(running.enter_context(Station(folder)))
                stations[-1].give(b"CTLNEXT")
                answers.append(stations[-1].hear_answer())
            given = [line["unit"] for line in answers if line["verdict"] == "OK"]
            assert given
            assert len(set(given)) == len(given)
            for station in (*stations, *stations):
                station.sync()
            ahead = [station for station in stations if station.has_told("S-110")]
            assert len(ahead) == 1
        # A person lets the others be stations, each with a token of its own.
        for folder in folders:
            if "SUSPECT" in tally("station", "status", folder).stdout:
                floor.enrol(folder)
                with Station(folder) as station:
                    station.sync()
        codes = [code for _, code in floor.reserved()]
        assert len(set(codes)) == len(codes)
        rows = floor.hub.run("stations")
        assert len(rows) == 1 + COPIES
        assert all(row["unexplained"] == 0 for row in floor.balance().values())
