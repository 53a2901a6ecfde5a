"""The keys of journals to come, in memory."""

from edge_agent.journal.identity import Identity
from tally.records.ids import JournalId
from tests.support.stations import secret


class Keys:
    """`edge_agent.station.succession.Heirs` in memory."""

    def __init__(self):
        self.made, self.number = [], 0

    def make(self):
        self.number += 1
        name = f"heir {self.number}"
        key = secret(name)
        self.made.append(Identity(JournalId(key.public.raw[:16]), key, "S03", "NB1"))
        return self.made[-1]

    def find(self, journal):
        return next((one for one in self.made if one.journal == journal), None)

    def settle(self):
        """Nothing to rename."""
