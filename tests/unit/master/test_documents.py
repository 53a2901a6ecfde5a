"""Files with mistakes: every mistake is named at once, with its place and a way out."""

import json

import pytest

from tally.commands.demo_config import demo_documents
from tally.master import Entity, from_content, kind_of, load_documents
from tally.master.documents import FILE_BYTES_MAX, PROBLEMS_MAX, ROWS_MAX


@pytest.fixture(scope="module")
def plant() -> tuple[Entity, ...]:
    return load_documents(demo_documents())[0]


def words(known: tuple[Entity, ...], name: str, text: str | bytes) -> list[str]:
    content = text if isinstance(text, bytes) else text.encode()
    return [str(problem) for problem in load_documents([(name, content)], known)[1]]


def demo(name: str) -> str:
    return dict(demo_documents())[name].decode()


def test_all_mistakes_of_a_plan_are_named_at_once(plant: tuple[Entity, ...]) -> None:
    text = (
        demo("plans/final-assembly.toml")
        .replace('unknown = "provisional" ', 'unknown = "provisonal" ')
        .replace("tries = 2", "tries = 2.5")
        .replace('low = "0.50"', "low = 0.50")
        .replace("characteristic =", "charakteristic =")
        .replace('kind = "pass_fail"', 'kind = "passfail"')
        .replace('zh = "扫描 LED 灯板"', 'cn = "扫描 LED 灯板"')
        .replace('not_used = "lead"', 'not_use = "lead"')
    )
    found = words(plant, "p.toml", text)
    for expected in (
        (
            "unknown: expected one of block, lead, provisional, found 'provisonal'; "
            "did you mean 'provisional'?"
        ),
        (
            "step[3].rules.not_use: expected only the keys not_used, lot_released, previous_op, "
            "found an unknown key; did you mean 'not_used'?"
        ),
        "step[3].text.zh: expected Chinese text, found nothing",
        "step[3].text.cn: expected only the keys en, zh, found an unknown key",
        (
            "step[5].characteristic: expected a name of letters, digits, '.', '_', '/', '-', "
            "found nothing; did you mean 'charakteristic'?"
        ),
        (
            'step[5].low: expected a decimal number in quotes, as in "0.50", found 0.50; '
            'write "0.50"'
        ),
        "step[5].tries: expected a whole number of 1 to 20, found 2.5",
        (
            "step[6].kind: expected one of commission, commission_preprinted, read_back, identify, "
            "bind_serial, load_lot, measure, pass_fail, open_box, pack, close_box, "
            "found 'passfail'; did you mean 'pass_fail'?"
        ),
    ):
        assert any(one.startswith(f"p.toml: {expected}") for one in found), expected
    assert len(found) == 10, "\n".join(found)


def test_mistakes_between_steps_are_named_beside_mistakes_in_them(
    plant: tuple[Entity, ...],
) -> None:
    text = (
        demo("plans/final-assembly.toml")
        .replace("version = 14", 'version = "x"')
        .replace('id = "board"', 'id = "print"')
        .replace('of = "print"', 'of = "prnt"')
        .replace('low = "0.50"', 'low = "0.80"')
        .replace("tries = 2", "tries = 0")
    )
    found = words(plant, "p.toml", text)
    for key in ("version", "step[3].id", "step[2].of", "step[5].low", "step[5].tries"):
        assert any(one.startswith(f"p.toml: {key}: expected") for one in found), (key, found)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('of = "print"', 'of = "prnt"', "expected the id of an earlier commission step"),
        ('id = "verify"', 'id = "print"', "step[2].id: expected each id once"),
        ('kind = "read_back"\nof = "print"\nsources', 'kind = "pass_fail"\ndefects', "step[1]: "),
        ('low = "0.50"', 'low = "0.80"', "step[5].low: expected at most high, 0.70, found 0.80"),
        ('scheme = "bl2@1"', 'scheme = "bl2@2"', "expected a known version of scheme bl2"),
        ('scheme = "bl2@1"', 'scheme = "bl3@1"', "did you mean 'bl2'?"),
        ('scheme = "bl2@1"', 'scheme = "sscc@1"', "expected a scheme for units"),
        ('template = "unit-40x20"', 'template = "unit-40x21"', "did you mean 'unit-40x20'?"),
        ('part = "PCB-L"', 'part = "PCB-X"', "step[3].part: expected a known product"),
        ('slot = "board"', 'slot = "bord"', "step[3].slot: expected a component of BL-2@4"),
        ('op = "20"', 'op = "25"', "expected an operation of the routing of PCB-L, found '25'"),
        ('en = "Pass / fail"', f'en = "{"x" * 31}"', "English text of at most 30 screen cells"),
        ('zh = "合格 / 不合格"', f'zh = "{"格" * 16}"', "Chinese text of at most 30 screen cells"),
        ("version = 14", "version = 15\nsubject = 'box'", "expected open_box, pack, close_box"),
    ],
)
def test_one_mistake_in_a_plan_is_named(
    plant: tuple[Entity, ...], old: str, new: str, expected: str
) -> None:
    text = demo("plans/final-assembly.toml")
    assert old in text
    text = text.replace("version = 14", "version = 15") if "version" not in old else text
    assert any(expected in one for one in words(plant, "p.toml", text.replace(old, new)))


