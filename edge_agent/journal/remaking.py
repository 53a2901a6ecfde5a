"""Makes the file of a journal anew from what can be read of a damaged one, and from copies.

1. Never in place: a new file is built beside the old one, looked at, and only then given its name;
   the old one is kept under another. A power cut at any moment leaves one of the two (`finish`).
2. It goes on as the same journal only when every own event is there and hashes to the signed head,
   or is damaged where the hub or a neighbour holds it (0121). Else nothing is changed.
3. A code is never given out twice: cursors only grow (`recounting`), and where neither they nor the
   events can be read, what is left of the blocks is skipped.
4. Not while the disk refuses to read or write: then nobody knows what is on it.

What is taken from where: own lines from the table, the ledger's copies, the mirror; others' lines
from the table and the ledger, else the hub sends them again. The ledger is rebuilt.
"""

import json
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from edge_agent.journal.auditing import Copies
from edge_agent.journal.faults import (
    CannotBeRemade,
    JournalCorrupt,
    JournalFault,
    StorageReason,
    fault_of,
)
from edge_agent.journal.identity import Identity, Trust
from edge_agent.journal.left import own_id
from edge_agent.journal.mending import AUDITED, damaged_in, remember_damage
from edge_agent.journal.mending import KEY as DAMAGED
from edge_agent.journal.readable import Readable
from edge_agent.journal.receipts import read_receipt
from edge_agent.journal.recounting import TABLES as BLOCK_TABLES
from edge_agent.journal.recounting import recount, skip_all
from edge_agent.journal.refilling import Others, refill_others
from edge_agent.journal.regained import (
    UNKNOWN,
    Candidate,
    Candidates,
    from_chunks,
    from_pieces,
    put_in_place,
    regain,
)
from edge_agent.journal.standing import read_witnesses
from edge_agent.journal.store import (
    DATABASE_NAME,
    PAGE_SIZE,
    SCHEMA_VERSION,
    Reached,
    migrate,
)
from edge_agent.journal.tail import audit
from tally.ledger.sqlite import SqliteLedger
from tally.records.ids import EventId, JournalId
from tally.records.signing import Head

BUILDING: Final = f"{DATABASE_NAME}.remaking"
DECIDED: Final = f"{DATABASE_NAME}.remade"
KEY: Final = "remade"
NAMED_MAX: Final = 5
LOST_MAX: Final = 200_000
"""More own events than these are not remade but enrolled anew."""
_TABLES: Final = (
    "event", "position", "seal", "pruned", "branch", "foreign_event", "proof", "receipt",
    "known_key", "meta", *BLOCK_TABLES,
)  # fmt: skip
_SCHEMAS: Final = {4, 5, SCHEMA_VERSION}
"""Files of these versions have the same tables, but for `evicted`."""
_HAS_EVICTED: Final = 6
_LEDGER: Final = ("l_journal", "l_branch", "l_chunk")


@dataclass(slots=True)
class Found:
    """What came of it, for people. `kept`: the old file's new name."""

    kept: str
    at: str
    regained: int = 0
    asked_back: tuple[int, ...] = ()
    codes_skipped: int = 0
    is_state_lost: bool = False
    is_suspect: bool = False
    others: tuple[str, ...] = field(default=())
    """Journals of others that end earlier now; the hub or neighbours send the rest again."""


def remake(
    directory: Path,
    identity: Identity,
    trust: Trust,
    *,
    copies: Copies,
    at: datetime,
    reached: Reached,
) -> None:
    """Build the new file and let it take the old one's place; the writer's lock is held.

    Args:
        directory: the station's.
        identity, trust: of the journal in the file.
        copies: near at hand.
        at: the wall clock.
        reached: told the points of the way.

    Raises:
        JournalCorrupt: not everything that matters is there; nothing was changed.
        JournalFault: the disk has no room, or refuses; nothing was changed.
    """
    _demand_room(directory)
    building = directory / BUILDING
    _remove(building)
    kept = f"journal.damaged-{at:%Y%m%d-%H%M%S}.db"
    try:
        with closing(Readable(directory / DATABASE_NAME)) as old:
            found = Found(kept, f"{at:%Y-%m-%d}", is_suspect=_is_cut_short(directory))
            _build(building, old, identity, trust, copies, found)
        _flush(building)
        reached("remake_built")
        building.replace(directory / DECIDED)
        _flush(directory)
    except sqlite3.Error as error:
        raise fault_of(error) from error
    except OSError as error:
        raise _refused(directory, error) from error
    finally:
        with suppress(OSError):
            _remove(building)
    reached("remake_decided")
    finish(directory, reached)


