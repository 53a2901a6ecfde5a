"""Who is behind a neighbour's door: what a certificate proves, and what it does not."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from edge_agent.sync.peers.certificate import (
    BINDING,
    StrangeCertificateError,
    judge,
    make_certificate,
)
from tally.records.ids import JournalId, show_journal
from tally.wire.protocol import hub_name
from tests.support.stations import secret

KEY, OTHER = secret("S02"), secret("S03")
JOURNAL = JournalId(b"\2" * 16)


def known(journal):
    return [KEY.public] if journal == JOURNAL else []


def test_a_certificate_proves_journal_and_run():
    shown = judge(make_certificate(KEY, JOURNAL, "00ff").der, known)
    assert (shown.journal, shown.key, shown.run) == (JOURNAL, KEY.public, "00ff")


def test_a_certificate_under_a_key_that_is_not_believed_is_of_nobody():
    with pytest.raises(StrangeCertificateError, match="no key that this plant gave"):
        judge(make_certificate(OTHER, JOURNAL, "00ff").der, known)


def test_a_certificate_of_a_journal_that_is_not_known_is_of_nobody():
    with pytest.raises(StrangeCertificateError, match="no key"):
        judge(make_certificate(KEY, JournalId(b"\3" * 16), "00ff").der, known)


def borrowed(*, names):
    """Another TLS key with the binding of a true certificate: what a liar could make."""
    true = x509.load_der_x509_certificate(make_certificate(KEY, JOURNAL, "00ff").der)
    value = true.extensions.get_extension_for_oid(BINDING).value
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(true.subject)
        .issuer_name(true.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(true.not_valid_before_utc)
        .not_valid_after(true.not_valid_after_utc)
        .add_extension(value, critical=False)
    )
    if names is not None:
        listed = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(listed, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


NAME = hub_name(show_journal(JOURNAL))


@pytest.mark.parametrize(
    "names", [[NAME], None, [], [NAME, NAME], ["x.example"], [NAME.upper()], [f"b{NAME}"]]
)
def test_a_binding_taken_from_another_certificate_proves_nothing(names):
    with pytest.raises(StrangeCertificateError):
        judge(borrowed(names=names), known)


@pytest.mark.parametrize("raw", [b"", b"\x30", b"\0" * 9000, b"-----BEGIN CERTIFICATE-----"])
def test_bytes_that_are_no_certificate_are_told_in_words(raw):
    with pytest.raises(StrangeCertificateError):
        judge(raw, known)


@pytest.mark.filterwarnings("ignore::UserWarning")  # cryptography's, of a serial below nought
def test_no_flipped_bit_of_a_certificate_names_another_journal_or_key():
    true = make_certificate(KEY, JOURNAL, "00ff").der
    for at in range(0, len(true) * 8, 7):
        bent = bytearray(true)
        bent[at // 8] ^= 1 << at % 8
        try:
            shown = judge(bytes(bent), known)
        except StrangeCertificateError:
            continue
        assert (shown.journal, shown.key, shown.run) == (JOURNAL, KEY.public, "00ff")
