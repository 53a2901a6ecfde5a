"""Keys in one private file; certificates by the hub's name."""

import asyncio
import contextlib
import datetime as dt
import os
import socket
import ssl
import threading

import pytest
from cryptography import x509

from hub import trust
from hub.api.serving import every
from hub.renewing import Renewal
from hub.services.office import Office
from tally.records.authority import name_of
from tests.support.hub_floor import Clock, entropy_of


@pytest.fixture
def secrets():
    return trust.new_secrets(plant="NB1", site="NB1", clock=Clock(), entropy=entropy_of("x"))


def test_keys_come_back_as_they_were_saved(secrets, tmp_path):
    trust.save(tmp_path, secrets)
    loaded = trust.load(tmp_path)
    assert loaded.root.raw == secrets.root.raw
    assert loaded.feeds["keys"].key.raw == secrets.feeds["keys"].key.raw
    assert (tmp_path / trust.SECRETS_FILE).stat().st_mode & 0o777 == 0o600
    assert secrets.root.raw.hex() not in repr(loaded)


def test_keys_are_never_overwritten(secrets, tmp_path):
    trust.save(tmp_path, secrets)
    with pytest.raises(FileExistsError):
        trust.save(tmp_path, secrets)


def test_keys_that_others_can_read_are_refused(secrets, tmp_path):
    trust.save(tmp_path, secrets)
    (tmp_path / trust.SECRETS_FILE).chmod(0o640)
    with pytest.raises(trust.TrustFault, match="chmod 600"):
        trust.load(tmp_path)


@pytest.mark.parametrize("damage", [b"", b"[]", b"{", b'{"hub":"X"}', b"\xff"])
def test_a_damaged_file_of_keys_is_said_so(tmp_path, damage):
    path = tmp_path / trust.SECRETS_FILE
    path.write_bytes(damage)
    path.chmod(0o600)
    with pytest.raises(trust.TrustFault, match="damaged"):
        trust.load(tmp_path)


def test_a_folder_without_keys_names_the_command(tmp_path):
    with pytest.raises(trust.TrustFault, match="tally hub init"):
        trust.load(tmp_path)


def test_the_certificate_names_the_hub_and_is_kept_until_it_nears_its_end(secrets, tmp_path):
    now = Clock().now
    path = trust.server_certificate(tmp_path, secrets, now)
    first = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    certificate = x509.load_pem_x509_certificate(first)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [secrets.server_name]
    assert certificate.not_valid_before_utc < now - dt.timedelta(days=365)
    later = now + dt.timedelta(days=365)
    assert trust.server_certificate(tmp_path, secrets, later).read_bytes() == first
    end = now + dt.timedelta(days=600)
    assert trust.server_certificate(tmp_path, secrets, end).read_bytes() != first


def test_a_certificate_of_another_hub_is_replaced(secrets, tmp_path):
    now = Clock().now
    other = trust.new_secrets(plant="B", site="B", clock=Clock(), entropy=os.urandom)
    first = trust.server_certificate(tmp_path, other, now).read_bytes()
    assert trust.server_certificate(tmp_path, secrets, now).read_bytes() != first


@pytest.mark.parametrize("name", ["right", "wrong"])
def test_a_station_connects_by_the_hubs_name_only(tmp_path, name):
    clock = lambda: dt.datetime.now(dt.UTC)
    secrets = trust.new_secrets(plant="NB1", site="NB1", clock=clock, entropy=os.urandom)
    server = trust.tls_context(tmp_path, secrets, clock())
    client = ssl.create_default_context(cadata=secrets.ca_certificate)
    asked = secrets.server_name if name == "right" else "hub.example"
    ours, theirs = socket.socketpair()
    heard = []

    def answer():
        try:
            with server.wrap_socket(theirs, server_side=True) as door:
                heard.append(door.recv(5))
        except (ssl.SSLError, OSError) as error:
            heard.append(error)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        with client.wrap_socket(ours, server_hostname=asked) as line:
            line.sendall(b"hello")
        assert name == "right"
    except ssl.SSLCertVerificationError:
        assert name == "wrong"
    finally:
        ours.close()
        thread.join()
    assert (heard == [b"hello"]) == (name == "right")