def finish(directory: Path, reached: Reached) -> bool:
    """Let a new file that was decided on take the old one's place; whether there was one.

    The writer's lock is held.

    Raises:
        JournalFault: the folder cannot be written.
    """
    decided = directory / DECIDED
    if not decided.exists():
        return False
    database = directory / DATABASE_NAME
    kept = directory / read_found(decided).kept
    try:
        if database.exists():
            database.rename(kept)
        reached("remake_old_kept")
        log = directory / f"{DATABASE_NAME}-wal"
        if log.exists():  # or the new file would be taken for the one that it belongs to
            log.rename(directory / f"{kept.name}-wal")
        (directory / f"{DATABASE_NAME}-shm").unlink(missing_ok=True)
        _flush(directory)
        reached("remake_log_kept")
        decided.rename(database)
        _flush(directory)
    except OSError as error:
        raise _refused(directory, error) from error
    reached("remake_done")
    return True


def read_found(path: Path) -> Found:
    """What the last remake of a file found; `kept` is a usual name where it says nothing."""
    name = f"{path.absolute().as_uri()}?mode=ro"
    with suppress(sqlite3.Error), closing(sqlite3.connect(name, uri=True)) as new:
        found = found_in(new)
        if found is not None:
            return found
    return Found("journal.damaged.db", "")


def found_in(connection: sqlite3.Connection) -> Found | None:
    """What the last remake found; None: the file never was remade."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (KEY,)).fetchone()
    if row is None:
        return None
    told = json.loads(row[0])
    lists = {name: tuple(told[name]) for name in ("asked_back", "others")}
    return Found(**(told | lists))


def remade_words(found: Found) -> tuple[str, str]:
    """What was done and what is still to be done, in English and Chinese."""
    en, zh = [], []
    if found.regained:
        en.append(f"{found.regained} events came back from copies.")
        zh.append(f"{found.regained} 条记录已从副本恢复。")
    if found.asked_back:
        en.append(f"{len(found.asked_back)} are asked back from the hub or a neighbour.")
        zh.append(f"{len(found.asked_back)} 条将向中心或相邻工位取回。")
    if found.others:
        names = ", ".join(found.others[:NAMED_MAX])
        en.append(f"Of {names} the newest events are asked for again.")
        zh.append(f"将重新获取 {names} 的最新记录。")
    if found.codes_skipped:
        en.append(f"{found.codes_skipped} codes are not used any more: it is not known which were.")
        zh.append(f"{found.codes_skipped} 个编码不再使用:无法确定哪些已被使用。")
    if found.is_state_lost:
        en.append("What was in hand is not known: scan the unit again.")
        zh.append("进行中的工作未知:请重新扫描产品。")
    if found.is_suspect:
        en.append("No code is given out until the station was enrolled anew in its folder.")
        zh.append("在原文件夹重新注册之前不发放编码。")
    return (
        (
            "A page of the journal could not be read: its file was made anew. "
            + "".join(f"{one} " for one in en)
            + f"The damaged file is kept as {found.kept}. Have the disk replaced."
        ),
        (
            "日志有一页无法读取,文件已重建。"
            + "".join(zh)
            + f"损坏的文件保留为 {found.kept}。请更换磁盘。"
        ),
    )


def _build(
    path: Path, old: Readable, identity: Identity, trust: Trust, copies: Copies, found: Found
) -> None:
    if old.version not in _SCHEMAS:
        raise _lost(0, f"schema {SCHEMA_VERSION}", f"schema {old.version} and a damaged page")
    if old.version >= _HAS_EVICTED and any(old.rows("evicted")):
        # Of those only the ledger has the lines, by its own numbers of branches.
        lacking = "a damaged page, and others' events deleted here"
        raise CannotBeRemade(0, expected="others' events in full", found=lacking)
    if "evicted" in old.damaged:
        raise _lost(0, "what was deleted of others' events", "a damaged page of it")
    with closing(sqlite3.connect(path, isolation_level=None)) as new:
        new.executescript(
            f"PRAGMA page_size={PAGE_SIZE}; PRAGMA auto_vacuum=INCREMENTAL; "
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
        )
        migrate(new)
        SqliteLedger(new).create()
        new.execute("BEGIN")
        for table in _TABLES:
            _copy(new, old, table)
        chunks = _Chunks(old)
        _own_events(new, old, identity, chunks, copies, found)
        others = refill_others(new, chunks.of, trust, identity.journal, old.damaged)
        found.others = others.shortened
        _small_tables(new, old, others, found)
        if new.execute("SELECT 1 FROM pruned LIMIT 1").fetchone():
            _keep_ledgers_copies(new, old)
        new.execute("DELETE FROM meta WHERE key IN ('ruleset', ?)", (AUDITED,))
        told = {name: getattr(found, name) for name in Found.__slots__}
        new.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (KEY, json.dumps(told)))
        new.execute("COMMIT")
        damage = [str(row[0]) for row in new.execute("PRAGMA quick_check").fetchall()]
        if damage != ["ok"]:
            raise _lost(0, "a new file in order", damage[0])


def _copy(new: sqlite3.Connection, old: Readable, table: str) -> None:
    """Every row that can be read; one that its table would never take is damage as well."""
    columns = new.execute("SELECT name, type, pk FROM pragma_table_info(?)", (table,)).fetchall()
    is_rowid = any(kind == "INTEGER" and pk == 1 for _, kind, pk in columns)
    names = ", ".join(name for name, *_ in columns)
    names = names if is_rowid else f"rowid, {names}"
    marks = ", ".join("?" * (len(columns) + (not is_rowid)))
    sql = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608  (own names)
    for row in old.rows(table):
        try:
            new.execute(sql, row[1:] if is_rowid else row)
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError, UnicodeError):
            old.damaged.add(table)


class _Chunks:
    """The ledger's working copies in the old file, by journal."""

    def __init__(self, old: Readable) -> None:
        self._old = old
        self._numbers = {bytes(row[2]): row[1] for row in old.rows("l_journal")}
        self._branches = [row[1:] for row in old.rows("l_branch")]

    def of(self, journal: JournalId, seqs: set[int]) -> Candidates:
        """Candidates for these events of a journal."""
        number = self._numbers.get(journal)
        own = {row[0] for row in self._branches if number is not None and row[1] == number}
        rows = ((row[1], row[2], row[3]) for row in self._old.rows("l_chunk"))
        return from_chunks(rows, own, seqs) if own and seqs else {}

    def tip(self, journal: JournalId) -> tuple[int, EventId] | None:
        """Where the ledger saw a journal end."""
        number = self._numbers.get(journal)
        tips = [(row[5], EventId(row[6])) for row in self._branches if row[1] == number]
        return max(tips, default=None)


