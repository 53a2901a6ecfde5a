"""Mirror files: one journal on a second medium, appended to as it grows.

A first line that says whose it is; then one part behind the other, each a line as a bundle's
manifest lists it, and the bytes of the segment or piece. So whoever takes a bundle takes a mirror
file too (`as_bundle`). The list is not signed: each part is judged by the key of its journal.

A file that was cut off, or damaged in the middle, gives every part that is whole. Only spelling
lives here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Final, Protocol

import msgspec

from tally.records.bundle import PARTS_MAX, Bundle, PartFields, Source, fields_of
from tally.records.export import RowError, b64, unb64
from tally.records.ids import JournalId, MalformedIdError, parse_journal, show_journal
from tally.records.signing import PublicKey

TAG: Final = "mirror/1"
START: Final = b'{"tally":"mirror/'
"""How the file of every version begins."""
SUFFIX: Final = ".tlym"
FILE_BYTES_MAX: Final = 64 * 1024 * 1024
"""Where the writer begins another file; one more part may stand beyond it."""
FILE_PARTS_MAX: Final = PARTS_MAX - 1
_LINE_BYTES_MAX: Final = 4096
_WASTED_MAX: Final = 4 * FILE_BYTES_MAX
_PART_START: Final = b'{"journal":"'


class MirrorError(ValueError):
    """The beginning of the file cannot be used; the message says why."""


class _Beginning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tally: str
    root: Annotated[str, msgspec.Meta(max_length=200)]
    journal: Annotated[str, msgspec.Meta(max_length=200)]
    name: Annotated[str, msgspec.Meta(max_length=200)]
    key: Annotated[str, msgspec.Meta(max_length=200)]


class Seekable(Source, Protocol):
    """A file that can be read again from a place."""

    def seek(self, offset: int, /) -> int:
        """Go to a place."""
        ...

    def tell(self) -> int:
        """Where it stands."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """A whole part: how it is listed, its bytes, and where it ends in the file."""

    fields: PartFields
    data: bytes
    end: int


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose journal a file holds, under which plant root key."""

    root: PublicKey
    journal: JournalId
    name: str
    key: PublicKey


def beginning(owner: Owner) -> bytes:
    """The first line."""
    root, key = b64(owner.root.raw), b64(owner.key.raw)
    fields = _Beginning(TAG, root, show_journal(owner.journal), owner.name, key)
    return msgspec.json.encode(fields) + b"\n"


def framed(data: bytes) -> bytes:
    """A part as it is appended."""
    return msgspec.json.encode(fields_of(data)) + b"\n" + data + b"\n"


def read_beginning(file: Source) -> Owner:
    """Read the first line; the file then stands at its first part.

    Raises:
        MirrorError: it is no mirror file, or of a newer version, or damaged there.
    """
    raw = file.readline(_LINE_BYTES_MAX)
    if not raw.startswith(START) or not raw.endswith(b"\n"):
        raise MirrorError("This is no mirror file: it does not begin with a journal's name.")
    try:
        found = msgspec.json.decode(raw, type=_Beginning)
        if found.tally != TAG:
            raise MirrorError(f"Expected a mirror file of {TAG!r}, found {found.tally[:40]!r}.")
        root, key = PublicKey(unb64(found.root, 32)), PublicKey(unb64(found.key, 32))
        return Owner(root, parse_journal(found.journal), found.name, key)
    except (msgspec.DecodeError, UnicodeDecodeError, RowError, MalformedIdError) as error:
        raise MirrorError(f"The first line of the mirror file was changed: {error}.") from error


def parts(file: Seekable) -> Iterator[Kept]:
    """Every whole part from where the file stands; what is not whole is passed over.

    A file that lies about its parts again and again is read no further (`_WASTED_MAX`).
    """
    at, wasted = file.tell(), 0
    while wasted <= _WASTED_MAX:
        file.seek(at)
        raw = file.readline(_LINE_BYTES_MAX)
        if not raw:
            return
        fields = _listed(raw)
        data = file.read(fields.size + 1) if fields else b""
        if fields and _is_whole(fields, data):
            at += len(raw) + len(data)
            yield Kept(fields, data[:-1], at)
        else:
            wasted += len(data)
            at += _step(raw)


def _step(raw: bytes) -> int:
    """How far the next part may begin: after damage, anywhere."""
    near = raw.find(_PART_START, 1)
    if near > 0:
        return near
    is_line = raw.endswith(b"\n")
    return len(raw) if is_line else max(1, len(raw) - len(_PART_START) + 1)


def as_bundle(file: Seekable) -> tuple[Bundle, Source]:
    """A mirror file as a bundle, and its parts one after the other for `bundle.parts_in`.

    Raises:
        MirrorError: as `read_beginning`.
    """
    owner = read_beginning(file)
    found = [(kept.fields, kept.end - 1 - kept.fields.size) for kept in parts(file)][:PARTS_MAX]
    fields = tuple(one for one, _ in found)
    bundle = Bundle(owner.root, owner.journal, owner.name, owner.key, "mirror", fields)
    return bundle, _Parts(file, [start for _, start in found])


class _Parts:
    """Each read gives the next part."""

    def __init__(self, file: Seekable, starts: list[int]) -> None:
        self._file = file
        self._starts = iter(starts)

    def read(self, size: int, /) -> bytes:
        self._file.seek(next(self._starts))
        return self._file.read(size)

    def readline(self, size: int, /) -> bytes:
        return b""


def _is_whole(fields: PartFields, data: bytes) -> bool:
    is_all = len(data) == fields.size + 1 and data.endswith(b"\n")
    return is_all and sha256(data[:-1]).hexdigest() == fields.sha256


def _listed(raw: bytes) -> PartFields | None:
    if not raw.startswith(_PART_START) or not raw.endswith(b"\n"):
        return None
    try:
        return msgspec.json.decode(raw, type=PartFields)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