def test_a_published_version_cannot_change(plant: tuple[Entity, ...]) -> None:
    text = demo("plans/final-assembly.toml").replace("tries = 2", "tries = 3")
    assert words(plant, "p.toml", text) == [
        (
            "p.toml: file: expected plan final-assembly@14 as it is published, "
            "found other content; a change is a new version: write version = 15"
        )
    ]


def test_two_different_ones_of_one_id_name_both_places(plant: tuple[Entity, ...]) -> None:
    one = '[[site]]\nsite = "NB2"\nname = { en = "A", zh = "甲" }\nzone = "Asia/Shanghai"\n'
    other = one.replace('"A"', '"B"').encode()
    _, problems = load_documents([("a.toml", one.encode()), ("b.toml", other)], plant)
    assert [str(problem) for problem in problems] == [
        "b.toml: site[1]: expected site NB2@1 once, found another one in a.toml: site[1]"
    ]


def test_the_same_twice_is_no_problem_and_comes_once(plant: tuple[Entity, ...]) -> None:
    one = b'[[site]]\nsite = "NB2"\nname = { en = "A", zh = "A" }\nzone = "Asia/Shanghai"\n'
    entities, problems = load_documents([("a.toml", one), ("b.toml", one)], plant)
    assert ([kind_of(entity) for entity in entities], problems) == (["site"], ())


def test_an_entity_with_mistakes_is_not_called_missing_on_top() -> None:
    files = dict(demo_documents())
    files["schemes.toml"] = files["schemes.toml"].replace(b"width = 6", b"width = 0")
    _, problems = load_documents(list(files.items()))
    assert [problem.key for problem in problems] == ["scheme[1].field[4].width"]


def test_schemes_that_share_codes_are_refused(plant: tuple[Entity, ...]) -> None:
    text = (
        '[[scheme]]\nscheme = "board"\nlevel = "unit"\n'
        '[[scheme.field]]\nkind = "literal"\ntext = "PCB-"\n'
        '[[scheme.field]]\nkind = "counter"\nbase = 36\nwidth = 7\n'
    )
    assert words(plant, "s.toml", text) == []  # '-' of PCB-L- is no digit of base 36
    clash = text.replace('"PCB-"', '"PCB-L-"').replace("width = 7", "width = 5")
    assert "no code that pcb-l@1 could have made" in words(plant, "s.toml", clash)[0]


def test_a_scheme_for_commands_is_refused(plant: tuple[Entity, ...]) -> None:
    text = (
        '[[scheme]]\nscheme = "c"\nlevel = "unit"\n[[scheme.field]]\nkind = "literal"\n'
        'text = "CTL"\n[[scheme.field]]\nkind = "counter"\nwidth = 3\n'
    )
    assert "cannot begin with CTL" in words(plant, "s.toml", text)[0]


def test_sheet_problems_name_row_and_column(plant: tuple[Entity, ...]) -> None:
    text = (
        "lot,part,qty,state,since,by,reason\n"
        "L-1,LED-3,ten,released,06:10,BDG-3001,\n"
        "\n"
        "L-2,LED-4,10,relased,06:10,BDG-3001,\n"
        "L-3,LED-3,10,on_hold,26:10,BDG-3001,\n"
        "L-4,SCR-M3,0,released,06:10,BDG-9,\n"
        "L-5,SCR-M3,1,released,06:10,BDG-3001,\n"
    )
    found = words(plant, "lots.csv", text)
    for expected in (
        "row 2.qty: expected a decimal number, found 'ten'",
        (
            "row 4.state: expected one of received, released, on_hold, found 'relased'; "
            "did you mean 'released'?"
        ),
        "row 5.since: expected HH:MM",
        "row 5.reason: expected the reason of the hold, found nothing",
        "row 6.qty: expected more than 0, found '0'",
        "row 7.part: expected a part that is tracked by lot, found 'SCR-M3'",
    ):
        assert any(one.startswith(f"lots.csv: {expected}") for one in found), expected