def _own_events(
    new: sqlite3.Connection,
    old: Readable,
    identity: Identity,
    chunks: _Chunks,
    copies: Copies,
    found: Found,
) -> None:
    """Complete the chain to its head, and see that what is missing is held elsewhere."""
    if "pruned" in old.damaged:
        raise _lost(0, "the ids of pruned events", "a page of them that cannot be read")
    tip, tip_id = _head(new, old, identity, chunks, found)
    if new.execute("SELECT 1 FROM event WHERE seq > ?", (tip,)).fetchone():
        raise _lost(tip + 1, f"the head at event {tip}", "events behind it")
    missing = _missing(new, tip)
    if len(missing) > LOST_MAX:
        raise _lost(min(missing), f"at most {LOST_MAX} events to regain", f"{len(missing)}")
    for seq in missing:
        put_in_place(new, seq, Candidate(UNKNOWN, b""))
    put_in_place(new, tip, Candidate(tip_id, _line(new, tip)))  # signed, whatever stood there
    _regain(new, identity, missing, chunks, copies, found)
    damage = audit(new, identity, tip)
    _regain(new, identity, set(damage.lines), chunks, copies, found)
    new.execute("DELETE FROM meta WHERE key = ?", (DAMAGED,))
    remember_damage(new, audit(new, identity, tip))
    found.asked_back = damaged_in(new)
    receipt = read_receipt(new, identity.journal)
    durable = receipt.durable_through if receipt else 0
    witnesses = tuple(read_witnesses(new))
    for seq in found.asked_back:
        # Without its id, or the one before it, nobody could say that it is lost (0150).
        is_elsewhere = seq <= durable or any(one.holds(seq) for one in witnesses)
        if not is_elsewhere and UNKNOWN in (own_id(new, seq), own_id(new, seq - 1)):
            raise _lost(seq, "the event or its id, here or in a copy at hand", "a lost page")


def _regain(
    new: sqlite3.Connection,
    identity: Identity,
    seqs: set[int],
    chunks: _Chunks,
    copies: Copies,
    found: Found,
) -> None:
    """From the ledger first, then from what is near at hand."""
    if not seqs:
        return
    found.regained += regain(new, identity.journal, seqs, chunks.of(identity.journal, seqs))
    left = {seq for seq in seqs if _line(new, seq) == b""}
    candidates: dict[int, list[Candidate]] = {}
    for seq, one in from_pieces(copies(sorted(left)) if left else (), identity.journal, left):
        candidates.setdefault(seq, []).append(one)
    found.regained += regain(new, identity.journal, left, candidates)


def _line(new: sqlite3.Connection, seq: int) -> bytes:
    (line,) = new.execute("SELECT line FROM event WHERE seq = ?", (seq,)).fetchone()
    return bytes(line)


