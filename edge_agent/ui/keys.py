"""What the keys of the Run screen mean; each stands for a command card (`screens.md` 2.5).

No single letters: a letter could be a scanner's. F3, the typed line, Ctrl+L and Ctrl+Q belong to
the screen itself (`edge_agent.ui.app`).
"""

from typing import Final

COMMANDS: Final = {
    "f1": "CTLHELP",
    "f4": "CTLUNDO",
    "f5": "CTLPRINT",
    "f6": "CTLHOLD",
    "f7": "CTLOK",
    "f8": "CTLFIX",
    "f9": "CTLRING",
    "f10": "CTLLNG",
    "f12": "CTLLOCK",
    "escape": "CTLNO",
    "ctrl+n": "CTLNEXT",
}
"""Key to command."""

_DIGITS: Final = "1234567890"

MIRRORED: Final = {
    **{f"alt+{digit}": f"f{number}" for number, digit in enumerate(_DIGITS, 1)},
    "alt+-": "f11",
    "alt+minus": "f11",
    "alt+=": "f12",
    "alt+equals_sign": "f12",
}
"""Alt+1 .. Alt+= for terminals that keep function keys to themselves."""
