"""Which CAs a station trusts: what the plant root key said, in whatever order it was heard."""

import itertools

import pytest

from tally.records.authority import Authority, name_of, trusted, vouched
from tally.records.signing import CA, SigningKey

ROOT, HUB = SigningKey(b"\x01" * 32), "hub.tally.internal"
FIRST, SECOND, THIRD = (f"-----BEGIN-----\n{number}\n-----END-----\n" for number in "123")


def test_the_pinned_ca_is_trusted_until_the_root_says_that_it_is_not():
    kept = vouched(ROOT, SECOND, (), HUB)
    lost = vouched(ROOT, THIRD, [name_of(FIRST), name_of(SECOND)], HUB)
    assert trusted(FIRST, ()) == (FIRST,)
    assert set(trusted(FIRST, [kept])) == {FIRST, SECOND}
    for order in itertools.permutations([kept, lost]):
        assert trusted(FIRST, order) == (THIRD,)


def test_a_ca_is_the_same_whatever_the_white_space_in_its_text():
    assert name_of(FIRST) == name_of(FIRST.replace("\n", "\r\n").strip())


@pytest.mark.parametrize("what", ["pem", "retires", "hub", "key", "domain"])
def test_the_word_is_for_exactly_this_ca_hub_and_what_it_retires(what):
    word = vouched(ROOT, SECOND, [name_of(FIRST)], HUB)
    assert word.is_rooted(ROOT.public, HUB)
    pem = THIRD if what == "pem" else word.pem
    retires = () if what == "retires" else word.retires
    signature = ROOT.sign(CA[:-1] + b"!", b"") if what == "domain" else word.signature
    root = SigningKey(b"\x02" * 32).public if what == "key" else ROOT.public
    hub = "other.tally.internal" if what == "hub" else HUB
    assert not Authority(pem, retires, signature).is_rooted(root, hub)


def test_the_signature_of_version_1_never_changes():
    word = vouched(ROOT, SECOND, [name_of(FIRST)], HUB)
    assert word.signature.hex()[:32] == "694a923a893dbb23504efbb72a0f262f"
