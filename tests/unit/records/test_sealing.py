"""Bytes closed for one key: they open for its holder, under their purpose, unchanged, or not."""

import pytest

from tally.records.sealing import GRANT, RECOVERY, SealedError, public_of, seal, unseal

HOLDER = bytes(range(32))
PASSING = bytes(range(32, 64))
CONTEXT = b"journal and part"


def closed(plain=b"a grant", domain=GRANT):
    return seal(domain, plain, public_of(HOLDER), CONTEXT, PASSING)


def test_what_was_closed_opens_for_the_holder():
    assert unseal(GRANT, closed(), HOLDER, CONTEXT) == b"a grant"
    assert unseal(GRANT, closed(b""), HOLDER, CONTEXT) == b""
    assert b"a grant" not in closed()


def test_the_bytes_of_version_1_never_change():
    public = "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f"
    assert public_of(HOLDER).hex() == public
    assert closed().hex() == (
        "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254"
        "0257dcd5d8179ea62105006003d5e3a37939de6007fb24"
    )


@pytest.mark.parametrize("what", ["key", "context", "domain", "cut", "empty"])
def test_with_anything_else_it_does_not_open(what):
    key = bytes(32) if what == "key" else HOLDER
    context = b"another part" if what == "context" else CONTEXT
    domain = RECOVERY if what == "domain" else GRANT
    data = {"cut": closed()[:-1], "empty": b""}.get(what, closed())
    with pytest.raises(SealedError):
        unseal(domain, data, key, context)


def test_no_byte_can_be_changed():
    whole = closed()
    for at in range(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 1
        with pytest.raises(SealedError):
            unseal(GRANT, bytes(changed), HOLDER, CONTEXT)
