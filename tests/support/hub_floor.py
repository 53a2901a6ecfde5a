"""A hub in memory and stations that write to it, for tests of the hub's services."""

import base64
import datetime as dt
import hashlib
import itertools
import json

from hub import trust
from hub.bootstrap import in_memory
from tally.commands.demo_config import demo_documents
from tally.events import types as t
from tally.records.ids import GENESIS, show_journal
from tally.records.merkle import root as merkle_root
from tally.records.segment import Segment, encode, piece_of
from tally.records.signing import SEAL, seal_message, sign_head
from tests.support.building import Writing

ZONE = dt.timezone(dt.timedelta(hours=8))


class Clock:
    """A clock that tests move."""

    def __init__(self):
        self.now = dt.datetime(2026, 11, 20, 14, 30, tzinfo=ZONE)

    def __call__(self):
        return self.now

    def forward(self, **by):
        self.now += dt.timedelta(**by)


def entropy_of(seed):
    """Bytes that are the same in every run."""
    number = itertools.count()

    def entropy(size):
        block = hashlib.sha512(f"{seed}/{next(number)}".encode()).digest()
        assert size <= len(block)
        return block[:size]

    return entropy


def a_hub(clock=None, seed="hub"):
    """A new hub in memory."""
    clock = clock or Clock()
    entropy = entropy_of(seed)
    secrets = trust.new_secrets(plant="NB1", site="NB1", clock=clock, entropy=entropy)
    return in_memory(secrets, clock, entropy)


def demo_files():
    """Master data of the demo plant, as `tally hub import` reads them."""
    return demo_documents()


class Station(Writing):
    """A station's journal that can be shown to a hub."""

    def __init__(self, name, *, salt="", plant="NB1"):
        super().__init__(name + salt, opened=False)
        self.name = name
        self.add(
            t.JournalOpened(
                show_journal(self.id),
                base64.b64encode(self.key.public.raw).decode(),
                plant,
                name,
                "station",
                "new",
            ),
            by="system",
        )

    def fork(self, after):
        other = Station(self.name)
        other.key, other.id = self.key, self.id
        other.lines, other.ids = self.lines[:after], self.ids[:after]
        return other

    def before(self, seq):
        return self.ids[seq - 2] if seq > 1 else GENESIS

    def segment(self, first, last):
        """Events first to last, sealed."""
        ids = self.ids[first - 1 : last]
        root = merkle_root(ids)
        message = seal_message(
            self.id, first, last, before=self.before(first), head=ids[-1], root=root
        )
        seal = self.key.sign(SEAL, message)
        lines = tuple(self.lines[first - 1 : last])
        return Segment(self.id, first, self.before(first), ids[-1], lines, root=root, seal=seal)

    def piece(self, first=1, last=None, key=None):
        """Events first to last under a head, encoded."""
        last = last or self.seq
        head = sign_head(key or self.key, self.id, last, self.ids[last - 1])
        return encode(piece_of(head, self.before(first), tuple(self.lines[first - 1 : last])))

    def sealed(self, first, last):
        """Events first to last under their seal, encoded."""
        return encode(self.segment(first, last))

    def seal_header(self, first, last):
        """The header line alone."""
        return self.sealed(first, last).split(b"\n", 1)[0]

    def signs_in(self, count=1):
        """Some ordinary events."""
        for number in range(count):
            self.add(t.OperatorSignedIn(f"BDG-{number}", "operator"))


def enrolled(hub, name="S03", salt=""):
    """A station that joined the hub with a token of its own."""
    station = Station(name, salt=salt)
    hub.enroll(secret_of(hub.open_token(name, ["127.0.0.1:8441"])), station.piece())
    return station


def secret_of(token):
    """What the token carries besides addresses and pins."""
    padded = token + "=" * (-len(token) % 4)
    return json.loads(base64.urlsafe_b64decode(padded))["secret"]
