import re
from pathlib import Path

import pytest

from edge_agent.bootstrap.folder import check_device
from edge_agent.scan.keystrokes import Pace
from edge_agent.settings import KEYS, Settings, SettingsError, load_settings, parse_settings
from tests.support import tidiness

EXAMPLE = tidiness.ROOT / "config" / "station.example.toml"


def problems(text):
    with pytest.raises(SettingsError) as caught:
        parse_settings(text.encode(), check_device, name="station.toml")
    return caught.value.problems


def test_the_example_is_read_and_shows_the_defaults():
    settings = parse_settings(EXAMPLE.read_bytes(), check_device, name="example")
    assert [one["name"] for one in settings.devices] == ["serial-1", "camera-1", "printer-1"]
    plain = Settings()
    assert (settings.language, settings.addresses) == (plain.language, plain.addresses)
    assert (settings.double_read_s, settings.journal_kib_max) == (2.0, 0)
    assert settings.keyboard == plain.keyboard


def test_the_example_names_every_key():
    text = EXAMPLE.read_text("utf-8")
    for key in ("addresses", "kib_max", "keys_min", "gap_median_ms", "gap_ms", "hold_ms", *KEYS):
        assert key in text


def test_a_device_is_named_by_the_line_of_its_own_table():
    raw = b'[[device]]\nname = "a"\n\n[[device]]\nname = "b"\n'

    def only_a(table):
        return None if table["name"] == "a" else "wrong"

    with pytest.raises(SettingsError) as refused:
        parse_settings(raw, only_a, name="station.toml")
    assert refused.value.problems == ("station.toml, line 4: wrong",)


def test_the_pace_of_a_typing_scanner_is_set_in_milliseconds():
    raw = b"[keyboard]\nkeys_min = 6\ngap_median_ms = 60\ngap_ms = 250\nhold_ms = 80\n"
    settings = parse_settings(raw, check_device, name="station.toml")
    assert settings.keyboard == Pace(6, 0.060, 0.250, 0.080)


def test_a_pace_that_no_scanner_has_is_refused_with_its_limits():
    found = "\n".join(
        problems("[keyboard]\nkeys_min = 2\ngap_median_ms = 200\nhold_ms = true\nspeed = 1\n")
    )
    assert "line 2: keys_min: expected 3 to 32, found 2" in found
    assert "line 3: gap_median_ms: expected at most gap_ms, 100, found 200" in found
    assert "line 4: hold_ms: expected 1 to 500, found True" in found
    assert "line 5: keyboard.speed: there is no such key" in found


def test_without_a_file_the_defaults_hold(tmp_path):
    assert load_settings(tmp_path, check_device) == Settings()


def test_every_problem_is_named_at_once_with_its_line():
    found = problems(
        'langage = "en"\n'
        'language = "fr"\n'
        "double_read_s = true\n"
        "[journal]\n"
        "kib_max = -1\n"
        "[hub]\n"
        'addresses = ["https://hub:1/x", 5]\n'
        "[[device]]\n"
        'name = "a"\n'
        'driver = "serial"\n'
        "[[device]]\n"
        'name = "a"\n'
        'driver = "label_files"\n'
    )
    text = "\n".join(found)
    for words in (
        "line 1: langage: there is no such key. Did you mean 'language'?",
        "line 2: language: expected 'en' or 'zh', found 'fr'",
        "line 3: double_read_s: expected 0.5 to 10 seconds, found True",
        "line 5: kib_max",
        "line 7: addresses: expected 'host:port'",
        "each name once, found 'a'",
        "did you mean 'serial_port'?",
        "'folder'",
    ):
        assert words in text
    assert len(found) == 9


@pytest.mark.parametrize(
    "text",
    ["x =", "\x00", 'device = 5\nhub = "x"\njournal = []', "a = [" + "[" * 2000, "[[device]]"],
)
def test_whatever_stands_in_the_file_is_answered_in_words(text):
    assert all(problem.startswith("station.toml") for problem in problems(text))


def test_a_file_that_is_no_text_or_too_large_is_answered_in_words():
    for raw in (b"\xff\xfe", b"#" * 300_000):
        with pytest.raises(SettingsError, match=r"station\.toml"):
            parse_settings(raw, check_device, name="station.toml")


def test_a_file_that_cannot_be_read_is_said(tmp_path):
    (tmp_path / "station.toml").mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(Path(tmp_path), check_device)


def test_every_code_of_journal_and_station_is_on_the_faults_page_and_no_other():
    page = (tidiness.ROOT / "docs" / "operating" / "station-faults.md").read_text("utf-8")
    sources = [
        *tidiness.files(".py", under=tidiness.ROOT / "edge_agent" / "journal"),
        *tidiness.files(".py", under=tidiness.ROOT / "edge_agent" / "station"),
        *tidiness.files(".py", under=tidiness.ROOT / "edge_agent" / "bootstrap"),
    ]
    code = r"\b(?:J-\d{3}|S-\d{3}|E-9\d\d)\b"
    used = {found for path in sources for found in re.findall(code, path.read_text("utf-8"))}
    assert used == set(re.findall(code, page))


def test_the_mirror_is_a_folder_or_none():
    def mirror(text):
        return parse_settings(f"[journal]\n{text}".encode(), check_device, name="s").mirror

    assert (mirror(""), mirror('mirror = "/media/S03"')) == ("", "/media/S03")
    for text in ('"media"', "true", '"/a\\u0000"'):
        [found] = problems(f"[journal]\nmirror = {text}")
        assert "line 2: mirror: expected a folder on another medium" in found


def test_the_folder_of_the_mark_is_absolute_or_none():
    def mark(text):
        return parse_settings(f"[journal]\n{text}".encode(), check_device, name="s").mark

    assert (mark(""), mark('mark = ""'), mark('mark = "/marks"')) == (None, "", "/marks")
    for text in ('"marks"', "true", '"/a\\u0000"'):
        [found] = problems(f"[journal]\nmark = {text}")
        assert "line 2: mark: expected a folder, as in '/var/lib/marks'" in found


def test_how_much_of_the_disk_neighbours_may_take_and_how_long_their_lines_stay():
    found = parse_settings(b"[peers]\nstore_percent = 5\nkeep_days = 30\n", check_device, name="x")
    assert (found.peers.store.percent, found.peers.store.keep_days) == (5, 30)
    with pytest.raises(SettingsError) as caught:
        parse_settings(b"[peers]\nstore_percent = 0\nkeep_days = 0\n", check_device, name="x")
    assert len(caught.value.problems) == 2
