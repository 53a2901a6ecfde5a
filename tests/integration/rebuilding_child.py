"""A process that rebuilds a hub's ledger, says so amid the work and waits there to be killed.

Arguments: folder, after how many runs of events.
"""

import sys
import threading
from pathlib import Path

from hub.bootstrap import open_hub
from hub.services.rebuilding import rebuild


def main():
    hub = open_hub(Path(sys.argv[1]))
    runs = []

    def told(count):
        runs.append(count)
        if len(runs) == int(sys.argv[2]):
            sys.stdout.write("amid\n")
            sys.stdout.flush()
            threading.Event().wait()

    rebuild(hub.office, told)


if __name__ == "__main__":
    main()
