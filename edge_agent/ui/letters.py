"""The verdict in letters of five rows, readable from three metres: `OK`, `NG`, `PASS`, `HOLD`, ...

Pure. The same letters in both languages: `OK` and `NG` are what floors say everywhere, and a
character of 5 x 5 cells cannot be Han. A `#` is a filled cell.
"""

from typing import Final

ROWS: Final = 5
WIDTH: Final = 15
"""Cells of the widest word."""

_BIG: Final = {
    "OK": (
        " ####   #   #",
        "#    #  #  # ",
        "#    #  ###  ",
        "#    #  #  # ",
        " ####   #   #",
    ),
    "NG": (
        "#   #   #### ",
        "##  #  #     ",
        "# # #  #  ## ",
        "#  ##  #   # ",
        "#   #   #### ",
    ),
}
_SMALL: Final = {
    "A": (" # ", "# #", "###", "# #", "# #"),
    "C": (" ##", "#  ", "#  ", "#  ", " ##"),
    "D": ("## ", "# #", "# #", "# #", "## "),
    "E": ("###", "#  ", "## ", "#  ", "###"),
    "F": ("###", "#  ", "## ", "#  ", "#  "),
    "H": ("# #", "# #", "###", "# #", "# #"),
    "I": ("###", " # ", " # ", " # ", "###"),
    "K": ("# #", "# #", "## ", "# #", "# #"),
    "L": ("#  ", "#  ", "#  ", "#  ", "###"),
    "N": ("###", "# #", "# #", "# #", "# #"),
    "O": ("###", "# #", "# #", "# #", "###"),
    "P": ("## ", "# #", "## ", "#  ", "#  "),
    "S": (" ##", "#  ", " # ", "  #", "## "),
    "T": ("###", " # ", " # ", " # ", " # "),
    "W": ("# #", "# #", "# #", "###", "# #"),
}


def letters(word: str, *, scale: int = 1) -> tuple[str, ...]:
    """Give a word in five rows of `WIDTH * scale` cells; without letters for it, empty rows."""
    if word in _BIG:
        drawn: tuple[str, ...] = _BIG[word]
    else:
        drawn = tuple(
            " ".join(_SMALL[one][at] for one in word if one in _SMALL) for at in range(ROWS)
        )
    return tuple("".join(one * scale for one in line).ljust(WIDTH * scale) for line in drawn)
