"""The station's screen without a station: shows whatever text a burst names.

`python -m tests.support.text_show en`. An answer is shown for ever, since its clock stands still.
"""

import sys
import time
from dataclasses import replace

from edge_agent.station.banding import band_of
from edge_agent.station.clock import SystemClock
from edge_agent.station.inbox import Inbox
from edge_agent.station.outputs import Output
from edge_agent.station.posting import Posting
from edge_agent.ui.app import StationApp
from edge_agent.workflow.types import StationState
from tests.unit.ui.scenes import AT, answer, answered, lamp


class Show(Posting):
    """Answers a scan by the snapshot that it names."""

    app: StationApp

    def scan(self, raw, source, *, is_part=False):
        self.app.show(snapshot_of(raw.decode().removeprefix("show ")))

    def leave(self):
        self.app.exit(0)


def snapshot_of(key):
    """The lamp after an answer, or after a scanner test with one fault."""
    family, _, fault = key.partition(".")
    if family != "test":
        return answered(key)
    given = replace(answer("ng.scanner_test", code="E-309"), says={"faults": fault})
    output = Output(given.verdict, given.code, None, 3, answer=given, source="keyboard")
    return lamp(band=band_of(output, StationState(), 7, AT))


def main():
    """Run until somebody leaves."""
    show = Show(Inbox(time.monotonic), SystemClock())
    show.app = StationApp(show, monotonic=lambda: 0.0, language=sys.argv[1], is_language_fixed=True)
    show.app.show(lamp())
    show.app.run(mouse=False)


if __name__ == "__main__":
    main()
