"""Runs a program of ours and reads what it did to the files of one folder, call by call.

`recorder.c` is compiled once a test run and loaded into the program. Read next: `disk`.
"""

import os
import shutil
import struct
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("recorder.c")
_HEAD = struct.Struct("<ciqI")


@dataclass(frozen=True, slots=True)
class Call:
    """One call that succeeded.

    `kind`: o(pen), c(lose), w(rite), t(runcate), s(ync), r(ename), l(ink), u(nlink), and what was
    told outside: p (a line on stdout), n (words to another machine).
    """

    kind: str
    fd: int
    number: int
    content: bytes

    @property
    def names(self):
        """The two paths of a rename or link."""
        first, _, second = self.content.partition(b"\0")
        return first.decode(), second.decode()

    @property
    def is_promise(self):
        """Whether somebody outside learned something by it."""
        return self.kind in "pn"


def compile_recorder(folder):
    """The shared object, ready to be loaded."""
    built = folder / "recorder.so"
    command = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    command += ["-fvisibility=hidden", "-o", str(built), str(SOURCE), "-lpthread"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return built


class Recorder:
    """Records one folder. `before` is a copy of the folder as it was when the recording began."""

    def __init__(self, work, folder):
        self.folder = Path(os.path.realpath(folder))
        self.log = work / "calls.bin"
        self.before = work / "before"
        shutil.copytree(self.folder, self.before)
        self._library = compile_recorder(work)

    @contextmanager
    def recording(self):
        """Programs that are started meanwhile are recorded; one at a time."""
        variables = {
            "LD_PRELOAD": str(self._library),
            "RECORD_ROOT": str(self.folder),
            "RECORD_LOG": str(self.log),
        }
        os.environ.update(variables)
        try:
            yield
        finally:
            for name in variables:
                del os.environ[name]

    def calls(self):
        """Everything so far."""
        raw, at, found = self.log.read_bytes(), 0, []
        while at < len(raw):
            kind, fd, number, size = _HEAD.unpack_from(raw, at)
            at += _HEAD.size
            found.append(Call(kind.decode(), fd, number, raw[at : at + size]))
            at += size
        return found
