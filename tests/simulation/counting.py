"""What must happen now and then.

A run of many seeds in which one of these never did has tested less than it says, and fails with
its name.
"""

SOMETIMES = (
    # kinds of faults, each seen to do its work
    "link cut",
    "net_drop",
    "net_delay",
    "net_duplicate",
    "net_reorder",
    "net_swallow",
    "piece 413",
    "crash at before_commit",
    "crash at after_commit_before_print",
    "crash at after_print_before_record",
    "crash at after_commit_before_output",
    "lost commits",
    "answer E-901",
    "damage found at the start",
    "own event flipped",
    "foreign event flipped",
    "clock wrong",
    "clock in 1970",
    "rolled back to an image",
    "cloned",
    "event of a newer version",
    "hub crashed",
    "hub crashed in a commit",
    "hub restored from a backup",
    "a neighbour's label was scanned",
    "double scan ignored",
    "forgotten unbind",
    # paths of the product that only these faults open
    "fork proven at contact",
    "said hub_fork",
    "restored hub lacks acknowledged events",
    "said hub_behind",
    "code taken twice after a fork",
    "two labels of one code",
    "label unsure after a crash",
    "no paper",
    "block exhausted",
    "lease 200",
    "segment sealed",
    "seal 200",
    "pull 204",
    "enrolled anew",
    "unknown events kept",
    "undone",
    "locked",
    "a lead allowed: lead",
    "a lead allowed: partial",
    "answer E-201",
    "answer E-209",
    "answer E-210",
    "case code open",
    "case unit open",
    "case in open",
    "case in decided",
    "a case contested",
    "case slot open",
    "case box open",
    "case op open",
    "decided",
    "late claim after a decision",
    "truth differs from the record",
    "both histories of a neighbour held",
    "station equal to the hub",
    "station with fewer events than the hub",
)


def missing(counters):
    """Names of what never happened."""
    return [name for name in SOMETIMES if not counters[name]]
