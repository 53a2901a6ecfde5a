"""The uplink on real sockets: who is trusted, and what a server may do to it."""

from __future__ import annotations

import datetime as dt
import os
import ssl
import threading
from dataclasses import replace

import pytest

from edge_agent.sync.state import Request
from edge_agent.sync.turn import Reply, Unreached
from edge_agent.sync.uplink import HINTS_MAX, Link, Uplink, has_ended
from hub import trust
from tests.support.raw_server import answering, raw_server, read_request

NOW = dt.datetime.now(dt.UTC)
TIME = Request("hello", "GET", "/v1/time", seconds=3.0)
JSON_OK = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
    b"Connection: close\r\n\r\n{}"
)


def made(folder, when=NOW):
    folder.mkdir(exist_ok=True)
    secrets = trust.new_secrets(plant="NB1", site="NB1", clock=lambda: when, entropy=os.urandom)
    return secrets, trust.tls_context(folder, secrets, when)


@pytest.fixture
def plant(tmp_path):
    return made(tmp_path / "plant")


@pytest.fixture
def reach():
    opened = []

    def open_uplink(secrets, *addresses, link=None):
        opened.append(Uplink(addresses, secrets.hub_id, secrets.ca_certificate, link or Link()))
        return opened[-1]

    yield open_uplink
    for uplink in opened:
        uplink.close()


def test_the_hub_is_reached_by_its_name_whatever_its_address(plant, reach):
    secrets, tls = plant
    with raw_server(answering(JSON_OK), tls) as server:
        for address in (server.address, f"https://localhost:{server.port}/"):
            reply = reach(secrets, address).send(TIME)
            assert isinstance(reply, Reply)
            assert (reply.status, reply.body) == (200, b"{}")


def test_a_certificate_of_another_ca_is_refused_in_words(plant, reach, tmp_path):
    secrets, _ = plant
    _, foreign = made(tmp_path / "foreign")
    with raw_server(answering(JSON_OK), foreign) as server:
        found = reach(secrets, server.address).send(TIME)
    assert isinstance(found, Unreached)
    assert found.said.code == "foreign_ca"
    assert "not from the CA" in found.said.en
    assert "0x" not in found.said.en


def test_a_certificate_of_our_ca_for_another_name_is_refused_in_words(plant, reach, tmp_path):
    secrets, tls = plant
    other, _ = made(tmp_path / "other")
    with raw_server(answering(JSON_OK), tls) as server:
        uplink = Uplink([server.address], other.hub_id, secrets.ca_certificate, Link())
        found = uplink.send(TIME)
        uplink.close()
    assert isinstance(found, Unreached)
    assert "another name" in found.said.en


def test_exactly_one_ca_is_trusted_even_when_the_environment_names_others(
    plant, reach, tmp_path, monkeypatch
):
    secrets, _ = plant
    foreign, foreign_tls = made(tmp_path / "foreign")
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(foreign.ca_certificate)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(bundle))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    uplink = reach(secrets, "127.0.0.1:1")
    with raw_server(answering(JSON_OK), foreign_tls) as server:
        uplink = reach(secrets, server.address)
        found = uplink.send(TIME)
    assert isinstance(found, Unreached)
    assert found.said.code == "foreign_ca"
    assert len(uplink.context.get_ca_certs()) == 1
    assert uplink.context.verify_mode is ssl.CERT_REQUIRED


def test_39_an_expired_certificate_under_the_pinned_ca_still_connects(reach, tmp_path):
    long_ago = NOW - dt.timedelta(days=40 * 365)
    secrets, tls = made(tmp_path / "old", long_ago)
    with raw_server(answering(JSON_OK), tls) as server:
        uplink = reach(secrets, server.address)
        assert isinstance(uplink.send(TIME), Reply)
    assert has_ended(uplink.certificate_end, NOW.timestamp())


def test_a_certificate_not_valid_yet_still_connects(reach, tmp_path):
    secrets, tls = made(tmp_path / "new", NOW + dt.timedelta(days=20 * 365))
    with raw_server(answering(JSON_OK), tls) as server:
        assert isinstance(reach(secrets, server.address).send(TIME), Reply)


