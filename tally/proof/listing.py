"""Whether the rows of a certificate are exactly those of its signed list, each by its SHA-256.

What was edited, left out, put in, repeated or moved is named; a tail that was cut is what the list
has and the file lacks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256

from tally.proof.placing import Problem


def listing_problems(listed: Sequence[tuple[str, str]], rows: Sequence[bytes]) -> Iterator[Problem]:
    """Where the rows are not exactly those of the list."""
    found = [sha256(row).hexdigest() for row in rows]
    wanted = [digest for _, digest in listed]
    if found == wanted:
        return
    is_there, is_listed = set(found), set(wanted)
    lacking = [at for at, digest in enumerate(wanted) if digest not in is_there]
    strange = [at for at, digest in enumerate(found) if digest not in is_listed]
    what = "was changed" if lacking == strange else "is missing from the file"
    for at in lacking:
        yield _about(listed[at][0], f"{what}; the list has it in row {at + 2}.")
    if lacking != strange:
        for at in strange:
            yield Problem(f"Row {at + 2} is not in the list of contents: put in, or changed.")
    names = dict(zip(wanted, (name for name, _ in listed), strict=True))
    again = Counter(found) - Counter(wanted)
    for digest in again:
        if digest in names:
            yield _about(names[digest], "stands in the file more often than the list has it.")
    if not (lacking or strange or again):
        at = next(i for i, pair in enumerate(zip(found, wanted, strict=True)) if pair[0] != pair[1])
        there = f"was moved: row {at + 2} is the place of {listed[at][0]}."
        yield _about(names[found[at]], there)


def _about(name: str, words: str) -> Problem:
    """A problem of one listed row; an event is named for scripts too."""
    return Problem(f"{_titled(name)} {words}", None if " " in name else name)


def _titled(name: str) -> str:
    return f"The {name}" if " " in name else f"Event {name}"
