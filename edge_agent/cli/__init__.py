"""The command `tally station`: one small function a command, no rules of its own.

`running` makes and starts a station, `looking` only reads, `carrying` reads and writes bundles on
sticks, `copying` makes and adopts copies and knows
computers, `handing` lends and gives back codes, `keeping` prunes
and rehearses; `group` is what they share. Results go to stdout, all else to stderr. Exit status: 0
done, 1 refused or found a problem (said in words), 2 usage.
"""

from edge_agent.cli import carrying, copying, handing, keeping, looking, running
from edge_agent.cli.group import station

__all__ = ["carrying", "copying", "handing", "keeping", "looking", "running", "station"]
