"""One process: plant a bug, run seeds until an oracle objects, print what came of it.

`python -m tests.planted.child NAME FIRST LAST`; NAME `-` plants nothing. One JSON line on stdout.
"""

import json
import sys

from tests.planted.bugs import named
from tests.planted.planting import is_planted, plant


def main(name, first, last):
    """Run the seeds, in order, to the first objection."""
    bug = None if name == "-" else named(name)
    if bug is not None:
        plant(bug)
    from tests.simulation.running import run  # after the bug is in place

    said = {"runs": 0, "seed": None, "oracle": "", "words": ""}
    for seed in range(first, last + 1):
        found = run(seed)
        said["runs"] += 1
        if found.failed:
            said |= {"seed": seed, "oracle": found.oracle, "words": found.words[-2000:]}
            break
    assert bug is None or is_planted(bug), f"{name}: the product was imported without the bug"
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
