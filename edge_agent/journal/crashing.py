"""Points at which tests stop the process as a power cut would: `TALLY_CRASH=label:n`.

The n-th time that the labelled point is passed, the process kills itself with SIGKILL. Labels:
`before_commit`, `after_commit_before_print`, `after_print_before_record`,
`after_commit_before_output`; while another journal takes over `after_successor_key`,
`after_successor_known`, `after_successor_moved`, `after_successor_settled`; while a damaged file
is made anew `remake_built`, `remake_decided`, `remake_old_kept`, `remake_log_kept`,
`remake_done`.
"""

import os
import signal

from edge_agent.journal.store import Reached

VARIABLE = "TALLY_CRASH"


def crash_at(setting: str) -> Reached:
    """What to call at every point.

    Raises:
        ValueError: the setting is not `label:n` with n from 1.
    """
    label, _, number = setting.partition(":")
    if not label or not number.isdecimal() or int(number) < 1:
        raise ValueError(f"{VARIABLE} expected label:n with n from 1, found {setting!r}")
    left = int(number)

    def reached(passed: str) -> None:
        nonlocal left
        if passed == label:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return reached
