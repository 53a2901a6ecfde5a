"""The part of the world that is at the hub: its people, what it holds, how it is lost.

One half of `world.World`, which has the stations, the time and the dice.
"""

from hub.services import Refused, gaps, journals, revoking
from tally.records.ids import show_journal
from tests.simulation import plant
from tests.simulation.pruning import own_ids

WORKING = frozenset(("setup", "chaos"))
"""Phases in which people work."""


class AtTheHub:
    """What is asked of the hub and found in it; everything it works with is the world's."""

    # --- keys that are taken back -------------------------------------------------------------

    def take_key_back(self, machine, since):
        """The plant takes a key back; a new journal and a decision follow some time later."""
        office = lambda: self.door.hub.office
        name = show_journal(machine.identity.journal)
        given = {"by": plant.ADMINS[0], "reason": "found open on the floor"}

        def act():
            revoking.revoke(office(), name, since=since, **given)
            self.count("key taken back")
            self.after(self.locks.seconds(20, 240), "new journal", lambda: self._give_new(machine))
            self.after(self.locks.seconds(5, 200), "judge", judge)

        def judge():
            [row] = [one for one in revoking.untrusted(office()) if one["journal"] == name] or [
                None
            ]
            if (
                self.phase not in WORKING
                or row is None
                or row["status"] not in {"open", "contested"}
            ):
                return
            last = max(int(ref.split(":")[1]) for ref in row["ends"])
            through = self.locks.pick(("none", "all", str(self.locks.between(1, last))))
            seen = {"seen": row["seen"], "supersedes": row["supersedes"]}
            decide = lambda: revoking.judge(
                office(), machine.identity.journal, through=through, **seen, **given
            )
            self._asked(decide, "untrusted events judged")

        self._asked(act, "")

    def _give_new(self, machine):
        if self.phase in WORKING and machine.power == "on" and not machine.is_retired:
            machine.is_retired = True
            self.replace(machine)

    def _asked(self, act, counted):
        """A person asks something of the hub, which may refuse."""

        def do():
            act()
            if counted:
                self.count(counted)

        try:
            self.at_hub(do)
        except Refused as refused:
            self.note_refusal(refused)

    # --- what the hub holds -------------------------------------------------------------------

    def branches_of(self, journal):
        """The hub's branches of a journal, one a history; what waits behind a gap is none."""
        store = self.door.hub.office.store
        row = store.find_journal(journal)
        found = store.branches(row.no) if row else []
        return [*gaps.connected(found)[:1], *gaps.forks(found)]

    def ids_at_hub(self, journal):
        """Every event id that the hub holds of a journal."""
        store = self.door.hub.office.store
        row = store.find_journal(journal)
        return {i for _, _, ids, _, _ in journals.runs(store, row) for i in ids} if row else set()

    def feed_tips(self):
        """Where the hub's own feeds stand."""
        office = self.door.hub.office
        frontier = self.door.hub.frontier()
        return tuple(frontier.get(feed.journal) for feed in office.secrets.feeds.values())

    def restore_hub(self, image):
        """The hub stands where its backup stood; what no machine holds any more is gone."""
        stations = self.former | {machine.identity.journal for machine in self.machines}
        before = {i for journal in stations for i in self.ids_at_hub(journal)}
        self.door.restart(image)
        after = {i for journal in stations for i in self.ids_at_hub(journal)}
        kept = set()
        for machine in self.machines:
            if machine.power != "gone":
                kept |= set(own_ids(machine.connection))
        missing = before - after
        self.lost |= missing - kept
        self.count("hub restored from a backup")
        if missing & kept:
            self.count("restored hub lacks acknowledged events")

    def lose_hub(self, backup):
        """The hub's disk is gone; what it held, its own feeds included, is where stations hold it.

        What no machine's own journal holds any more may be gone: it is counted as lost.
        """
        stations = self.former | {machine.identity.journal for machine in self.machines}
        before = {i for journal in stations for i in self.ids_at_hub(journal)}
        tips = self.feed_tips()
        self.door.restore(backup)
        old = [feed for feed in tips if feed is not None]
        kept = set()
        for machine in self.machines:
            if machine.power != "gone":
                kept |= set(own_ids(machine.connection))
        self.lost |= before - kept - {i for j in stations for i in self.ids_at_hub(j)}
        self.backup = None  # an image of the epoch before is put back by `restore` only
        self.count("hub lost and restored")
        held = {event_id for j in self.door.hub.frontier().values() for event_id in (j[1],)}
        if any(event_id not in held for _, event_id in old):
            self.count("restored hub lacks events of its feeds")
        self.after(self.mood.seconds(120, 900), "go on without", self._go_on_without)

    def _go_on_without(self):
        """A person says that stations which are gone need not report."""
        alive = {machine.name for machine in self.machines if machine.power != "gone"}
        gone = [name for name in self.door.hub.awaited() if name not in alive]
        if gone:
            self.at_hub(lambda: self.door.hub.go_on_without(gone))
            self.count("went on without a station")

    def _enrol_whom_nobody_knows(self):
        """Stations of whose enrolment neither the restored hub nor anybody else knows."""
        known = set()
        for machine in self.machines:
            if machine.power == "on":
                rows = machine.connection.execute("SELECT journal FROM known_key").fetchall()
                known |= {row[0] for row in rows}
        for machine in list(self.machines):
            journal = machine.identity.journal
            if machine.power != "on" or self.door.hub.key_of(journal) or journal in known:
                continue
            self.lost |= machine.own_ids()
            machine.guarded(machine.lose_power)
            machine.power, machine.why_gone = "gone", "enrolment lost"
            self.count("enrolment lost with the hub")
            self.replace(machine)
