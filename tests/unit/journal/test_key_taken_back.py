"""A station hears that a key was taken back, its own or a neighbour's, and of another CA."""

import pytest

from edge_agent.journal.authorities import authorities
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.passing_on import NeighbourReading
from edge_agent.journal.revoked import is_taken_back, revocation_of
from tally.events import types as t
from tally.records.authority import name_of, vouched
from tally.records.export import b64
from tally.records.ids import show_journal
from tally.wire.protocol import hub_name
from tests.support.building import Writing
from tests.support.stations import NOON, Bench, Plant, piece, secret


@pytest.fixture
def plant():
    return Plant()


@pytest.fixture
def bench(plant):
    return Bench(plant, "S03", line="L2")


def takes_back(plant, journal, name, feed=None):
    body = t.KeyRevoked(show_journal(journal), name, "laptop stolen")
    (feed or plant.keys).add(body, by="BDG-3001")


def test_the_own_key_taken_back_is_said_in_words_and_codes_stop(plant, bench):
    journal = bench.open()
    takes_back(plant, bench.identity.journal, "S03")
    done = journal.ingest(piece(plant.keys), at=NOON)
    assert done.is_revoked
    assert journal.is_suspect
    assert "laptop stolen" in done.words
    assert "管理员" in done.words_zh
    told = revocation_of(journal.connection, bench.identity.journal)
    assert (told["by"], told["since"]) == ("BDG-3001", 0)


def test_it_is_believed_in_feed_keys_alone(plant, bench):
    journal = bench.open()
    journal.ingest(piece(plant.keys), at=NOON)
    neighbour = Writing("S02")
    plant.enrol(neighbour)
    journal.ingest(piece(plant.keys, first=plant.keys.seq), at=NOON)
    takes_back(plant, bench.identity.journal, "S03", feed=neighbour)
    assert not journal.ingest(piece(neighbour), at=NOON).is_revoked
    assert not is_taken_back(journal.connection, bench.identity.journal)
    assert revocation_of(journal.connection, bench.identity.journal) is None
    assert not journal.is_suspect


def test_with_a_neighbour_whose_key_was_taken_back_nobody_talks(plant, bench):
    journal = bench.open()
    thief, other = Writing("S02"), Writing("S04")
    for station in (thief, other):
        plant.enrol(station)
    takes_back(plant, thief.id, "S02")
    assert not journal.ingest(piece(plant.keys), at=NOON).is_revoked
    own = OutgoingJournal(lambda: journal.connection, bench.identity, tuple)
    reading = NeighbourReading(own, "S03", "L2")
    assert reading.keys_of(thief.id) == []
    assert reading.keys_of(other.id) == [other.key.public]
    assert reading.takes(thief.id), "what it wrote is still passed on"


def _published(plant, pem, retires=(), root=None, hub=None):
    name = hub_name(show_journal(hub or plant.hub))
    word = vouched(root or plant.root, pem, retires, name)
    body = t.AuthorityPublished(pem, name, b64(word.signature), word.retires)
    plant.keys.add(body, by="system")


def test_another_ca_is_trusted_by_the_plants_word_and_no_other(plant, bench):
    journal = bench.open()
    pinned = bench.trust.ca_pem
    good, forged, foreign = (f"-----BEGIN-----\n{n}\n-----END-----\n" for n in "123")
    _published(plant, good)
    _published(plant, forged, root=secret("thief"))
    _published(plant, foreign, hub=plant.keys.id)
    journal.ingest(piece(plant.keys), at=NOON)
    assert authorities(journal.connection, bench.trust) == pinned + good
    before = plant.keys.seq
    _published(plant, forged, retires=[name_of(pinned), name_of(good)])
    journal.ingest(piece(plant.keys, first=before + 1), at=NOON)
    assert authorities(journal.connection, bench.trust) == forged


def test_without_any_ca_left_the_pinned_one_stays(plant, bench):
    journal = bench.open()
    only = "-----BEGIN-----\n1\n-----END-----\n"
    _published(plant, only, retires=[name_of(bench.trust.ca_pem), name_of(only)])
    journal.ingest(piece(plant.keys), at=NOON)
    assert authorities(journal.connection, bench.trust) == bench.trust.ca_pem