def test_a_hub_with_another_ca_of_its_own_is_refused_until_the_station_enrols_again(
    plant, reach, tmp_path
):
    secrets, _ = plant
    other, _ = made(tmp_path / "other")
    rotated = replace(secrets, ca_key=other.ca_key, ca_certificate=other.ca_certificate)
    with raw_server(answering(JSON_OK), trust.tls_context(tmp_path, rotated, NOW)) as server:
        found = reach(secrets, server.address).send(TIME)
        assert isinstance(found, Unreached)
        assert found.said.code == "foreign_ca"
        assert "enrol again if the hub is new" in found.said.en
        assert isinstance(reach(rotated, server.address).send(TIME), Reply)


def test_the_next_address_is_tried_and_the_good_one_remembered(plant, reach):
    secrets, tls = plant
    with raw_server(answering(JSON_OK), tls) as server:
        uplink = reach(secrets, "127.0.0.1:1", server.address)
        assert isinstance(uplink.send(TIME), Reply)
        assert isinstance(uplink.send(TIME), Reply)
        assert server.calls == 2


def test_a_hub_that_moved_is_found_though_others_say_that_they_are_it(plant, reach):
    secrets, tls = plant
    with raw_server(answering(JSON_OK), tls) as server:
        uplink = reach(secrets, "127.0.0.1:9")
        uplink.hint(server.address)
        for number in range(HINTS_MAX - 1):
            uplink.hint(f"127.0.0.{2 + number}:9")
        assert isinstance(uplink.send(TIME), Reply)


def test_hints_without_end_neither_fill_the_memory_nor_are_the_newest_all_that_is_kept(
    plant, reach
):
    uplink = reach(plant[0], "127.0.0.1:9")
    for number in range(10 * HINTS_MAX):
        uplink.hint(f"hub-{number}:9")
    kept = {int(one.split("-")[1].split(":")[0]) for one in uplink._hints}
    assert len(kept) == HINTS_MAX
    assert min(kept) < 9 * HINTS_MAX


def test_no_route_is_said_with_the_address(plant, reach):
    secrets, _ = plant
    found = reach(secrets, "127.0.0.1:1").send(TIME)
    assert isinstance(found, Unreached)
    assert found.said.code == "no_route"
    assert "127.0.0.1:1" in found.said.en
    assert "Connection refused" in found.said.en


def test_a_redirect_is_not_followed(plant, reach):
    secrets, tls = plant
    answer = (
        b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n"
        b"Connection: close\r\n\r\n"
    )
    with raw_server(answering(answer), tls) as server:
        reply = reach(secrets, server.address).send(TIME)
        assert isinstance(reply, Reply)
        assert reply.status == 302
        assert server.calls == 1


def test_a_plain_http_server_on_the_port_is_said(plant, reach):
    secrets, _ = plant

    def talk(connection):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    with raw_server(talk) as server:
        found = reach(secrets, server.address).send(TIME)
    assert isinstance(found, Unreached)
    assert found.said.code == "no_tls"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x01\x02 no http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\n" + b"X-Pad: y\r\n" * 500 + b"\r\n",
    ],
    ids=["nothing", "garbage", "cut off", "broken chunks", "packed", "many headers"],
)
def test_a_broken_answer_is_no_answer(plant, reach, answer):
    secrets, tls = plant
    with raw_server(answering(answer), tls) as server:
        assert isinstance(reach(secrets, server.address).send(TIME), Unreached)


