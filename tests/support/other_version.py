"""Runs `tally` as a program of another version of the protocol: `python -m ... MIN MAX WORDS...`.

It speaks MIN to MAX, and every message that it writes has fields that this version has never heard
of. What it does with the messages is this version's.
"""

import sys

from tally.wire import protocol, reading

LATER = b'{"later":{"deep":[1,{"x":null}],"wide":"' + b"x" * 300 + b'"},'


def main(least, most, *words):
    """Change the version before anything imports it by name."""
    protocol.PROTOCOL_MIN, protocol.PROTOCOL_MAX = int(least), int(most)
    plain = reading.write_message
    reading.write_message = lambda message: LATER + plain(message)[1:]
    from tally.cli import main as tally

    tally(list(words))


if __name__ == "__main__":
    main(*sys.argv[1:])
