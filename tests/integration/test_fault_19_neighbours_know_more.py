"""A station's files put back while only its neighbours know what came after them."""

import shutil
import socket

import pytest

from edge_agent.sync.peers.addresses import Place
from edge_agent.sync.peers.knocking import answering
from tests.support.copied import copy_folder
from tests.support.line import Line, until

pytestmark = pytest.mark.timeout(180)

BADGE = {"badge": "BDG-1107"}
NEXT = {"command": "CTLNEXT"}


@pytest.fixture
def line(tmp_path):
    return Line(tmp_path)


def worked_and_put_back(line, names):
    """S03 gives a code out that S02 hears of; then its folder is as it was before."""
    with line.running("S03") as (s03,):
        s03.say(BADGE)
    copy_folder(line.folder / "S03", line.folder / "image")
    with line.running(*names) as running:
        given = running[-1].say(NEXT)
        assert given["verdict"] == "OK"
        head = line.status("S03")["seq"]
        until(lambda: line.held("S02", "S03") >= head)
    shutil.rmtree(line.folder / "S03")
    (line.folder / "image").rename(line.folder / "S03")
    return given["unit"]


def test_19_what_only_a_neighbour_knows_of_keeps_an_old_folder_from_giving_out_codes_again(line):
    worked_and_put_back(line, ("S02", "S03"))
    door = Place(f"127.0.0.1:{line.ports['S02']}")
    with line.running("S02"):
        until(lambda: answering([door], 1.0))
        with line.running("S03") as (s03,):
            refused = s03.say(NEXT)  # the first line of its life
            assert (refused["verdict"], refused["code"]) == ("NG", "E-402")
            assert line.status("S03")["suspect"]
            # The neighbour keeps both histories, and what was given out is in one of them.
            until(lambda: len([o for o in line.status("S02")["others"] if o["name"] == "S03"]) == 2)


def test_19_without_a_neighbour_that_answers_work_begins_at_once(line):
    given = worked_and_put_back(line, ("S02", "S03"))
    with line.running("S03") as (s03,):
        assert s03.say(NEXT)["unit"] == given  # nobody could know: fault 17


def test_19_a_computer_that_is_off_keeps_no_other_from_being_asked():
    with socket.create_server(("127.0.0.1", 0)) as here, socket.socket() as full:
        # A port that accepts nobody: its queue is full, as if packets were lost.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        held = []
        for _ in range(3):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(full.getsockname())
            held.append(one)
        places = [Place(f"127.0.0.1:{port.getsockname()[1]}") for port in (full, here)]
        places += [Place("nobody:port"), Place("127.0.0.1:99999")]
        assert places[1] in answering(places, 0.3)
        assert answering(places[2:], 0.3) == answering([], 0.3) == []
        for one in held:
            one.close()
