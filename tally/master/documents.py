"""Files of master data: bytes in, entities and all problems out.

The suffix tells the format. TOML and JSON hold lists of tables by kind (`[[product]]`, `[[lot]]`);
a plan or a label template is a file of its own, with `plan = "..."` or `template = "..."` at its
top. A CSV sheet names its kind by its first column: `product` with `line` for BOM lines, `lot`,
`badge`, `order`, ...; a dotted column (`name.en`) is a nested key; rows that begin with `#` are
notes. Nothing is read half: a file's problems come all at once, and a caller uses the entities
only if there are none.
"""

import csv
import io
import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tally.master.content import (
    BY_NAME,
    Entity,
    id_of,
    kind_of,
    read_entity,
    ref_of,
    to_content,
    version_of,
)
from tally.master.reading import KEYS_MAX, FloatText, Problem, Row, Table, near, plain_key, shown
from tally.master.references import Placed, reference_problems

FILE_BYTES_MAX: Final = 4 * 1024 * 1024
ROWS_MAX: Final = 100_000
PROBLEMS_MAX: Final = 10_000
CELL_CHARACTERS_MAX: Final = 4096

# What fits a sheet, by its first column. Routings, schemes, plans, templates nest too deep.
_FIRST_COLUMNS: Final = {
    BY_NAME[name].id_key: name
    for name in ("product", "lot", "person", "order", "site", "line", "station")
}
# Kinds of which each entity may have a file of its own.
_ALONE: Final = ("plan", "template")
_ORDER: Final = {name: at for at, name in enumerate(BY_NAME)}


class _Unreadable(Exception):
    """A file that gives no tables at all; carries its one problem."""

    def __init__(self, expected: str, found: str, hint: str = "", key: str = "file") -> None:
        super().__init__(expected)
        self.parts = (key, expected, found, hint)


@dataclass(frozen=True, slots=True)
class _Document:
    """One table of a file, before it is read."""

    kind: str
    raw: Mapping[str, object]
    key: str
    is_text: bool = False


def load_documents(
    files: Sequence[tuple[str, bytes]], known: Iterable[Entity] = ()
) -> tuple[tuple[Entity, ...], tuple[Problem, ...]]:
    """Read files of master data together.

    Args:
        files: name (its suffix tells the format) and bytes of each, 4 MiB and 100,000 rows at most.
        known: entities that are already published; references may name them, and none of their
            versions may change.

    Returns:
        The entities, each once, by kind (sites first, orders last) and then as they stand in the
        files; and the problems in the order of the files, cross-references last. With any problem
        the entities are for showing, not for using.
    """
    placed: list[Placed] = []
    problems: list[Problem] = []
    unread: set[tuple[str, str]] = set()
    for name, content in files:
        found: list[Problem] = []
        for document in _documents(name, content, found):
            if len(found) >= PROBLEMS_MAX:
                hint = "put these right first"
                found.append(Problem(name, document.key, "fewer problems", "more", hint))
                break
            _read(name, document, placed, found, unread)
        problems += found
    known = tuple(known)
    kept = _without_doubles(placed, known, problems)
    problems += reference_problems(kept, known, unread)
    kept.sort(key=lambda one: _ORDER[kind_of(one.entity)])
    return tuple(one.entity for one in kept), tuple(problems)


def _read(
    name: str,
    document: _Document,
    placed: list[Placed],
    problems: list[Problem],
    unread: set[tuple[str, str]],
) -> None:
    before = len(problems)
    table = Table(
        document.raw,
        file=name,
        key=document.key,
        problems=problems,
        is_text=document.is_text,
    )
    entity = read_entity(document.kind, table)
    if len(problems) == before:
        placed.append(Placed(entity, name, table.key))
        return
    # What refers to this entity should not be called wrong on top of it.
    named = document.raw.get(BY_NAME[document.kind].id_key)
    unread.add((document.kind, str(named).rpartition("@")[0] or str(named)))


def _without_doubles(
    placed: list[Placed], known: tuple[Entity, ...], problems: list[Problem]
) -> list[Placed]:
    """Keep the first of equal entities; differing ones of one id and version are problems."""
    published = {_identity(entity): entity for entity in known}
    first: dict[tuple[str, str, int], Placed] = {}
    for one in placed:
        other = first.setdefault(_identity(one.entity), one)
        words = f"{kind_of(one.entity)} {ref_of(one.entity)}"
        if other.entity != one.entity:
            where = f"{other.file}: {other.key}" if other.key else other.file
            found = f"another one in {where}"
            problems.append(Problem(one.file, one.key or "file", f"{words} once", found))
        before = published.get(_identity(one.entity))
        if before is not None and to_content(before) != to_content(one.entity):
            expected = f"{words} as it is published"
            hint = f"a change is a new version: write version = {version_of(one.entity) + 1}"
            problems.append(Problem(one.file, one.key or "file", expected, "other content", hint))
    return list(first.values())


def _identity(entity: Entity) -> tuple[str, str, int]:
    return kind_of(entity), id_of(entity), version_of(entity)


def _documents(name: str, content: bytes, problems: list[Problem]) -> list[_Document]:
    """Split a file into the tables of its entities."""
    try:
        text = _text_of(content)
        suffix = name.rpartition(".")[2].lower()
        if suffix == "csv":
            return _sheet_documents(text)
        if suffix == "toml":
            return _tree_documents(name, _parse_toml(text), problems)
        if suffix == "json":
            return _tree_documents(name, _parse_json(text), problems)
        raise _Unreadable("a file name that ends in .toml, .csv or .json", shown(name))
    except _Unreadable as unreadable:
        problems.append(Problem(name, *unreadable.parts))
        return []


