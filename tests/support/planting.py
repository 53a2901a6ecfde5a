"""A bug of ours in the ledger: it raises over some events, wherever a ledger is kept or made."""

from tally.events.decoding import Unread
from tally.ledger.sqlite import absorbing

POISON = "RAISES"


def plant(monkeypatch, word=POISON, says=POISON):
    """From now on every ledger divides by zero over an event whose body names this word."""
    group = absorbing.group

    def broken(events, *rest):
        for event in events:
            if not isinstance(event, Unread) and word in repr(event.b):
                raise ZeroDivisionError(says)
        return group(events, *rest)

    monkeypatch.setattr(absorbing, "group", broken)
