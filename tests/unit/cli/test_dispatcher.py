"""The `tally` command, as it is installed, beside packages that bring broken commands."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tally.cli import SUMMARIES

ROOT = Path(__file__).resolve().parents[3]

_TALLY = "import sys; from tally.cli import main; main(prog_name='tally')"


def _run(*words, plugins=None):
    """Run `tally` in a process of its own; `plugins` is a folder with more distributions."""
    path = f"import sys; sys.path.insert(0, {str(plugins)!r}); " if plugins else ""
    command = [sys.executable, "-c", path + _TALLY, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.fixture
def plugins(tmp_path):
    """A folder with one distribution that brings one good command and several bad ones."""
    (tmp_path / "plugin.py").write_text(
        "import click\n"
        "NOT_A_COMMAND = 3\n"
        "@click.command()\n"
        "def good():\n"
        '    """Answer."""\n'
        "    click.echo('good')\n"
    )
    (tmp_path / "plugin_raises.py").write_text("raise RuntimeError('no licence for Tuesday')\n")
    folder = tmp_path / "plugin-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1\n")
    (folder / "entry_points.txt").write_text(
        "[tally.commands]\n"
        "good = plugin:good\n"
        "gone = plugin_not_there:x\n"
        "renamed = plugin:old_name\n"
        "raises = plugin_raises:x\n"
        "number = plugin:NOT_A_COMMAND\n"
        "hub = plugin:good\n"
    )
    return tmp_path


def test_help_lists_every_command_and_imports_none():
    loud = "\nimport sys; print([m for m in sys.modules if m in "
    code = (
        "from tally.cli import main\n"
        "main(['--help'], standalone_mode=False)"
        + loud
        + "{'hub', 'edge_agent', 'tally_demo', 'bench', 'tally.commands', 'sqlite3'}])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(f"  {name}" in run.stdout and text in run.stdout for name, text in SUMMARIES.items())
    assert run.stdout.rstrip().endswith("[]")


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    run = _run("--version")
    assert (run.returncode, run.stdout) == (0, f"tally, version {project['version']}\n")


def test_an_unknown_command_is_a_usage_error():
    run = _run("huh")
    assert (run.returncode, run.stdout) == (2, "")
    assert "No such command 'huh'" in run.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone", "ModuleNotFoundError: No module named 'plugin_not_there'"),
        ("renamed", "AttributeError: "),
        ("raises", "RuntimeError: no licence for Tuesday"),
        ("number", "expected a click command at `plugin:NOT_A_COMMAND` of plugin, found int"),
    ],
)
def test_a_broken_command_says_what_is_wrong_with_it(plugins, name, words):
    run = _run(name, "--help", plugins=plugins)
    assert (run.returncode, run.stdout) == (1, "")
    assert words in run.stderr
    assert "the other commands are not affected" in run.stderr.lower()
    assert "Traceback" not in run.stderr


def test_broken_commands_leave_the_others_alone(plugins):
    assert _run("good", plugins=plugins).stdout == "good\n"
    run = _run("--help", plugins=plugins)
    assert run.returncode == 0
    assert "raises" in run.stdout
    assert "Brought by another package." in run.stdout


def test_two_packages_with_the_same_command_are_refused_by_name(plugins):
    run = _run("hub", plugins=plugins)
    assert run.returncode == 1
    assert "hub.cli:hub, plugin:good" in run.stderr
