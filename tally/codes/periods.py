"""The dates that codes print: formats, the periods they name, and their order.

A format is a year (`Y`, `YY`, `YYYY`) followed by nothing, `WW` (ISO week of the ISO year), `MM`,
`DDD` (day of the year) or `MMDD`. What is printed is a *period* and comes from the block, never
from a clock. A short year is read inside the scheme's life: 100 years from the first one (10
for a one-digit year), so that the printed text always names exactly one period.
"""

import datetime as dt
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal as OneOf

Resolution = OneOf["year", "month", "week", "day"]
Reset = OneOf["none", "day", "week", "month", "year"]

_FORMAT = re.compile(r"(YYYY|YY|Y)(WW|MMDD|MM|DDD|)")
_RESOLUTION: dict[str, Resolution] = {
    "": "year",
    "WW": "week",
    "MM": "month",
    "DDD": "day",
    "MMDD": "day",
}
FORMATS = tuple(year + rest for year in ("YY", "YYYY", "Y") for rest in _RESOLUTION)

# Which printed resolutions settle the period after which a counter starts again. A week is cut
# by months, so neither settles the other; an ISO week does settle its (ISO) year.
SETTLES: dict[Reset, frozenset[Resolution]] = {
    "none": frozenset(("year", "month", "week", "day")),
    "day": frozenset(("day",)),
    "week": frozenset(("week", "day")),
    "month": frozenset(("month", "day")),
    "year": frozenset(("year", "month", "week", "day")),
}


@dataclass(frozen=True, slots=True)
class Calendar:
    """All periods of one format within one life, oldest first.

    `firsts[i]` is the first day of period i, `texts[i]` what is printed for it, `index` the way
    back from the text, `after` the first day past the life.
    """

    firsts: tuple[dt.date, ...]
    after: dt.date
    texts: tuple[str, ...]
    index: dict[str, int]

    def holding(self, day: dt.date) -> int | None:
        """Give the number of the period that holds `day`, or None outside the life."""
        if not self.firsts[0] <= day < self.after:
            return None
        return bisect_right(self.firsts, day) - 1


def resolution_of(date_format: str) -> Resolution | None:
    """Say what a format tells apart, or None if it is no known format."""
    match = _FORMAT.fullmatch(date_format)
    return _RESOLUTION[match[2]] if match else None


def life_years(date_format: str) -> int:
    """Give the number of years after which the printed year repeats, at most 100."""
    return 10 if len(_year_of(date_format)) == 1 else 100


def print_period(date_format: str, day: dt.date) -> str:
    """Print the period that holds `day`, in digits, as wide as the format."""
    year_format = _year_of(date_format)
    rest = date_format[len(year_format) :]
    iso_year, iso_week, _ = day.isocalendar()
    year = iso_year if rest == "WW" else day.year
    text = {
        "": "",
        "WW": f"{iso_week:02}",
        "MM": f"{day.month:02}",
        "DDD": f"{day.timetuple().tm_yday:03}",
        "MMDD": f"{day.month:02}{day.day:02}",
    }[rest]
    return f"{year:04}"[-len(year_format) :] + text


@lru_cache(maxsize=64)
def calendar(date_format: str, first_year: int) -> Calendar:
    """List every period that codes of this format can name from `first_year` on.

    At most 36,525 periods; made once per format and first year.
    """
    resolution = resolution_of(date_format)
    if resolution is None:
        msg = f"{date_format!r} is no date format; known are {', '.join(FORMATS)}"
        raise ValueError(msg)
    *firsts, after = _firsts(resolution, first_year, first_year + life_years(date_format))
    texts = tuple(print_period(date_format, day) for day in firsts)
    index = {text: number for number, text in enumerate(texts)}
    return Calendar(tuple(firsts), after, texts, index)


def _year_of(date_format: str) -> str:
    return date_format[: date_format.rfind("Y") + 1]


def _firsts(resolution: Resolution, first_year: int, after_year: int) -> list[dt.date]:
    """Give the first day of each period, and at the end that of the first one past the life."""
    years = range(first_year, after_year)
    if resolution == "year":
        return [dt.date(year, 1, 1) for year in (*years, after_year)]
    if resolution == "month":
        months = [dt.date(year, month, 1) for year in years for month in range(1, 13)]
        return [*months, dt.date(after_year, 1, 1)]
    if resolution == "week":
        begin = dt.date.fromisocalendar(first_year, 1, 1)
        end = dt.date.fromisocalendar(after_year, 1, 1)
        step = 7
    else:
        begin, end, step = dt.date(first_year, 1, 1), dt.date(after_year, 1, 1), 1
    return [dt.date.fromordinal(n) for n in range(begin.toordinal(), end.toordinal() + 1, step)]
