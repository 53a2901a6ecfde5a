"""Keys in one private file; certificates by the hub's name."""

import datetime as dt
import os
import socket
import ssl
import threading

import pytest
from cryptography import x509

from hub import trust
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
