"""Whatever stands in a file of master data, reading it gives entities or problems in words."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tally.commands.demo_config import demo_documents
from tally.master import from_content, load_documents, to_content
from tally.master.content import BY_NAME, kind_of

DOCUMENTS = demo_documents()
CONTENTS = [(kind_of(one), to_content(one)) for one in load_documents(DOCUMENTS)[0]]

scalars = st.none() | st.booleans() | st.integers() | st.text() | st.floats()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(DOCUMENTS), st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_gives_problems_that_can_be_printed(
    document: tuple[str, bytes], data: st.DataObject
) -> None:
    name, content = document
    at = data.draw(st.integers(0, len(content)))
    until = data.draw(st.integers(at, min(len(content), at + 8)))
    damage = data.draw(st.binary(max_size=6) | st.text(max_size=4).map(lambda text: text.encode()))
    _, problems = load_documents([(name, content[:at] + damage + content[until:])])
    for problem in problems:
        assert str(problem).isprintable()


@given(st.sampled_from(["a.toml", "a.csv", "a.json"]), st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused(name: str, content: bytes) -> None:
    load_documents([(name, content)])


@given(st.sampled_from(CONTENTS), st.data())
@settings(max_examples=200, deadline=None)
def test_content_with_anything_in_one_place_is_read_or_refused(
    pair: tuple[str, dict[str, object]], data: st.DataObject
) -> None:
    kind, content = pair
    tree = json.loads(json.dumps(content))
    spots: list[tuple[object, object]] = []

    def walk(node: object) -> None:
        keys = list(node) if isinstance(node, dict) else []
        keys = list(range(len(node))) if isinstance(node, list) else keys
        for key in keys:
            spots.append((node, key))
            walk(node[key])  # type: ignore[index]  # a dict or a list, by its own keys

    walk(tree)
    node, key = data.draw(st.sampled_from(spots))
    node[key] = data.draw(values)  # type: ignore[index]  # as above
    found = from_content(kind, tree)
    if isinstance(found, tuple):
        assert found
    else:
        assert from_content(kind, to_content(found)) == found


@given(st.sampled_from(sorted(BY_NAME)), st.dictionaries(st.text(), values, max_size=5))
@settings(max_examples=60, deadline=None)
def test_strange_tables_are_refused_in_words(kind: str, content: dict[str, object]) -> None:
    problems = from_content(kind, content)
    assert isinstance(problems, tuple)
    for problem in problems:
        assert str(problem).isprintable()
