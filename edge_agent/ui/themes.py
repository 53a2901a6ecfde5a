"""Colours of the named styles: grey when normal, colour only where someone must act.

Four themes (`screens.md` 2.10). Every verdict is told apart by its frame and letters alone; with
`NO_COLOR` only bold and reverse are left of a theme.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

from rich.style import Style as RichStyle

from edge_agent.ui.cells import Style

Theme = Literal["tally-dark", "tally-light", "tally-contrast", "tally-ansi16"]
THEMES: Final[tuple[Theme, ...]] = get_args(Theme)

_Colours = dict[Style, tuple[str, str] | tuple[str, str, str]]
"""Style to foreground, background and attributes."""


def _solid(name: str, fore: str, back: str, ink: str) -> _Colours:
    """A band, and its letters as solid cells: the same colour before and behind."""
    band: Style = name  # type: ignore[assignment]  # the names below are styles
    inked: Style = f"ink_{name}"  # type: ignore[assignment]  # each band has its ink
    return {band: (fore, back), inked: (ink, ink)}


_PAPER: Final[_Colours] = {"paper": ("#ffffff", "#000000")}
"""A symbol is read by a scanner: its colours are no matter of taste."""
_DARK: Final[_Colours] = {
    "plain": ("#c8ccd0", "#14171a"),
    "dim": ("#8a9096", "#14171a"),
    "strong": ("#ffffff", "#14171a", "bold"),
    "head": ("#ffffff", "#2a3036", "bold"),
    "here": ("#ffffff", "#2f3d4c", "bold"),
    **_solid("ok", "#9fe8b0", "#14171a", "#4fc16a"),
    **_solid("done", "#ffffff", "#14532d", "#9fe8b0"),
    **_solid("ng", "#ffffff", "#9b1c1c", "#ffffff"),
    **_solid("hold", "#14171a", "#e0b000", "#14171a"),
    **_solid("lock", "#ffffff", "#5b1a6e", "#ffffff"),
    **_solid("wait", "#ffffff", "#4a5058", "#ffffff"),
    "amber": ("#14171a", "#e0b000"),
    "red": ("#ffffff", "#9b1c1c", "bold"),
    "tray": ("#c8ccd0", "#1f3350"),
    "marked": ("#14171a", "#8fc7ff", "bold"),
    **_PAPER,
}
_LIGHT: Final[_Colours] = {
    "plain": ("#202428", "#f4f5f6"),
    "dim": ("#5a6068", "#f4f5f6"),
    "strong": ("#000000", "#f4f5f6", "bold"),
    "head": ("#ffffff", "#39424c", "bold"),
    "here": ("#000000", "#cfe3f7", "bold"),
    **_solid("ok", "#0b5d24", "#f4f5f6", "#1b8a3c"),
    **_solid("done", "#0b3d1a", "#bfe8c8", "#1b8a3c"),
    **_solid("ng", "#ffffff", "#a31515", "#ffffff"),
    **_solid("hold", "#000000", "#f2c200", "#000000"),
    **_solid("lock", "#ffffff", "#5b1a6e", "#ffffff"),
    **_solid("wait", "#000000", "#c9cdd2", "#39424c"),
    "amber": ("#000000", "#f2c200"),
    "red": ("#ffffff", "#a31515", "bold"),
    "tray": ("#202428", "#d8e6f5"),
    "marked": ("#ffffff", "#1d4f86", "bold"),
    **_PAPER,
}
_CONTRAST: Final[_Colours] = {
    "plain": ("#ffffff", "#000000"),
    "dim": ("#ffffff", "#000000"),
    "strong": ("#ffffff", "#000000", "bold"),
    "head": ("#000000", "#ffffff", "bold"),
    "here": ("#000000", "#ffffff", "bold"),
    **_solid("ok", "#ffffff", "#000000", "#00ff66"),
    **_solid("done", "#000000", "#00ff66", "#000000"),
    **_solid("ng", "#ffffff", "#c00000", "#ffffff"),
    **_solid("hold", "#000000", "#ffff00", "#000000"),
    **_solid("lock", "#ffffff", "#800080", "#ffffff"),
    **_solid("wait", "#000000", "#c0c0c0", "#000000"),
    "amber": ("#000000", "#ffff00"),
    "red": ("#ffffff", "#c00000", "bold"),
    "tray": ("#ffffff", "#000000"),
    "marked": ("#000000", "#ffffff", "bold"),
    **_PAPER,
}
_ANSI16: Final[_Colours] = {
    "plain": ("default", "default"),
    "dim": ("default", "default"),
    "strong": ("default", "default", "bold"),
    "head": ("default", "default", "bold reverse"),
    "here": ("default", "default", "bold"),
    **_solid("ok", "green", "default", "green"),
    **_solid("done", "black", "green", "black"),
    **_solid("ng", "white", "red", "white"),
    **_solid("hold", "black", "yellow", "black"),
    **_solid("lock", "white", "magenta", "white"),
    **_solid("wait", "black", "white", "black"),
    "amber": ("black", "yellow"),
    "red": ("white", "red", "bold"),
    "tray": ("default", "default"),
    "marked": ("default", "default", "bold reverse"),
    "paper": ("bright_white", "black"),
}
_COLOURS: Final[dict[Theme, _Colours]] = {
    "tally-dark": _DARK,
    "tally-light": _LIGHT,
    "tally-contrast": _CONTRAST,
    "tally-ansi16": _ANSI16,
}


def theme_of(name: str) -> Theme:
    """Give the theme of this name.

    Raises:
        ValueError: there is none.
    """
    found: Theme | None = next((theme for theme in THEMES if theme == name), None)
    if found is None:
        raise ValueError(f"expected one of {', '.join(THEMES)}, found {name!r}")
    return found


def styles_of(theme: Theme) -> dict[Style, RichStyle]:
    """Give what a terminal is told for each style."""
    return {name: _style(*colours) for name, colours in _COLOURS[theme].items()}


def _style(fore: str, back: str, attributes: str = "") -> RichStyle:
    return RichStyle.parse(f"{attributes} {fore} on {back}".strip())