def test_sheets_of_other_countries_are_read(plant: tuple[Entity, ...]) -> None:
    text = "\ufefflot;part;qty;state;since;by\r\nL-1;LED-3;10;released;06:10;BDG-3001\r\n"
    assert words(plant, "lots.csv", text) == []


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", b"", "expected a file name that ends in .toml, .csv or .json"),
        ("a.toml", b"\xb2\xe2", "expected UTF-8 text, found byte 0xb2 at offset 0"),
        ("a.toml", b"x" * (FILE_BYTES_MAX + 1), "expected at most 4194304 bytes"),
        ("a.toml", b"a = ", "expected TOML, found Invalid value (at end of document)"),
        ("a.toml", b"x = [" * 5000, "expected TOML"),
        ("a.json", b"[" * 100_000, "expected JSON"),
        ("a.json", b"[]", "expected a JSON object, found list"),
        ("a.json", b'{"lot": [], "lot": []}', "found the key 'lot' twice in one object"),
        ("a.json", b'{"lot": [{"qty": NaN}]}', "found NaN"),
        ("a.json", b'{"lot": {}}', "expected a list of tables, found dict; write [[lot]]"),
        ("a.toml", b"[[lott]]\n", "found unknown key 'lott'; did you mean 'lot'?"),
        ("a.csv", b"", "expected a header row, found an empty sheet"),
        ("a.csv", b"lott,part\n", "did you mean 'lot'?"),
        ("a.csv", b"lot,part,part\n", "row 1: expected each column named once"),
        ("a.csv", b"lot,part\nL,P,Q\n", "row 2: expected 2 cells, as in the header, found 3"),
        ("a.csv", b'lot,part\n"L', "row 2: expected CSV"),
        ("a.csv", b"lot\n" + b"x\n" * (ROWS_MAX + 1), "expected at most 100000 rows"),
        ("a.csv", b",".join(b"c%d" % n for n in range(101)), "row 1: expected at most 100 columns"),
        ("a.json", json.dumps({"lot": [dict.fromkeys(map(str, range(101)))]}).encode(), "lot[1]: "),
        ("a.csv", b"lot,since\nL,2026-13-01T06:50Z\n", "row 2.since: expected HH:MM, or a time"),
        ("a.csv", b"lot\n" + b"x" * 5000, "expected cells of at most 4096 characters"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(name: str, content: bytes, expected: str) -> None:
    assert any(expected in one for one in words((), name, content))


def test_problems_of_a_hostile_file_end_somewhere() -> None:
    rows = b"lot\n" + b"x\n" * (PROBLEMS_MAX // 4)
    found = words((), "a.csv", rows)
    assert len(found) <= PROBLEMS_MAX + 10
    assert "put these right first" in found[-1]


def test_content_with_strange_values_is_refused_and_never_crashes() -> None:
    strange: list[object] = [None, True, 1, "x" * 300, [], {}, [[]], [{}], 0.5, "\u2028", "a\nb"]
    for value in strange:
        for kind in ("lot", "plan", "scheme", "bom", "person", "routing", "product", "template"):
            keys = ("lot", "plan", "step", "field", "line", "roles", "name", "qty", "operation")
            content = dict.fromkeys((*keys, "template", "size_mm", "dpi", "item"), value)
            assert isinstance(from_content(kind, content), tuple)


def test_an_unknown_kind_of_entity_is_named() -> None:
    problems = from_content("palet", {})
    assert isinstance(problems, tuple)
    assert problems[0].found == "'palet'"


def test_json_reads_like_toml(plant: tuple[Entity, ...]) -> None:
    lot = {
        "lot": "L-1",
        "part": "LED-3",
        "qty": "2.5",
        "state": "released",
        "since": "2026-11-20T06:50+08:00",
        "by": "BDG-3001",
    }
    assert words(plant, "a.json", json.dumps({"lot": [lot]})) == []
    assert 'write "2.5"' in words(plant, "a.json", json.dumps({"lot": [lot | {"qty": 2.5}]}))[0]
