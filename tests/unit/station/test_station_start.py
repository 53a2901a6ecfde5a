"""What a station loads before its first picture: a person waits for all of it."""

import subprocess
import sys


def test_a_screen_is_drawn_before_anything_large_is_loaded():
    asked = "import sys, edge_agent.bootstrap.screen; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=50
    )
    large = {"cv2", "numpy", "requests", "sqlite_utils", "urllib3", "zxingcpp"}
    assert large & set(ran.stdout.split()) == set()
