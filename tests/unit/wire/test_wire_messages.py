"""Messages as they travel: limits, round trips, what a session signature covers."""

from __future__ import annotations

import itertools
import json

import pytest

from tally.records.ids import JournalId, show_journal
from tally.records.signing import RECEIPT, SESSION, Receipt, SigningKey
from tally.wire import messages as m
from tally.wire.protocol import JSON_BYTES_MAX, hub_name, records_path, seals_path
from tally.wire.reading import UnreadableError, read_message, write_message
from tally.wire.session import session_message, sign_session
from tests.support.own_journal import OwnJournal, seeded

HUB = JournalId(seeded("hub", 16))
KEY = SigningKey(seeded("key"))


def test_a_receipt_travels_and_still_verifies():
    view = OwnJournal()
    bare = Receipt(HUB, 1, view.journal, 1, view.ids[0], 1, 0)
    signed = Receipt(HUB, 1, view.journal, 1, view.ids[0], 1, 0, KEY.sign(RECEIPT, bare.message()))
    sent = write_message(m.show_receipt(signed))
    found = m.read_receipt(read_message(sent, m.SignedReceipt))
    assert found == signed
    assert found.is_signed_by(KEY.public)


def test_fields_of_a_newer_version_are_ignored():
    raw = b'{"journal":"' + b"A" * 26 + b'","run":"r","colour":"green"}'
    assert read_message(raw, m.SessionRequest).run == "r"


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (m.SessionRequest, {"journal": "A" * 25, "run": "r"}),
        (m.SessionRequest, {"journal": "a" * 26, "run": "r"}),
        (m.SessionRequest, {"journal": "A" * 26 + "\n", "run": "r"}),
        (m.SessionRequest, {"journal": "A" * 26, "run": ""}),
        (m.SessionRequest, {"journal": "A" * 26, "run": "r" * 65}),
        (m.SessionRequest, {"journal": "A" * 26, "run": "a b"}),
        (m.LeaseRequest, {"request": "r", "scheme": "bl2@1", "count": 0}),
        (m.LeaseRequest, {"request": "r", "scheme": "bl2@1", "count": -1}),
        (m.LeaseRequest, {"request": "r", "scheme": "bl2@1", "count": 1.5}),
        (m.LeaseRequest, {"request": "r", "scheme": "bl2@1", "count": True}),
        (m.LeaseRequest, {"request": "r", "scheme": "bl2@1", "count": 2**53}),
        (m.LeaseRequest, {"request": "r" * 201, "scheme": "bl2@1", "count": 1}),
        (m.SessionGrant, {"bearer": "line\nbreak and more", "seconds": 1}),
        (m.SessionGrant, {"bearer": "é" * 32, "seconds": 1}),
        (m.Tip, {"journal": "A" * 26, "seq": -1, "id": "0" * 64}),
        (m.Tip, {"journal": "A" * 26, "seq": 1, "id": "0" * 63}),
        (m.Hello, {"run": "r", "locator": [{}] * 65}),
        (m.EnrollRequest, {"secret": "s", "genesis": "A" * 65537}),
    ],
)
def test_what_lies_beyond_a_limit_is_unreadable(kind, fields):
    with pytest.raises(UnreadableError, match=kind.__name__):
        read_message(json.dumps(fields).encode(), kind)


def test_size_and_depth_are_judged_before_parsing():
    with pytest.raises(UnreadableError, match=str(JSON_BYTES_MAX)):
        read_message(b" " * (JSON_BYTES_MAX + 1), m.Tip)
    with pytest.raises(UnreadableError, match="nested deeper"):
        read_message(b'{"x":' * 17 + b"1" + b"}" * 17, m.Tip)
    with pytest.raises(UnreadableError, match="nested deeper"):
        read_message(b"[" * JSON_BYTES_MAX, m.Tip)


def test_a_session_signature_covers_every_part_and_no_part_runs_into_another():
    view = OwnJournal()
    choices = [
        (KEY.public, SigningKey(seeded("other")).public),
        ("station", "stationr"),
        (1, 2),
        (bytes(32), bytes(31) + b"1"),
        ("r", "un-1", ""),
        (view.journal, HUB),
    ]
    made = [session_message(*parts) for parts in itertools.product(*choices)]
    assert len(set(made)) == len(made)
    assert session_message(KEY.public, "a", 1, b"bc", "d", HUB) != session_message(
        KEY.public, "ab", 1, b"c", "d", HUB
    )


def test_a_session_is_signed_in_its_own_domain():
    view = OwnJournal()
    signature = sign_session(view.key, KEY.public, 1, bytes(32), "r", view.journal)
    message = session_message(KEY.public, "station", 1, bytes(32), "r", view.journal)
    assert view.key.public.verifies(SESSION, message, signature)
    assert not view.key.public.verifies(b"tally/head/1\0", message, signature)


def test_names_and_paths_follow_from_the_ids():
    name = show_journal(HUB)
    assert hub_name(name) == f"{name.lower()}.tally.internal"
    assert records_path(name) == f"/v1/journals/{name}/records"
    assert seals_path(name) == f"/v1/journals/{name}/seals"
