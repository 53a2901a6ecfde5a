"""A symbol for another station's scanner, over the whole screen, with what to do beside it."""

from __future__ import annotations

from itertools import zip_longest

from edge_agent.station.snapshot import Band
from edge_agent.ui.cells import Row, pad, row, wrap
from edge_agent.ui.view import View


def draw_slip(symbol: tuple[str, ...], band: Band, view: View) -> list[Row]:
    """Give the rows of the symbol; never wrapped or cut, a smaller screen is refused before."""
    wide = len(symbol[0])
    words = ["", *wrap(view.say(band.text), view.width - wide - 3)]
    return [
        row((inked, "paper"), (f"  {pad(said, view.width - wide - 2)}", "strong"), width=view.width)
        for inked, said in zip_longest(symbol, words, fillvalue="")
    ]
