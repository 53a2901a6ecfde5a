"""The planted bugs: the list of `docs/design/reliability.md` 4.4, each as exact text for text.

`BUGS` can be planted today; `ELSEWHERE` is caught by another suite, which plants it itself; `OWED`
waits for the step that builds what the bug breaks (`decided.md` 35).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """In the file at `path`, `old` (found exactly once) becomes `new`."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Bug:
    """`says`: what is wrong with the product now, for the table."""

    name: str
    says: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Elsewhere:
    """A bug of which no seed can tell. `test` demands that it is caught."""

    name: str
    says: str
    test: str


@dataclass(frozen=True)
class Owed:
    """A bug in what does not exist yet, and the step that builds it."""

    name: str
    says: str
    step: str


BUGS = (
    Bug(
        "ack before commit",
        "a station says OK and commits with the next event",
        (
            Edit(
                "edge_agent/journal/store.py",
                '            self.connection.execute("BEGIN IMMEDIATE")\n'
                "            yield self.connection\n"
                '            self.reached("before_commit")\n'
                '            self.connection.execute("COMMIT")\n',
                "            if self.connection.in_transaction:\n"
                '                self.connection.execute("COMMIT")\n'
                '            self.connection.execute("BEGIN IMMEDIATE")\n'
                "            yield self.connection\n"
                '            self.reached("before_commit")\n',
            ),
        ),
    ),
    Bug(
        "dedup by code",
        "the ledger takes a second event about the same code for a repetition",
        (
            Edit(
                "tally/ledger/sqlite/absorbing.py",
                "        except sqlite3.IntegrityError:\n"
                '            self._execute("more", [row])\n',
                "        except sqlite3.IntegrityError:\n"
                "            if row[0] <= 2:  # code, unit\n"
                "                return\n"
                '            self._execute("more", [row])\n',
            ),
        ),
    ),
    Bug(
        "UNIQUE on component",
        "the ledger's tables refuse a part that is bound a second time",
        (
            Edit(
                "tally/ledger/sqlite/absorbing.py",
                "        except sqlite3.IntegrityError:\n"
                '            self._execute("more", [row])\n',
                "        except sqlite3.IntegrityError:\n"
                "            if row[0] == 3:  # in\n"
                "                raise\n"
                '            self._execute("more", [row])\n',
            ),
        ),
    ),
    Bug(
        "skip prev check",
        "the hub puts events behind others by their number alone",
        (
            Edit(
                "hub/services/journals.py",
                "        if (branch.tip_seq, branch.tip_id) == (before_seq, segment.before):\n",
                "        if branch.tip_seq == before_seq:\n",
            ),
            Edit(
                "hub/services/journals.py",
                "            if piece and _id_at(segment, piece, before_seq) == segment.before:\n",
                "            if piece:\n",
            ),
        ),
    ),
    Bug(
        "cursor saved in separate txn",
        "the block's cursor moves in a transaction after that of the reservation",
        (
            Edit(
                "edge_agent/journal/writing.py",
                "            for fact in facts:\n"
                "                self.blocks.take(fact.body, fact.seen)\n",
                "",
            ),
            Edit(
                "edge_agent/journal/writing.py",
                "        self._sealer.count(lines)\n        return ids\n",
                "        self._sealer.count(lines)\n"
                "        with self._store.transaction(self.rolled_back):\n"
                "            for fact in facts:\n"
                "                self.blocks.take(fact.body, fact.seen)\n"
                "        return ids\n",
            ),
        ),
    ),
    Bug(
        "retry timer only on new write",
        "after a failure nothing but another happening starts the next try",
        (
            Edit(
                "edge_agent/sync/turn.py",
                "not_before=turn.now + pause,",
                "not_before=turn.now + 1_000_000.0,",
            ),
        ),
    ),
    Bug(
        "LWW by wall clock",
        "of contradicting claims only those of the latest wall clock count",
        (
            Edit(
                "tally/merge/conflicts.py",
                "            return len({claim.value for claim in live}) > 1\n",
                "            last = max((claim.at for claim in live), default='')\n"
                "            return len({claim.value for claim in live if claim.at == last}) > 1\n",
            ),
        ),
    ),
    Bug(
        "unbind retires everything",
        "an unbind ends every bind of the part that has arrived, named or not",
        (
            Edit(
                "tally/ledger/sqlite/absorbing.py",
                "            if type(body) in ENDS and not self._is_matched(",
                "            if isinstance(body, t.ComponentUnbound):\n"
                "                from tally.merge.claims import IN, child_parts\n"
                "                ends.update(\n"
                "                    (place_of(claim.place.journal, claim.place.seq), handle)\n"
                "                    for claim in self._reader.on_key(IN, child_parts(body))\n"
                "                )\n"
                "            if type(body) in ENDS and not self._is_matched(",
            ),
            Edit(
                "tally/merge/liveness.py",
                "                is_match(body, history.line(at).b)\n"
                "                and is_named(history, at, by, line.seen)\n",
                "                isinstance(body, t.ComponentUnbound)\n"
                "                and isinstance(history.line(at).b, t.ComponentBound)\n"
                "                and history.line(at).b.child == body.child\n"
                "                or is_match(body, history.line(at).b)\n"
                "                and is_named(history, at, by, line.seen)\n",
            ),
        ),
    ),
    Bug(
        "block cursor not persisted",
        "how far a block is used is known in memory only",
        (
            Edit(
                "edge_agent/journal/blocks.py",
                '"INSERT OR REPLACE INTO block_cursor VALUES (?, ?, ?)"',
                '"SELECT ?, ?, ?"',
            ),
        ),
    ),
    Bug(
        "grant bound to station name",
        "a block belongs to whoever has the station's name, also after a swap",
        (
            Edit(
                "edge_agent/journal/writing.py",
                "self.blocks = Blocks(self._store.connection, identity.journal)",
                "self.blocks = Blocks(self._store.connection, identity.station)",
            ),
            Edit(
                "edge_agent/journal/blocks.py",
                "        self._own = show_journal(own)\n",
                "        self._own = own\n",
            ),
            Edit(
                "edge_agent/journal/blocks.py",
                "event.b.journal == self._own",
                "event.b.station == self._own",
            ),
        ),
    ),
    Bug(
        "hub allocator not bumped",
        "the hub grants without moving its allocator, and looks at no earlier grant",
        (
            Edit(
                "hub/services/leasing.py",
                "    granted = store.granted(scheme.scheme_id, period)\n",
                "    granted = ()\n",
            ),
            Edit(
                "hub/services/leasing.py",
                "    return taken, max(position, taken.end)\n",
                "    return taken, position\n",
            ),
        ),
    ),
    Bug(
        "projection reads arrival order",
        "claims on a key stand in the order in which they arrived",
        (
            Edit(
                "tally/ledger/sqlite/reading.py",
                "key=lambda view: (view.place.id, view.ordinal)",
                "key=lambda view: view.place.handle",
            ),
        ),
    ),
    Bug(
        "relay re-serialises JSON",
        "the hub writes lines anew when it serves them",
        (
            Edit(
                "hub/services/reading.py",
                "        lines += more\n",
                "        import json\n"
                "        lines += [json.dumps(json.loads(line)).encode() for line in more]\n",
            ),
        ),
    ),
    Bug(
        "relay re-serialises JSON, between stations",
        "a neighbour writes lines anew when it passes them on",
        (
            Edit(
                "edge_agent/journal/returning.py",
                "    return tuple(row[0] for row in rows)\n\n\ndef _fits",
                "    import json\n"
                "    return tuple(json.dumps(json.loads(row[0])).encode() for row in rows)\n\n\n"
                "def _fits",
            ),
        ),
    ),
    Bug(
        "500 treated as ack",
        "a piece counts as taken whatever was answered",
        (
            Edit(
                "edge_agent/sync/replies.py",
                "    if problem is None or status >= 500 or status < 400:\n",
                '    if request.kind == "piece" and status >= 500:\n'
                "        return _succeeded(state, replace(state, sent=request.last), ())\n"
                "    if problem is None or status >= 500 or status < 400:\n",
            ),
            Edit(
                "edge_agent/sync/greeting.py",
                "        return replace(state, sent=have.seq, ahead=None),",
                "        return replace(state, sent=max(state.sent, have.seq), ahead=None),",
            ),
            Edit(
                "edge_agent/sync/acknowledging.py",
                "    sent = max(0, min(need - 1, turn.view.head().seq))\n",
                "    sent = max(turn.state.sent, min(need - 1, turn.view.head().seq))\n",
            ),
        ),
    ),
    Bug(
        "decision not maximal",
        "of several decisions on a case the one with the greatest id holds",
        (
            Edit(
                "tally/merge/decisions.py",
                "    maximal = [at for at in known if at.ref not in replaced]\n",
                "    maximal = known[-1:]\n",
            ),
        ),
    ),
    Bug(
        "HLC accepts far future",
        "a station's stamps follow a neighbour's clock, however far ahead",
        (
            Edit(
                "tally/records/hlc.py",
                "    if seen.ms > wall_ms + AHEAD_MS_MAX:\n        return last\n",
                "",
            ),
        ),
    ),
    Bug(
        "UNKNOWN → PASS",
        "a result that no event shows lets a unit pass",
        (
            Edit(
                "edge_agent/workflow/rules.py",
                'fact.result or ("FAIL" if fact.is_complete else "UNKNOWN")',
                'fact.result or ("FAIL" if fact.is_complete else "PASS")',
            ),
        ),
    ),
    Bug(
        "lent codes stay",
        "a station goes on giving out codes that it lent or gave back",
        (
            Edit(
                "edge_agent/journal/blocks.py",
                "            self._cut(body.block, body.start)\n",
                "            pass\n",
            ),
        ),
    ),
)

