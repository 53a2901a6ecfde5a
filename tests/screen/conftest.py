"""One plant and hub for all screens of a run, and a morning's copy of station S03 for each test."""

from __future__ import annotations

import pytest

from tests.support.work_floor import WorkFloor


@pytest.fixture(scope="session")
def work_floor(tmp_path_factory):
    """A serving hub; S01 and S02 have made boards."""
    floor = WorkFloor(tmp_path_factory.mktemp("floor"))
    yield floor
    floor.end()


@pytest.fixture(scope="session")
def morning(work_floor):
    """S03 as it knows everything and has done nothing."""
    return work_floor.station("S03")