def _missing(new: sqlite3.Connection, tip: int) -> set[int]:
    (done,) = new.execute("SELECT coalesce(max(last), 0) FROM pruned").fetchone()
    expected = {1, *range(done + 1, tip + 1)}
    return expected.difference(row[0] for row in new.execute("SELECT seq FROM event"))


def _head(
    new: sqlite3.Connection, old: Readable, identity: Identity, chunks: _Chunks, found: Found
) -> tuple[int, EventId]:
    """Where the journal ends: as it was signed, else as the ledger saw it in the same commit."""
    row = new.execute("SELECT seq, id, signature FROM position").fetchone()
    if row is not None:
        head = Head(identity.journal, row[0], EventId(row[1]), row[2])
        if head.is_signed_by(identity.key.public):
            return head.seq, head.event_id
    new.execute("DELETE FROM position")
    tip = chunks.tip(identity.journal)
    if tip is None or "l_branch" in old.damaged:
        raise _lost(0, "where the journal ends", "a page that is lost, and no copy of it")
    found.is_state_lost = True
    return tip


def _small_tables(new: sqlite3.Connection, old: Readable, others: Others, found: Found) -> None:
    """Cursors of blocks, and what only stood in a page that is lost."""
    if old.damaged.intersection(BLOCK_TABLES):
        recount(new, (row[0] for row in new.execute("SELECT line FROM event ORDER BY seq")))
        has_pruned = new.execute("SELECT 1 FROM pruned LIMIT 1").fetchone() is not None
        if found.asked_back or ("block_given" in old.damaged and has_pruned):
            if others.is_short_of("leases") or "block" in old.damaged:
                raise _lost(0, "how far the codes are used", "pages that are lost, and no copy")
            found.codes_skipped = skip_all(new)
    if "meta" in old.damaged:  # whether it was suspect stood there
        found.is_suspect = True
    if found.is_suspect:
        words = "The file of this journal was cut short, or lost what it remembered of the journal."
        new.execute("INSERT OR IGNORE INTO meta VALUES ('suspect', ?)", (words,))


def _keep_ledgers_copies(new: sqlite3.Connection, old: Readable) -> None:
    """Of pruned events the ledger has the only lines: the rebuild takes them from its tables."""
    for table in _LEDGER:
        _copy(new, old, table)
    if old.damaged.intersection(("l_journal", "l_branch")):
        for table in _LEDGER:
            new.execute(f"DELETE FROM {table}")  # noqa: S608  (names of this module)


def _is_cut_short(directory: Path) -> bool:
    """Whether the file is shorter than it says: then commits may be gone that nothing tells of.

    The size in pages stands at byte 28 (SQLite's file format, 1.3.7). While there is a log, that
    holds what a checkpoint had not written yet.
    """
    path, log = directory / DATABASE_NAME, directory / f"{DATABASE_NAME}-wal"
    if log.exists() and log.stat().st_size:
        return False
    with path.open("rb") as file:
        header = file.read(32)
    return int.from_bytes(header[28:32]) * PAGE_SIZE > path.stat().st_size


def _lost(seq: int, expected: str, found: str) -> JournalCorrupt:
    return JournalCorrupt(seq, expected=expected, found=found)


def _demand_room(directory: Path) -> None:
    sizes = (directory / DATABASE_NAME, directory / f"{DATABASE_NAME}-wal")
    needed = sum(path.stat().st_size for path in sizes if path.exists())
    free = shutil.disk_usage(directory).free
    least, mib = needed * 5 // 4, 2**20
    if free < least:
        raise JournalFault(
            "J-207",
            StorageReason.FULL,
            is_retryable=False,
            words=f"A page of the journal is damaged. A new file needs {least // mib + 1} MiB "
            f"beside it, {free // mib} MiB are free in {directory}. Nothing was changed: make "
            "space, then start the station again.",
            words_zh=f"日志有一页损坏。重建文件需要 {least // mib + 1} MiB,"
            f"{directory} 仅剩 {free // mib} MiB。未更改任何内容:请清理空间后重新启动。",
        )


def _refused(directory: Path, error: OSError) -> JournalFault:
    cause = error.strerror or str(error)
    return JournalFault(
        "J-207",
        StorageReason.WRITE,
        is_retryable=False,
        words=f"The damaged journal in {directory} could not be made anew: {cause}. What was there "
        "is still there. Have the disk looked at, then start the station again.",
        words_zh=f"{directory} 中损坏的日志无法重建:{cause}。原有内容未变。"
        "请检查磁盘后重新启动工位。",
    )


def _remove(path: Path) -> None:
    for ending in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
