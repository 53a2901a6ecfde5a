"""A station with the operator's screen in this terminal.

Textual takes a tenth of a second to load: only a station with a screen imports this.
"""

from pathlib import Path

from edge_agent.bootstrap.station import open_station
from edge_agent.settings import Language, Settings
from edge_agent.station.clock import SystemClock
from edge_agent.station.posting import Posting, Silent
from edge_agent.ui.app import StationApp
from edge_agent.ui.running import run_screen
from edge_agent.ui.themes import theme_of
from edge_agent.ui.tray import open_tray
from tally.master import Words


def run_with_screen(
    directory: Path,
    settings: Settings,
    *,
    language: Language | None,
    practice: Path | None,
    theme: str,
    is_ascii: bool,
) -> tuple[int, Words | None]:
    """Run the station with the operator's screen in this terminal.

    Args:
        language: keep to this one whoever signs in, until it is changed by hand.
        practice: file of practice codes for the tray; None: no tray.
        theme: one of `edge_agent.ui.themes.THEMES`.
        is_ascii: only ASCII and Han on the screen.

    Returns:
        The exit status, and the words of the fault that stopped the station, if one did.

    Raises:
        JournalFault, JournalCorrupt: as `open_journal`; nothing was drawn.
        PracticeError: the file of practice codes cannot be used.
    """
    tray = open_tray(practice) if practice else None
    spoken = language or settings.language

    def make_app(station: Posting) -> StationApp:
        return StationApp(
            station,
            monotonic=SystemClock().monotonic,
            language=spoken,
            is_language_fixed=language is not None,
            tray=tray,
            theme=theme_of(theme),
            is_ascii=is_ascii,
            pace=settings.keyboard,
        )

    return run_screen(
        lambda show: open_station(directory, settings, Silent(), language=spoken, show=show),
        make_app,
    )
