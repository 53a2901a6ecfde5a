"""Rules about the tree, as functions from text to findings; `tests/tidy` applies them.

Every rule takes text (or a command) and gives one line per finding, so that each can be shown to
fail on a planted example and not only to pass on the tree.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("tally", "edge_agent", "hub", "drivers", "tally_demo", "bench")
_NOT_OURS = {"node_modules", "dist", "__pycache__"}

# The functional core. What is not listed here is the shell.
PURE = ("tally", "edge_agent/scan", "edge_agent/workflow")
_SHELL_INSIDE = ("tally/cli.py", "tally/commands/", "tally/ledger/sqlite")


def files(*suffixes: str, under: Path = ROOT) -> Iterator[Path]:
    """Files of the project with one of the suffixes (all when none), sorted; nothing hidden."""
    for path in sorted(under.rglob("*")):
        parts = path.relative_to(under).parts
        if _NOT_OURS.intersection(parts) or (parts[0].startswith(".") and parts[0] != ".ci"):
            continue
        if path.is_file() and (not suffixes or path.suffix in suffixes):
            yield path


def modules() -> list[Path]:
    """Every Python module that is shipped."""
    return [path for name in PACKAGES for path in files(".py", under=ROOT / name)]


def is_pure(path: Path) -> bool:
    """Whether a module belongs to the functional core."""
    name = path.relative_to(ROOT).as_posix()
    return name.startswith(tuple(f"{p}/" for p in PURE)) and not name.startswith(_SHELL_INSIDE)


# --- names and docstrings ---------------------------------------------------------------------

_EMPTY_WORDS = frozenset(
    "base common data handler handlers helper helpers info manager managers misc processor "
    "processors util utils".split()
)


def empty_names(stem: str, source: str) -> list[str]:
    """A module or class whose name says nothing: `utils`, `job_manager`, `BaseStore`, `LotData`."""
    found = [f"module {stem}"] if _says_nothing(stem.strip("_").split("_")) else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", node.name)
            if _says_nothing([word.lower() for word in words]):
                found.append(f"class {node.name}")
    return found


def _says_nothing(words: list[str]) -> bool:
    # "DataMatrix" is a symbology and "BaseStore" a shrug: the last word carries the meaning.
    return words[-1] in _EMPTY_WORDS or words[0] == "base"


def missing_docstring(source: str) -> list[str]:
    """A module that does not say what lives in it."""
    return [] if (ast.get_docstring(ast.parse(source)) or "").strip() else ["no module docstring"]


# --- the functional core ----------------------------------------------------------------------

_IMPURE_MODULES = frozenset(
    "asyncio http logging os pathlib random requests secrets shutil socket sqlite3 sqlite_utils "
    "subprocess tempfile threading time urllib uuid fastapi starlette textual uvicorn click".split()
)
_CLOCKS = frozenset({"now", "utcnow", "today"})
_IMPURE_CALLS = {
    "print": "prints",
    "open": "opens a file",
    "input": "reads the terminal",
    "hash": "depends on the hash seed of the process",
}


def impurities(source: str) -> list[str]:
    """Clock, randomness, output, files, hash seeds and float equality in the functional core."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        found += [f"{getattr(node, 'lineno', 0)}: {what}" for what in _impurities_of(node)]
    return found


def _impurities_of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            for name in names:
                if name.name.partition(".")[0] in _IMPURE_MODULES:
                    yield f"imports {name.name}"
        case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in _IMPURE_MODULES:
            yield f"imports {module}"
        case ast.Call(func=ast.Name(id=name)) if name in _IMPURE_CALLS:
            yield f"{name}() {_IMPURE_CALLS[name]}"
        # now() of a type, not of a value that was handed in: `clock.now()` of a port is fine.
        case ast.Call(func=ast.Attribute(value=value, attr=attr)) if (
            attr in _CLOCKS and ast.unparse(value) in {"datetime", "date", "datetime.datetime"}
        ):
            yield f"{attr}() reads the clock"
        case ast.Compare(left=left, ops=ops, comparators=right):
            if any(isinstance(op, ast.Eq | ast.NotEq) for op in ops) and any(
                _is_float(side) for side in (left, *right)
            ):
                yield "compares a float for equality"
        case _:
            return


def _is_float(node: ast.AST) -> bool:
    match node:
        case ast.UnaryOp(operand=operand):
            return _is_float(operand)
        case ast.Constant(value=float()) | ast.Call(func=ast.Name(id="float")):
            return True
        case _:
            return False


# --- words ------------------------------------------------------------------------------------

