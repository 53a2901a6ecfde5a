"""Code about code: names, docstrings, purity, imports. Each rule also meets what it must refuse."""

import importlib.util
import subprocess
import sys

import pytest

from tests.support import tidiness

MODULES = tidiness.modules()
PURE = [path for path in MODULES if tidiness.is_pure(path)]


def _name(path):
    return path.relative_to(tidiness.ROOT).as_posix()


def _dotted(path):
    parts = path.relative_to(tidiness.ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_the_tree_has_modules_and_a_pure_core():
    names = {_name(path) for path in PURE}
    assert "tally/cli.py" in {_name(path) for path in MODULES} - names
    assert any(name.startswith("tally/records/") for name in names)


def test_every_module_says_what_lives_in_it():
    without = [_name(p) for p in MODULES if tidiness.missing_docstring(p.read_text("utf-8"))]
    assert without == []


@pytest.mark.parametrize("source", ["", "X = 1\n", '"""  """\n', "# a comment\nX = 1\n"])
def test_a_module_without_docstring_is_found(source):
    assert tidiness.missing_docstring(source)


def test_every_name_says_something():
    found = {_name(p): tidiness.empty_names(p.stem, p.read_text("utf-8")) for p in MODULES}
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize(
    ("stem", "source"),
    [
        ("utils", ""),
        ("_helpers", ""),
        ("lot_data", ""),
        ("base", ""),
        ("x", "class JobManager: ..."),
        ("x", "class BaseStore: ..."),
        ("x", "def f():\n    class LotInfo: ..."),
        ("x", "class HTTPHandler: ..."),
    ],
)
def test_an_empty_name_is_found(stem, source):
    assert tidiness.empty_names(stem, source)


@pytest.mark.parametrize("source", ["class DataMatrix: ...", "class Ledger: ...", "class _T: ..."])
def test_a_word_of_the_field_is_no_empty_name(source):
    assert tidiness.empty_names("database", source) == []


def test_the_functional_core_is_pure():
    found = {_name(p): tidiness.impurities(p.read_text("utf-8")) for p in PURE}
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "import sqlite3 as db",
        "from os import path",
        "def f():\n    from urllib.request import urlopen",
        "from datetime import datetime\nX = datetime.now()",
        "import datetime\nX = datetime.datetime.utcnow()",
        "from datetime import date\nX = date.today()",
        "print(1)",
        "open('x')",
        "X = hash('a')",
        "X = y == 0.5",
        "X = -1.5 != y",
        "X = float(a) == b",
        "X = a < b == 1.0",
    ],
)
def test_an_impurity_is_found(source):
    assert tidiness.impurities(source)


@pytest.mark.parametrize(
    "source",
    ["X = a < 0.5", "X = a == 1", "X = clock.now()", "import datetime", "hashlib.sha256()"],
)
def test_what_is_pure_passes(source):
    assert tidiness.impurities(source) == []


_FOREIGN = ("textual", "requests", "fastapi", "sqlite3", "logging", "cv2", "hub", "edge_agent")

_LIST_LOADED = """
import importlib, sys
for name in sys.argv[2:]:
    importlib.import_module(name)
print(" ".join(name for name in sys.argv[1].split(",") if name in sys.modules))
"""


def _loaded_after_importing(*names, watch=_FOREIGN):
    command = [sys.executable, "-c", _LIST_LOADED, ",".join(watch), *names]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return run.stdout.split()


@pytest.mark.parametrize("name", ["tally", "tally.cli"])
def test_importing_tally_loads_no_half_and_no_big_library(name):
    assert _loaded_after_importing(name, watch=set(_FOREIGN) - {"logging"}) == []


def test_importing_the_whole_functional_core_loads_neither_database_nor_network():
    core = [_dotted(path) for path in PURE if _name(path).startswith("tally/")]
    # cryptography, msgspec and numpy may use the standard library as they like: what we watch
    # is what only our own import could bring.
    watch = set(_FOREIGN) - {"logging"}
    assert _loaded_after_importing(*core, watch=watch) == []


def test_the_watch_on_imports_sees_a_foreign_module():
    assert _loaded_after_importing("sqlite3") == ["sqlite3"]


@pytest.mark.parametrize("name", tidiness.PACKAGES)
def test_our_top_level_names_are_ours_alone(name):
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin == str(tidiness.ROOT / name / "__init__.py")
