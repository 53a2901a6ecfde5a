"""Where neighbours may be found: what strangers say displaces nothing that is known."""

from edge_agent.sync.peers.addresses import HINTS_MAX, HINTS_PER_JOURNAL, AddressBook
from tally.records.ids import JournalId
from tests.support.own_journal import seeded

NEIGHBOUR = JournalId(seeded("neighbour", 16))


def addresses(book):
    return [place.address for place in book.places({NEIGHBOUR})]


def test_what_a_proven_neighbour_said_of_its_door_stays_before_all_hints():
    book = AddressBook(["settings:1"], [(NEIGHBOUR, "hub:2")])
    book.visited(NEIGHBOUR, "itself:3")
    for number in range(100):
        book.hinted(NEIGHBOUR, f"liar:{number}")
    assert addresses(book)[:3] == ["settings:1", "hub:2", "itself:3"]
    assert len(addresses(book)) == 3 + HINTS_PER_JOURNAL


def test_hints_of_strangers_go_before_those_of_neighbours():
    book = AddressBook([])
    assert addresses(book) == []  # from here on it is known who is wanted
    book.hinted(NEIGHBOUR, "true:1")
    for number in range(3 * HINTS_MAX):
        book.hinted(JournalId(seeded(f"stranger {number}", 16)), "liar:1")
    assert addresses(book) == ["true:1"]
    assert len(book._hints) == HINTS_MAX
