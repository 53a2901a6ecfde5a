"""Label templates travel as data: what a station gets is what was drawn up, or words."""

import json

import pytest

from tally.commands.demo_config import demo_documents
from tally.master import LabelItem, Template, from_content, load_documents, to_content
from tally.records.line import LINE_BYTES_MAX

UNIT = dict(demo_documents())["templates/unit-40x20.toml"].decode()


def template(**changes: object) -> dict[str, object]:
    item = {"kind": "qr", "x": 1, "y": "1.5", "size": 8, "value": "{code}"}
    keys = {"template": "t", "size_mm": [40, "20.5"], "dpi": 300, "item": [item]}
    return {key: value for key, value in (keys | changes).items() if value is not None}


def item(**changes: object) -> dict[str, object]:
    keys = {"kind": "code128", "x": 1, "y": 1, "size": 8, "value": "{code}"}
    whole = {key: value for key, value in (keys | changes).items() if value is not None}
    return template(item=[whole])


def words(content: dict[str, object]) -> list[str]:
    found = from_content("template", content)
    return [str(problem) for problem in found] if isinstance(found, tuple) else []


def test_a_template_file_is_a_document_of_its_own() -> None:
    entities, problems = load_documents([("unit.toml", UNIT.encode())])
    assert problems == ()
    assert entities == (
        Template(
            "unit-40x20",
            1,
            ("40", "20"),
            300,
            (
                LabelItem("datamatrix", "3", "4", "12", "{code}"),
                LabelItem("text", "17", "8", "2.5", "{code}"),
            ),
        ),
    )


def test_a_template_may_come_as_json_and_names_its_version() -> None:
    content = json.dumps(template(version=2)).encode()
    entities, problems = load_documents([("t.json", content)])
    assert problems == ()
    assert isinstance(entities[0], Template)
    assert (entities[0].version, entities[0].size_mm) == (2, ("40", "20.5"))


def test_content_has_the_keys_of_the_file_and_reads_back() -> None:
    found = from_content("template", item(height="2.5", gs1=True))
    assert isinstance(found, Template)
    assert to_content(found) == {
        "template": "t",
        "version": 1,
        "size_mm": ["40", "20.5"],
        "dpi": 300,
        "item": [
            {
                "kind": "code128",
                "x": "1",
                "y": "1",
                "size": "8",
                "value": "{code}",
                "height": "2.5",
                "gs1": True,
            }
        ],
    }
    assert from_content("template", to_content(found)) == found


def test_all_mistakes_of_a_template_are_named_at_once() -> None:
    text = (
        UNIT.replace("[40, 20]", "[40, 20.5]")
        .replace("dpi = 300", "dpi = 30")
        .replace('"datamatrix" ', '"datamatrx" ')
        .replace("x = 3\n", "x = 400\n")
        .replace('kind = "text"', 'kidn = "text"')
        .replace('size = "2.5" ', "size = 2.5 ")
    )
    _, problems = load_documents([("t.toml", text.encode())])
    assert [str(problem) for problem in problems] == [
        f"t.toml: {expected}"
        for expected in (
            (
                "size_mm: expected [width, height] in mm, as in [40, 20], decimals in quotes, "
                'found 20.5; write "20.5"'
            ),
            "dpi: expected a whole number of 100 to 1200, found 30",
            (
                "item[1].kind: expected one of datamatrix, qr, code128, text, "
                "found 'datamatrx'; did you mean 'datamatrix'?"
            ),
            "item[1].x: expected mm from 0 to less than 300, found '400'",
            (
                "item[2].kind: expected one of datamatrix, qr, code128, text, found nothing; "
                "did you mean 'kidn'?"
            ),
            (
                'item[2].size: expected a decimal number in quotes, as in "0.50", found 2.5; '
                'write "2.5"'
            ),
            (
                "item[2].kidn: expected only the keys kind, x, y, size, value, gs1, height, "
                "found an unknown key; did you mean 'kind'?"
            ),
        )
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (template(size_mm=None), "size_mm: expected [width, height] in mm"),
        (template(size_mm=[40]), "size_mm: expected [width, height] in mm"),
        (template(size_mm=[40, True]), "size_mm: expected [width, height] in mm"),
        (template(size_mm=[4, 301]), "size_mm: expected sides of 5 to 300 mm, found 4 x 301"),
        (template(item=[]), "item: expected what stands on the label as [[item]], 1 to 64"),
        (template(item=[{}] * 65), "item: expected what stands on the label as [[item]], 1 to 64"),
        (template(item=["qr"]), "item[1]: expected a table, found 'qr'"),
        (template(dpy=300), "dpy: expected only the keys"),
        (template(file="a.toml"), "file: expected only the keys"),
        (item(value=None), "item[1].value: expected text, found nothing"),
        (item(value="a\nb"), "item[1].value: expected text on one line"),
        (item(value="x" * 201), "item[1].value: expected text of at most 200 screen cells"),
        (item(x=40), "item[1].x: expected mm from 0 to less than 40, found '40'"),
        (item(y="-0.5"), "item[1].y: expected mm from 0 to less than 20.5"),
        (item(size=0), "item[1].size: expected mm above 0 to 300, found '0'"),
        (item(size="1e3"), "item[1].size: expected a decimal number in quotes"),
        (item(kind="qr", height=3), "item[1].height: expected a height of code128 only"),
        (item(kind="text", gs1=True), "item[1].gs1: expected GS1 in symbols only"),
        (item(gs1="yes"), "item[1].gs1: expected true or false, found 'yes'"),
        (item(hight=3), "item[1].hight: expected only the keys"),
    ],
)
def test_one_mistake_in_a_template_is_named(content: dict[str, object], expected: str) -> None:
    found = words(content)
    assert len(found) == 1, found
    assert found[0].startswith(f"content: {expected}")


def test_a_published_template_cannot_change() -> None:
    known, _ = load_documents([("unit.toml", UNIT.encode())])
    changed = UNIT.replace("size = 12 ", "size = 11 ").encode()
    _, problems = load_documents([("unit.toml", changed)], known)
    assert [problem.hint for problem in problems] == [
        "a change is a new version: write version = 2"
    ]
    _, problems = load_documents([("unit.toml", b"version = 2\n" + changed)], known)
    assert problems == ()


def test_the_largest_template_fits_one_event() -> None:
    one = {"kind": "code128", "x": "1.123456789", "y": "1.123456789", "size": "200.123456789"}
    full = one | {"height": "200.123456789", "gs1": True, "value": "\U0001f13f" * 200}
    found = from_content("template", template(item=[full] * 64))
    assert isinstance(found, Template)
    text = json.dumps(to_content(found), ensure_ascii=False, separators=(",", ":"))
    assert len(text.encode()) < LINE_BYTES_MAX - 2048
