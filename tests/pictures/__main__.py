"""`make pictures`: plays the newcomer's tour in the real demo and keeps what was seen.

Screens of S03 become SVG files, pages of the console PNG files, each in English and Chinese, below
`docs/pictures/`. Needs tmux, Chromium and a Chinese font; says which one is missing.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.pictures.console import take_pages
from tests.pictures.touring import tour

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"


def missing() -> list[str]:
    """Debian packages without which there would be no pictures, or pictures without Chinese."""
    packages = [name for name in ("tmux", "chromium") if shutil.which(name) is None]
    fonts = subprocess.run(["fc-list", ":lang=zh-cn"], check=False, capture_output=True)
    return packages if fonts.stdout else [*packages, "fonts-noto-cjk"]


def main() -> int:
    """Make all pictures; 1 if something to make them with is missing."""
    if packages := missing():
        sys.stderr.write(f"Pictures need: apt-get install {' '.join(packages)}\n")
        return 1
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tally-pictures-") as data:
        take_pages(tour(Path(data) / "demo", FOLDER), FOLDER)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
