"""A process that leases from a hub's folder with many threads, and may be killed at any moment.

Arguments: folder, journal (26 letters), threads. One line for each grant, after it was given.
"""

import sys
import threading
from pathlib import Path

from hub.bootstrap import open_hub
from tally.records.ids import parse_journal


def main():
    hub = open_hub(Path(sys.argv[1]))
    journal = parse_journal(sys.argv[2])

    def ask(number):
        for turn in range(1000):
            block = hub.lease(journal, f"r{number}.{turn}", "bl2@1", 7).block
            # One write a line, so that a kill cannot tear one.
            sys.stdout.write(f"{block.request} {block.start} {block.count}\n")
            sys.stdout.flush()

    for number in range(int(sys.argv[3])):
        threading.Thread(target=ask, args=(number,)).start()


if __name__ == "__main__":
    main()
