"""The verdict in letters of five rows, readable from three metres: `OK`, `NG`, `PASS`, `HOLD`, ...

Pure. The same letters in both languages: `OK` and `NG` are what floors say everywhere, and a
character of 5 x 5 cells cannot be Han. A `#` is a filled cell.
"""

from typing import Final

ROWS: Final = 5
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
    "A": (" ## ", "#  #", "####", "#  #", "#  #"),
    "C": (" ###", "#   ", "#   ", "#   ", " ###"),
    "D": ("### ", "#  #", "#  #", "#  #", "### "),
    "E": ("####", "#   ", "### ", "#   ", "####"),
    "F": ("####", "#   ", "### ", "#   ", "#   "),
    "H": ("#  #", "#  #", "####", "#  #", "#  #"),
    "I": ("####", " ## ", " ## ", " ## ", "####"),
    "K": ("#  #", "# # ", "##  ", "# # ", "#  #"),
    "L": ("#   ", "#   ", "#   ", "#   ", "####"),
    "N": ("#  #", "## #", "# ##", "#  #", "#  #"),
    "O": (" ## ", "#  #", "#  #", "#  #", " ## "),
    "P": ("### ", "#  #", "### ", "#   ", "#   "),
    "S": (" ###", "#   ", " ## ", "   #", "### "),
    "T": ("####", " ## ", " ## ", " ## ", " ## "),
    "W": ("#  #", "#  #", "#  #", "####", "#  #"),
}


def letters(word: str, *, scale: int = 1) -> tuple[str, ...]:
    """Give a word in five rows, all as wide as `width_of` says."""
    if word in _BIG:
        drawn: tuple[str, ...] = _BIG[word]
    else:
        drawn = tuple(" ".join(_SMALL[one][at] for one in word) for at in range(ROWS))
    return tuple("".join(one * scale for one in line) for line in drawn)


def width_of(word: str, *, scale: int = 1) -> int:
    """Give how many cells a word takes."""
    return len(letters(word, scale=scale)[0])
