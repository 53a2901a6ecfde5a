"""The line terminal speaks the language of whoever is signed in."""

import io

from edge_agent.station.outputs import Output
from edge_agent.station.terminal import TerminalSpeaker
from edge_agent.workflow.types import Verdict
from tally.master import Words


def test_terminal_follows_the_language_of_the_operator():
    said, language = io.StringIO(), ["en"]
    speaker = TerminalSpeaker(said, io.StringIO(), "zh")
    output = Output(Verdict.READY, "", None, None, words=Words("Ready.", "就绪。"))
    speaker.tell(output, unsent=0, online=True)
    speaker.follow(lambda: language[0])
    speaker.tell(output, unsent=2, online=False)
    language[0] = "zh"
    speaker.tell(output, unsent=2, online=False)
    assert said.getvalue().splitlines() == [
        "READY 就绪。  (在线,待传 0)",
        "READY Ready.  (OFFLINE, unsent 2)",
        "READY 就绪。  (离线,待传 2)",
    ]