def _text_of(content: bytes) -> str:
    if len(content) > FILE_BYTES_MAX:
        found = f"{len(content)} bytes"
        raise _Unreadable(f"at most {FILE_BYTES_MAX} bytes", found, "split the file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{content[error.start]:02x} at offset {error.start}"
        raise _Unreadable("UTF-8 text", found, "save it as UTF-8") from error


def _parse_toml(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text, parse_float=FloatText)
    except (ValueError, RecursionError) as error:
        raise _Unreadable("TOML", _cut(error)) from error


def _parse_json(text: str) -> dict[str, object]:
    try:
        tree = json.loads(
            text,
            parse_float=FloatText,
            parse_constant=FloatText,
            object_pairs_hook=_unique_keys,
        )
    except (ValueError, RecursionError) as error:
        raise _Unreadable("JSON", _cut(error)) from error
    if not isinstance(tree, dict):
        raise _Unreadable("a JSON object", type(tree).__name__)
    return tree


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        double = next(name for name, count in counts.items() if count > 1)
        msg = f"the key {shown(double)} twice in one object"
        raise ValueError(msg)
    return table


def _cut(error: Exception) -> str:
    words = str(error) or type(error).__name__
    return words if len(words) <= 160 else f"{words[:157]}..."


def _tree_documents(
    name: str, tree: Mapping[str, object], problems: list[Problem]
) -> list[_Document]:
    for kind in _ALONE:
        if isinstance(tree.get(kind), str):
            return [_Document(kind, tree, "")]
    documents: list[_Document] = []
    for key, value in tree.items():
        if len(problems) >= PROBLEMS_MAX:
            raise _Unreadable("fewer problems", "more", "put these right first")
        if key not in BY_NAME:
            known = ", ".join(BY_NAME)
            found, hint = f"unknown key {shown(key)}", near(key, BY_NAME)
            problems.append(Problem(name, plain_key(key), f"one of {known}", found, hint))
        elif not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            hint = f"write [[{key}]] above each"
            problems.append(Problem(name, key, "a list of tables", type(value).__name__, hint))
        elif len(documents) + len(value) > ROWS_MAX:
            raise _Unreadable(f"at most {ROWS_MAX} tables", "more", "split the file", key)
        else:
            documents += [
                _Document(key, one, f"{key}[{number}]") for number, one in enumerate(value, 1)
            ]
    return documents


def _sheet_documents(text: str) -> list[_Document]:
    rows = _rows(text)
    if not rows:
        raise _Unreadable("a header row", "an empty sheet")
    number, header = rows[0]
    columns = [column.strip() for column in header]
    if len(columns) > KEYS_MAX:
        raise _Unreadable(f"at most {KEYS_MAX} columns", f"{len(columns)}", key=f"row {number}")
    double = next((column for column in columns if columns.count(column) > 1), None)
    if double is not None or "" in columns:
        found = f"{shown(double)} twice" if double else "an empty one"
        raise _Unreadable("each column named once", found, key=f"row {number}")
    kind = "bom" if columns[0] == "product" and "line" in columns else None
    kind = kind or _FIRST_COLUMNS.get(columns[0])
    if kind is None:
        expected = f"a first column that names the entity: {', '.join(_FIRST_COLUMNS)}"
        hint = near(columns[0], _FIRST_COLUMNS)
        raise _Unreadable(expected, shown(columns[0]), hint, f"row {number}")
    tables = [_row_table(columns, cells, at) for at, cells in rows[1:]]
    if kind == "bom":
        tables = _bom_tables(tables)
    return [_Document(kind, table, "", is_text=True) for table in tables]


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Give the rows that say something, with the number that a sheet shows for each."""
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    header = next((line for line in lines if line.strip(" ,;\t")), "")
    delimiter = max(",;\t", key=header.count)  # what spreadsheets write differs by country
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    number = 0
    try:
        for cells in reader:
            number += 1
            if not any(cells) or cells[0].startswith("#"):
                continue
            if len(rows) > ROWS_MAX:
                raise _Unreadable(f"at most {ROWS_MAX} rows", "more", "split the sheet")
            if any(len(cell) > CELL_CHARACTERS_MAX for cell in cells):
                expected = f"cells of at most {CELL_CHARACTERS_MAX} characters"
                raise _Unreadable(expected, "a longer one", key=f"row {number}")
            rows.append((number, cells))
    except csv.Error as error:
        raise _Unreadable("CSV", _cut(error), key=f"row {number + 1}") from error
    return rows


def _row_table(columns: list[str], cells: list[str], number: int) -> Row:
    table: dict[str, object] = {}
    if len(cells) != len(columns):
        found = f"{len(cells)}"
        raise _Unreadable(f"{len(columns)} cells, as in the header", found, key=f"row {number}")
    for column, cell in zip(columns, cells, strict=True):
        outer, _, inner = column.partition(".")
        text = cell.strip()
        if not inner:
            table[outer] = text
        elif text:
            nested = table.setdefault(outer, {})
            if isinstance(nested, dict):
                nested[inner] = text
    return Row(table, number)


def _bom_tables(rows: list[Row]) -> list[Row]:
    """Gather the rows of one parent into one BOM."""
    boms: dict[object, Row] = {}
    for row in rows:
        parent = row.pop("product")
        bom = boms.setdefault(parent, Row({"product": parent, "line": []}, row.number))
        lines = bom["line"]
        if isinstance(lines, list):
            lines.append(row)
    return list(boms.values())
