"""Whether the simulation would notice: known bugs, planted on purpose, must be caught.

The full measurement is `make planted`. Here each bug is shown the seed that caught it then; when
the simulation has changed so much that this seed no longer does, all seeds up to twice as many.
"""

import ast
import hashlib
import re
from dataclasses import replace

import pytest

from tests.planted import page
from tests.planted.bugs import BUGS, ELSEWHERE, OWED, Edit
from tests.planted.hunting import SEEDS_MAX, hunt, kept
from tests.planted.planting import ROOT, DoesNotFit, changed


@pytest.mark.timeout(600)
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught(bug):
    was = kept()[bug.name]
    before = _hashes(bug)
    said = hunt(bug.name, was.after - 1, was.after - 1)
    if said["seed"] is None:
        said = hunt(bug.name, 0, min(2 * was.after, SEEDS_MAX) - 1)
    assert said["oracle"], (
        f"{bug.name}: caught after {was.after} seeds by {was.oracle} once, now not within twice as "
        f"many. Run: make planted ARGS='--bug \"{bug.name}\"'"
    )
    assert _hashes(bug) == before


def _hashes(bug):
    return [hashlib.sha256((ROOT / edit.path).read_bytes()).hexdigest() for edit in bug.edits]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_fits_todays_source(bug):
    for path, text in changed(bug).items():
        ast.parse(text, path)
        assert text != (ROOT / path).read_text("utf-8")


def test_a_bug_that_no_longer_fits_is_refused_with_file_and_text():
    gone = replace(BUGS[0], edits=(Edit("hub/trust.py", "never written", "nor this"),))
    with pytest.raises(DoesNotFit, match=r"once in hub/trust\.py, found it 0 times"):
        changed(gone)
    often = replace(BUGS[0], edits=(Edit("hub/trust.py", "import", "export"),))
    with pytest.raises(DoesNotFit, match=r"found it \d+ times"):
        changed(often)


def test_every_bug_is_measured_and_caught_within_the_limit():
    measured = kept()
    assert list(measured) == [bug.name for bug in BUGS]
    assert all(1 <= caught.after <= SEEDS_MAX for caught in measured.values())


def test_the_table_in_the_guarantees_is_the_one_that_was_measured():
    text = page.PAGE.read_text("utf-8")
    assert page.put(text, page.text_of(kept())) == text, "run: make planted"


def test_what_is_owed_names_a_step_and_what_is_caught_elsewhere_names_a_test():
    assert all(re.match(r"step \d+ \(.+\)\Z", one.step) for one in OWED)
    for one in ELSEWHERE:
        path, _, test = one.test.partition("::")
        assert f"def {test}(" in (ROOT / path).read_text("utf-8")


def test_every_bug_of_the_design_is_planted_caught_elsewhere_or_owed():
    design = (ROOT / "docs" / "design" / "reliability.md").read_text("utf-8")
    listed = re.search(
        r"\*\*Oracle mutation set\*\* \([^)]*\): ([^.]+)\.", " ".join(design.split())
    )
    wanted = {name.replace("`prev`", "prev") for name in listed[1].split("; ")}
    assert wanted <= {one.name for one in (*BUGS, *ELSEWHERE, *OWED)}
