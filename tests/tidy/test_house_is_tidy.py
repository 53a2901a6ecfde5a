"""What stands around the code: commands, units, documents, locks, words."""

import importlib.util
import re
import shlex
import subprocess
import tomllib

import click
import pytest

from tally.cli import SUMMARIES, main
from tests.support import tidiness

ROOT = tidiness.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
COMMANDS = PROJECT["entry-points"]["tally.commands"]


def _exists(name):
    """Whether the module of a command is in the tree; one that is there must also load."""
    module = COMMANDS[name].partition(":")[0]
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


BUILT = sorted(name for name in COMMANDS if _exists(name))


# --- commands ---------------------------------------------------------------------------------


def test_every_command_has_its_line_in_the_help_and_no_line_is_without_command():
    assert set(SUMMARIES) == set(COMMANDS)


def test_every_command_is_documented_with_an_example():
    found = []
    for name in BUILT:
        command = main.get_command(click.Context(main), name)
        for path, leaf in tidiness.leaves(command, f"tally {name}"):
            found += tidiness.undocumented(path, leaf)
    assert found == []


@pytest.mark.parametrize(
    "command",
    [
        click.Command("x"),
        click.Command("x", help="Does it."),
        click.Command("x", help="Does it.", epilog="Example: another command"),
    ],
)
def test_a_command_without_help_or_example_is_found(command):
    assert tidiness.undocumented("tally x", command)


def test_a_command_with_help_and_example_passes():
    command = click.Command("x", help="Does it.", epilog="Example: tally x FILE")
    assert tidiness.undocumented("tally x", command) == []


# --- systemd ----------------------------------------------------------------------------------


def _starts():
    """(unit, words after `tally`) of every line that starts one of our commands."""
    for path in tidiness.files(".service", under=ROOT / "systemd"):
        for line in re.findall(r"^Exec\w+=[-+!@]*(.+)$", path.read_text("utf-8"), re.MULTILINE):
            words = shlex.split(line)
            assert words[0].endswith("/tally"), f"{path.name} starts {words[0]}"
            yield path.name, words[1:]


def test_units_for_the_hub_and_the_stations_are_there():
    assert {("hub", "serve"), ("station", "run")} <= {tuple(w[:2]) for _, w in _starts()}


def test_every_unit_starts_a_command_that_exists():
    assert [words for _, words in _starts() if words[0] not in COMMANDS] == []
    built = [words for _, words in _starts() if words[0] in BUILT]
    assert [line for words in built for line in tidiness.unknown_command(words, main)] == []


def test_a_command_line_that_does_not_exist_is_found():
    top = click.Group("tally", commands=[click.Command("run", params=[click.Option(["--quiet"])])])
    assert tidiness.unknown_command(["run", "DIR", "--quiet"], top) == []
    assert tidiness.unknown_command(["walk"], top)
    assert tidiness.unknown_command(["run", "--loud"], top)


# --- data, locks, documents, words ------------------------------------------------------------


def test_config_has_no_python():
    assert list(tidiness.files(".py", ".pyc", under=ROOT / "config")) == []


LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def test_the_locks_are_there():
    assert {path.stem for path in LOCKS} == {"build", "dev", "run", "tools"}


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_holds_hashes_and_no_address(path):
    assert tidiness.lock_problems(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "--index" + "-url simple\n",
        "-f /some/where\n",
        "click @ file:///tmp/click.whl\n",
        "click>=8\n",
        "click==8.1\n",
    ],
)
def test_a_lock_with_an_address_or_without_hash_is_found(text):
    good = f"click==8.1 \\\n    --hash=sha256:{'0' * 64}\n"
    assert tidiness.lock_problems(good) == []
    assert tidiness.lock_problems(good + text)


MARKDOWN = list(tidiness.files(".md"))


def _relative(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MARKDOWN, ids=_relative)
def test_a_document_has_one_title_and_no_dead_link(path):
    text = path.read_text("utf-8")
    assert tidiness.titles(text) + tidiness.dead_links(path, text) == []


@pytest.mark.parametrize("text", ["", "no title\n", "# One\n# Two\n", "words\n# Late\n"])
def test_a_document_without_exactly_one_title_is_found(text):
    assert tidiness.titles(text)


@pytest.mark.parametrize(
    "text",
    [
        "[x](missing.md)",
        "[x](README.md#no-such-heading)",
        "[x]: docs/none.md",
        "`tests/tidy/test_nothing.py`",
        "`tests/tidy/test_house_is_tidy.py::test_that_is_not_there`",
    ],
)
def test_a_dead_link_is_found(text):
    assert tidiness.dead_links(ROOT / "README.md", text)


def test_a_link_in_a_code_block_and_one_to_the_web_are_left_alone():
    text = "[w](https://example.org)\n```\n[x](missing.md)\n```\n[g](pyproject.toml)"
    assert tidiness.dead_links(ROOT / "README.md", text) == []


_TEXTS = [p for p in tidiness.files() if p.suffix not in {".png", ".jpg", ".gz", ".zst", ".tlyb"}]


def test_no_file_holds_words_that_have_no_place_here():
    found = {
        _relative(path): tidiness.forbidden_words(path.read_text("utf-8", errors="replace"))
        for path in _TEXTS
    }
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "text",
    [
        "see /wo" + "rk/main",
        "as the Assist" + "ant said",
        "# FIX" + "ME",
        "# TO" + "DO tidy up",
        "https://py" + "pi.org/simple",
    ],
)
def test_a_forbidden_word_is_found(text):
    assert tidiness.forbidden_words(text)


def test_a_to_do_with_a_decision_is_allowed():
    assert tidiness.forbidden_words("# TO" + "DO after decision 0004: drop this") == []


# --- make -------------------------------------------------------------------------------------


def test_every_public_make_target_explains_itself():
    text = (ROOT / "Makefile").read_text("utf-8")
    public = set(re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)[1].split()) - {"lint"}
    shown = subprocess.run(["make", "-C", ROOT], capture_output=True, text=True, check=True).stdout
    assert {line.split()[0] for line in shown.splitlines() if line.startswith("  ")} == public


def test_the_build_machine_runs_what_everybody_runs():
    path = ROOT / ".ci" / "run"
    assert path.stat().st_mode & 0o111
    assert "make test" in path.read_text("utf-8")