def test_an_endless_answer_is_cut_off_at_two_mebibytes(plant, reach):
    secrets, tls = plant
    sent = []

    def talk(connection):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not server.stopping.is_set():
            connection.sendall(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            sent.append(0x10000)

    with raw_server(talk, tls) as server:
        found = reach(secrets, server.address).send(TIME)
        assert isinstance(found, Unreached)
        assert "more than 2097152 bytes" in found.said.en
    assert sum(sent) < 16 * 1024 * 1024


def test_an_answer_that_trickles_is_given_up_after_its_deadline(plant, reach):
    secrets, tls = plant

    def talk(connection):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not server.stopping.wait(0.05):
            connection.sendall(b"x")

    with raw_server(talk, tls) as server:
        quick = Request("hello", "GET", "/v1/time", seconds=0.5)
        found = reach(secrets, server.address).send(quick)
    assert isinstance(found, Unreached)
    assert "too slowly" in found.said.en


def test_headers_that_trickle_are_given_up_too(plant, reach):
    secrets, tls = plant

    def talk(connection):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not server.stopping.wait(0.05):
            connection.sendall(b"x")

    with raw_server(talk, tls) as server:
        uplink = reach(secrets, server.address)
        impatient = threading.Timer(0.5, uplink.abort)
        impatient.start()
        assert isinstance(uplink.send(TIME), Unreached)
        impatient.join()


def test_a_request_under_way_can_be_ended_from_another_thread(plant, reach):
    secrets, tls = plant
    asked = threading.Event()

    def talk(connection):
        read_request(connection)
        asked.set()
        server.stopping.wait(20)

    with raw_server(talk, tls) as server:
        uplink = reach(secrets, server.address)
        ender = threading.Thread(target=lambda: (asked.wait(20), uplink.abort()))
        ender.start()
        patient = Request("news", "GET", "/v1/news", seconds=600.0)
        assert isinstance(uplink.send(patient), Unreached)
        ender.join()


def test_a_hub_that_says_nothing_times_out_in_words(plant, reach):
    secrets, tls = plant

    def talk(connection):
        read_request(connection)
        server.stopping.wait(20)

    with raw_server(talk, tls) as server:
        quick = Request("piece", "PUT", "/v1/x", b"x", seconds=0.5)
        found = reach(secrets, server.address).send(quick)
    assert isinstance(found, Unreached)
    assert found.has_timed_out
    assert "0.5 s" in found.said.en


def test_a_cut_link_sends_nothing_and_hears_nothing(plant, reach):
    secrets, tls = plant
    link = Link()
    asked = threading.Event()

    def talk(connection):
        read_request(connection)
        asked.set()
        cut.wait(10)
        connection.sendall(JSON_OK)

    cut = threading.Event()
    with raw_server(talk, tls) as server:
        uplink = reach(secrets, server.address, link=link)

        def cut_it():
            asked.wait(10)
            link.up = False
            cut.set()

        helper = threading.Thread(target=cut_it)
        helper.start()
        found = uplink.send(TIME)
        helper.join()
        assert isinstance(found, Unreached)
        assert found.said.code == "link_cut"
        assert isinstance(uplink.send(TIME), Unreached)
        assert server.calls == 1


@pytest.mark.parametrize("address", ["", "a b", "host:port", "user@host:1", "host/path", "::1:x"])
def test_an_address_that_is_none_is_refused(plant, address):
    secrets, _ = plant
    with pytest.raises(ValueError, match=r"address|port|parse"):
        Uplink([address], secrets.hub_id, secrets.ca_certificate, Link())


def test_a_station_that_was_away_follows_to_another_ca_and_over_several(plant, reach, tmp_path):
    secrets, _ = plant
    second = trust.with_another_authority(secrets, os.urandom, NOW)
    third = trust.with_another_authority(second, os.urandom, NOW)
    for number, served in enumerate((second, third)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with raw_server(answering(JSON_OK), trust.tls_context(folder, served, NOW)) as server:
            for pinned in (secrets, second, third)[: number + 2]:
                assert isinstance(reach(pinned, server.address).send(TIME), Reply)


def test_who_trusts_the_newer_ca_alone_does_not_follow_to_the_older(plant, reach):
    secrets, tls = plant
    second = trust.with_another_authority(secrets, os.urandom, NOW)
    with raw_server(answering(JSON_OK), tls) as server:
        found = reach(second, server.address).send(TIME)
    assert isinstance(found, Unreached)
    assert found.said.code == "foreign_ca"


def test_another_ca_is_trusted_from_the_next_request_on(plant, tmp_path):
    secrets, _ = plant
    other, foreign = made(tmp_path / "other")
    with raw_server(answering(JSON_OK), foreign) as server:
        uplink = Uplink([server.address], other.hub_id, secrets.ca_certificate, Link())
        assert isinstance(uplink.send(TIME), Unreached)
        with pytest.raises(ValueError, match="no certificate"):
            uplink.trust("nonsense")
        uplink.trust(secrets.ca_certificate + other.ca_certificate)
        assert isinstance(uplink.send(TIME), Reply)
        uplink.trust(secrets.ca_certificate)
        assert isinstance(uplink.send(TIME), Unreached)
    uplink.close()
