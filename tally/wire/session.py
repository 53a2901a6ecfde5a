"""What a station signs to open a session at the hub or at a neighbour (`decided.md` 13).

The signed bytes name the verifier, the role, the hub's epoch, its nonce and the run of the program,
each with its length, so that an answer given to one hub, in one role, for one run can be used
nowhere else. The domain is `tally.records.signing.SESSION`.
"""

from __future__ import annotations

from typing import Final

from tally.records.ids import JournalId, show_journal
from tally.records.signing import SESSION, PublicKey, SigningKey

STATION: Final = "station"


def _part(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def session_message(
    verifier: PublicKey, role: str, epoch: int, nonce: bytes, run: str, journal: JournalId
) -> bytes:
    """The bytes under the signature, without their domain."""
    return b"".join(
        (
            _part(verifier.raw),
            _part(role.encode()),
            epoch.to_bytes(8, "big"),
            _part(nonce),
            _part(run.encode()),
            _part(journal),
        )
    )


def sign_session(
    key: SigningKey, verifier: PublicKey, epoch: int, nonce: bytes, run: str, journal: JournalId
) -> bytes:
    """A station's answer to a challenge.

    `verifier` is the key pinned at enrolment, not the one just told.
    """
    return key.sign(SESSION, session_message(verifier, STATION, epoch, nonce, run, journal))


def sign_peer_session(
    key: SigningKey,
    verifier: PublicKey,
    verifier_journal: JournalId,
    nonce: bytes,
    run: str,
    journal: JournalId,
) -> bytes:
    """A station's answer to a neighbour's challenge, bound to both journals.

    `verifier` and `verifier_journal` are those that the certificate was judged by.
    """
    return key.sign(
        SESSION, session_message(verifier, peer_role(verifier_journal), 0, nonce, run, journal)
    )


def peer_role(verifier_journal: JournalId) -> str:
    """The role of a station that calls at this neighbour."""
    return f"peer of {show_journal(verifier_journal)}"