# Written in pieces, so that this file does not hold what it looks for.
_FORBIDDEN = [
    (
        "names how the text was made",
        r"\b(?:"
        + "|".join(
            (
                "assist" + "ant",
                "chat" + "gpt",
                "cla" + "ude",
                "anthro" + "pic",
                "co" + "pilot",
                "open" + "ai",
                "language " + "model",
            )
        )
        + r")\b",
    ),
    ("path of one machine", "/" + "work/|/" + "root/|/" + "opt/(?:pypi|wheels)"),
    (
        "address of a package registry",
        r"py" + r"pi\.org|python" + r"hosted\.org|registry\." + r"npmjs|deb\." + r"debian\.org",
    ),
    ("left unfinished", r"\b(?:FIX" + r"ME|X" + r"XX)\b"),
    (
        "TO" + "DO without a decision number or a date",
        r"\bTO" + r"DO\b(?!.{0,40}(?:\b\d{4}\b|decision))",
    ),
]


def forbidden_words(text: str) -> list[str]:
    """Words and paths that have no place in a published project."""
    return [
        f"{number}: {what}: {line.strip()[:80]!r}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in _FORBIDDEN
        if re.search(pattern, line, re.IGNORECASE if "made" in what else 0)
    ]


# --- documents --------------------------------------------------------------------------------

_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(
    r"(?<!!)\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE
)
_NAMED_PATH = re.compile(r"`((?:tests|docs|config|systemd|requirements)/[\w./-]+\w)(?:::(\w+))?`")


def titles(text: str) -> list[str]:
    """Anything but exactly one first-level title, on the first line."""
    prose = _FENCE.sub("", text)
    found = re.findall(r"^# .+$", prose, re.MULTILINE)
    if len(found) != 1:
        return [f"expected one title, found {len(found)}: {found}"]
    return [] if prose.lstrip().startswith("# ") else ["the title is not the first line"]


def _slug(heading: str) -> str:
    """The anchor that common renderers make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def dead_links(path: Path, text: str) -> list[str]:
    """Relative links, anchors and named tests or files that lead nowhere."""
    prose = _FENCE.sub("", text)
    found: list[str] = []
    for match in _LINK.finditer(prose):
        target = match[1] or match[2]
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        if not place.exists():
            found.append(f"link to {target}: no such file")
        elif anchor and place.suffix == ".md":
            headings = re.findall(
                r"^#+ (.+)$", _FENCE.sub("", place.read_text("utf-8")), re.MULTILINE
            )
            if anchor not in {_slug(heading) for heading in headings}:
                found.append(f"link to {target}: no such heading")
    for named, test in _NAMED_PATH.findall(prose):
        place = ROOT / named
        if not place.exists():
            found.append(f"names `{named}`: no such file")
        elif test and not re.search(
            rf"^\s*(?:async )?def {test}\(", place.read_text("utf-8"), re.MULTILINE
        ):
            found.append(f"names `{named}::{test}`: no such test there")
    return found


# --- locks ------------------------------------------------------------------------------------


_PINNED = re.compile(r"[\w.\[\],-]+==\S+[^\n]*\\\n\s+--hash=sha256:[0-9a-f]{64}")


def lock_problems(text: str) -> list[str]:
    """Addresses in a lock, and requirements without an exact version or a hash."""
    found = [
        f"{number}: address: {line.strip()[:80]!r}"
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(
            r"[a-z+]+://|^\s*(?:-i|--(?:extra-)?index-url|-f|--find-links)\b|^\S+ @ ", line
        )
    ]
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    found += [
        f"not pinned by version and hash: {block.splitlines()[0]!r}"
        for block in blocks
        if block[:1].isalnum() and not _PINNED.match(block)
    ]
    return found


# --- commands ---------------------------------------------------------------------------------


def leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """All commands below (and including) one, that do something themselves."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None, f"{path} lists {name!r} and does not have it"
            yield from leaves(child, f"{path} {name}")
        if not command.invoke_without_command:
            return
    yield path, command


def undocumented(path: str, command: click.Command) -> list[str]:
    """A command whose `--help` has no text, or no example to copy."""
    if not (command.help or "").strip():
        return [f"{path}: no help text"]
    shown = " ".join(command.get_help(click.Context(command, info_name=path)).split())
    if not re.search(r"\bexamples?\b", shown, re.IGNORECASE) or shown.count(path) < 2:
        return [f"{path}: --help shows no example (expected `Example: {path} …`)"]
    return []


def unknown_command(words: list[str], top: click.Command) -> list[str]:
    """Words of a command line that name no command, or options that it does not have."""
    command, rest = top, list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        child = command.get_command(click.Context(command), rest[0])
        if child is None:
            return [f"{' '.join(words)}: {rest[0]!r} is no command"]
        command, rest = child, rest[1:]
    options = {text for parameter in command.params for text in parameter.opts}
    return [
        f"{' '.join(words)}: no option {word}"
        for word in rest
        if word.startswith("--") and word.partition("=")[0] not in options
    ]
