"""Which keys speak for the hub: that of the enrolment, and those that the plant root vouched for.

The hub may change its receipt key while a station is away; its challenge brings the root's word for
the new one, so that the station can sign in and pull feed `keys`, which says the rest. A receipt
counts only under a key that the journal knows. Pure; what is known is read from the journal.
"""

from __future__ import annotations

import base64
import binascii

from edge_agent.sync.port import Identity, JournalView
from tally.records.signing import KEY, RECEIPTS, PublicKey, Receipt, key_message


def receipt_keys(identity: Identity, view: JournalView) -> tuple[PublicKey, ...]:
    """The keys whose receipts count, as far as the journal knows."""
    over = view.retired_keys()
    known = (identity.receipt_key, *view.later_receipt_keys())
    return tuple(key for key in known if key not in over)


def is_of_hub(identity: Identity, view: JournalView, receipt: Receipt) -> bool:
    """Whether a receipt is signed by a key that counts."""
    return any(receipt.is_signed_by(key) for key in receipt_keys(identity, view))


def speaks_for_hub(identity: Identity, view: JournalView, key: PublicKey, vouched: str) -> bool:
    """Whether a session may be signed for this key.

    Args:
        identity: whom we are and whom we trust.
        view: the journal.
        key: as the challenge shows it.
        vouched: base64 of the root's signature over it, or empty.
    """
    if key in receipt_keys(identity, view):
        return True
    if key in view.retired_keys():
        return False
    try:
        signature = base64.b64decode(vouched, validate=True)
    except (binascii.Error, ValueError):
        return False
    message = key_message(identity.hub, key, purpose=RECEIPTS, name=RECEIPTS)
    return identity.root.verifies(KEY, message, signature)