@pytest.fixture
def meeting(secrets, tmp_path):
    """Two ends of TLS: a server's context, and what a client sees of a new connection."""
    (tmp_path / "ca.pem").write_text(secrets.ca_certificate)
    client = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    client.verify_flags |= ssl.VerifyFlags(0x200000)

    def connect(server):
        ours, theirs = socket.socketpair()
        seen = []

        def accept():
            with server.wrap_socket(theirs, server_side=True) as tls:
                tls.sendall(b"x")
                tls.recv(1)

        answering = threading.Thread(target=accept)
        answering.start()
        with client.wrap_socket(ours, server_hostname=secrets.server_name) as tls:
            seen.append(tls.getpeercert()["serialNumber"])
            assert tls.recv(1) == b"x"
            tls.sendall(b"y")
        answering.join()
        return seen[0]

    return connect


def test_a_hub_that_serves_for_years_renews_its_certificate_half_a_year_before_the_end(
    secrets, tmp_path, meeting
):
    now = Clock().now
    context = trust.tls_context(tmp_path, secrets, now)
    first = meeting(context)
    assert trust.renew(context, tmp_path, secrets, now + dt.timedelta(days=540)) is None
    assert meeting(context) == first
    end = trust.renew(context, tmp_path, secrets, now + dt.timedelta(days=551))
    assert end == trust.certificate_end(tmp_path)
    assert end > now + dt.timedelta(days=1200)
    assert meeting(context) != first


def test_a_certificate_that_cannot_be_renewed_is_told_once_and_the_old_one_serves(
    secrets, tmp_path, meeting
):
    clock, told = Clock(), []
    context = trust.tls_context(tmp_path, secrets, clock())
    first = meeting(context)
    (tmp_path / "server.pem.new").mkdir()  # stands in the way of writing, also for root
    office = Office(None, secrets, clock, os.urandom)
    renewal = Renewal(tmp_path, office, context, told.append)
    clock.forward(days=551)
    for _ in range(3):
        renewal.look()
    assert len(told) == 1
    assert "ends on 2028-11-19 and cannot be renewed" in told[0]
    assert meeting(context) == first
    (tmp_path / "server.pem.new").rmdir()
    renewal.look()
    assert "was renewed; it is good until 2030-05-" in told[1]
    assert meeting(context) != first


def test_a_full_disk_keeps_no_hub_from_serving_with_its_old_certificate(secrets, tmp_path, meeting):
    now = Clock().now
    first = meeting(trust.tls_context(tmp_path, secrets, now))
    (tmp_path / "server.pem.new").mkdir()
    late = now + dt.timedelta(days=4000)
    assert meeting(trust.tls_context(tmp_path, secrets, late)) == first
    (tmp_path / "server.pem").unlink()
    with pytest.raises(OSError, match=r"server\.pem"):
        trust.tls_context(tmp_path, secrets, late)


def test_chores_are_done_again_and_again_until_the_hub_stops():
    async def serve():
        done, enough = [], asyncio.Event()

        def chore():
            done.append(1)
            if len(done) == 3:
                enough.set()

        chores = asyncio.create_task(every(0, chore))
        await enough.wait()
        chores.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await chores
        return done

    assert len(asyncio.run(serve())) >= 3


def test_a_ca_near_its_end_is_told_once_with_the_command_and_stops_nothing(
    secrets, tmp_path, meeting
):
    clock, told = Clock(), []
    context = trust.tls_context(tmp_path, secrets, clock())
    office = Office(None, secrets, clock, os.urandom)
    renewal = Renewal(tmp_path, office, context, told.append)
    renewal.look()
    assert told == []
    clock.forward(days=30 * 365 - 700)
    for _ in range(3):
        renewal.look()
    [words] = [one for one in told if "CA ends on" in one]
    assert f"tally hub renew {tmp_path} --ca" in words
    office.secrets = trust.with_another_authority(secrets, os.urandom, clock())
    told.clear()
    renewal.look()
    assert not any("CA ends on" in one for one in told)
    assert meeting(context)


def test_another_ca_is_kept_with_the_way_to_it_and_the_names_of_those_before(secrets, tmp_path):
    found = secrets
    for _ in range(trust.CROSSED_MAX + 2):
        found = trust.with_another_authority(found, os.urandom, Clock()())
    trust.save(tmp_path, found)
    loaded = trust.load(tmp_path)
    assert loaded.crossed == found.crossed
    assert len(loaded.crossed) == trust.CROSSED_MAX
    assert loaded.former[0] == name_of(secrets.ca_certificate)
    assert len(loaded.former) == trust.CROSSED_MAX + 2
    assert loaded.root.raw == secrets.root.raw