ELSEWHERE = (
    Elsewhere(
        "reuse returned codes",
        "codes that were given back are granted again",
        "tests/integration/test_codes_change_hands.py::"
        "test_55_a_hub_that_grants_returned_codes_again_would_be_caught",
    ),
    Elsewhere(
        "`synchronous=OFF`",
        "a station says OK before the disk has the event",
        "tests/crash/test_station_power_cuts.py::"
        "test_a_journal_that_does_not_wait_for_the_disk_would_be_caught",
    ),
    Elsewhere(
        "`synchronous=OFF` at the hub",
        "a receipt goes out before the disk has the events",
        "tests/crash/test_hub_power_cuts.py::"
        "test_a_hub_that_does_not_wait_for_the_disk_would_be_caught",
    ),
    Elsewhere(
        "restored hub grants at once",
        "a hub restored from a backup goes on granting where the backup ended",
        "tests/model/test_every_restore_of_the_hub.py::"
        "test_a_restored_hub_that_grants_at_once_where_its_backup_ended_would_be_caught",
    ),
    Elsewhere(
        "prune at `durable`",
        "a station deletes what only the hub's disk holds, not yet an archive",
        "tests/unit/journal/test_pruning.py::"
        "test_61_a_station_that_prunes_at_durable_would_be_caught",
    ),
)

OWED: tuple[Owed, ...] = ()


def named(name):
    """The bug of this name."""
    return next(bug for bug in BUGS if bug.name == name)
