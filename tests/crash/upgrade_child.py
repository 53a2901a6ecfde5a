"""Opens what an earlier version left, the product's own way, which brings it up to date.

Arguments: `station` or `hub`, folder. One line on stdout once it is open.
"""

import sys
from pathlib import Path

from edge_agent.bootstrap.opening import open_journal
from hub.bootstrap import open_hub
from tests.support.stations import TestClock


def main(which, folder):
    """Open and close."""
    if which == "station":
        with open_journal(folder, TestClock()) as journal:
            sys.stdout.write(f"{journal.seq}\n")
    else:
        hub = open_hub(folder)
        sys.stdout.write("open\n")
        hub.office.store.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
