"""Starts programs of ours on a disk that refuses calls: `failing.c`, compiled and loaded into them.

What fails is said by a `Plan`, which may change while the program runs. Read next: the tests of
disk errors.
"""

import errno
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).with_name("failing.c")
ALL = -1


class Plan:
    """Which calls on the files of one folder fail, from now on."""

    def __init__(self, folder, work):
        self._variables = {
            "LD_PRELOAD": str(_compiled(work)),
            "FAIL_ROOT": os.path.realpath(folder),
            "FAIL_PLAN": str(work / "plan"),
        }
        self._path = work / "plan"

    @contextmanager
    def loaded(self):
        """Programs that are started meanwhile follow the plan."""
        os.environ.update(self._variables)
        try:
            yield
        finally:
            for name in self._variables:
                del os.environ[name]

    def fail(self, kind, name, error, *, skip=0, times=ALL):
        """Calls of this kind (`failing.c`) on files of this name end with this error."""
        new = self._path.with_suffix(".new")
        new.write_text(f"{kind} {name} {skip} {times} {error}", "utf-8")
        new.replace(self._path)

    def fill_up(self, name="*"):
        """No file, or none of this name, can become longer."""
        self.fail("g", name, errno.ENOSPC)

    def heal(self):
        """Everything works again."""
        self._path.unlink(missing_ok=True)


def _compiled(folder):
    built = folder / "failing.so"
    command = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    command += ["-fvisibility=hidden", "-o", str(built), str(SOURCE), "-lpthread"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return built
