"""Changes the product as this process imports it; no file is touched.

A bug is exact old text and new text. What is compiled from the changed text is never written to a
cache, so that no other process can meet it. Plant before anything of the product is imported.
"""

import importlib.abc
import importlib.machinery
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class DoesNotFit(Exception):
    """The text that a bug changes is no longer there, or more than once."""


def module_of(path):
    """The module that a file is, `edge_agent/journal/blocks.py` for example."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def changed(bug):
    """The new text of each file that a bug changes, by path.

    Raises:
        DoesNotFit: naming file and text.
    """
    texts = {}
    for edit in bug.edits:
        text = texts.get(edit.path) or (ROOT / edit.path).read_text("utf-8")
        times = text.count(edit.old)
        if times != 1:
            raise DoesNotFit(
                f"bug {bug.name!r}: expected its text once in {edit.path}, found it {times} times: "
                f"{edit.old!r}. Write the bug anew for what stands there now."
            )
        texts[edit.path] = text.replace(edit.old, edit.new)
    return texts


class _Changed(importlib.machinery.SourceFileLoader):
    """Loads one module from the changed text."""

    def __init__(self, name, path, text):
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname):
        return compile(self._text, self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, texts):
        self.loaders = {
            module_of(path): _Changed(module_of(path), str(ROOT / path), text)
            for path, text in texts.items()
        }

    def find_spec(self, fullname, path=None, target=None):
        loader = self.loaders.get(fullname)
        if loader is None:
            return None
        return importlib.machinery.ModuleSpec(fullname, loader, origin=loader.path)


def plant(bug):
    """Let this process import the product with the bug in it.

    Raises:
        DoesNotFit: the bug does not fit the source.
    """
    finder = _Finder(changed(bug))
    early = sorted(set(finder.loaders) & set(sys.modules))
    assert not early, f"imported before the bug was planted: {early}"
    sys.meta_path.insert(0, finder)


def is_planted(bug):
    """Whether every module that the bug changes was loaded from the changed text."""
    names = {module_of(edit.path) for edit in bug.edits}
    return all(
        isinstance(getattr(sys.modules.get(name), "__loader__", None), _Changed) for name in names
    )
