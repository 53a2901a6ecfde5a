"""DIR/hub.toml: defaults, the example, every problem at once."""

import tomllib
from pathlib import Path

import pytest

from hub.settings import Settings, SettingsError, load, parse

EXAMPLE = Path(__file__).parents[3] / "config" / "hub.example.toml"


def test_a_folder_without_settings_has_the_defaults(tmp_path):
    assert load(tmp_path) == Settings()


def test_the_example_shows_the_defaults():
    assert parse(tomllib.loads(EXAMPLE.read_text("utf-8"))) == Settings()


def test_the_example_names_every_key():
    text = EXAMPLE.read_text("utf-8")
    keys = ("host", "port", "addresses", "own_key_suffices", "codes_asked_max", "zone")
    assert all(f"{key} = " in text for key in keys)


def test_every_setting_is_taken(tmp_path):
    (tmp_path / "hub.toml").write_text(
        '[serve]\nhost = "127.0.0.1"\nport = 9000\naddresses = ["hub:9001"]\n'
        '[plant]\nzone = "Asia/Shanghai"\n[stations]\nown_key_suffices = false\n'
        "codes_asked_max = 70\n",
        "utf-8",
    )
    found = Settings(
        "127.0.0.1",
        9000,
        ("hub:9001",),
        "Asia/Shanghai",
        own_key_suffices=False,
        codes_asked_max=70,
    )
    assert load(tmp_path) == found


def test_all_problems_come_at_once_with_the_nearest_key(tmp_path):
    (tmp_path / "hub.toml").write_text(
        '[serve]\nprot = 1\nport = 70000\naddresses = ["hub"]\n[plant]\nzone = "Mars/Base"\n'
        "[sevre]\n",
        "utf-8",
    )
    with pytest.raises(SettingsError) as error:
        load(tmp_path)
    words = "\n".join(error.value.problems)
    assert len(error.value.problems) == 5
    for expected in ("serve.prot", "serve.port", "serve.addresses", "plant.zone", "sevre"):
        assert expected in words
    assert "port" in next(line for line in error.value.problems if "serve.prot" in line)


@pytest.mark.parametrize("content", [b"\xff", b"serve =", b"x" * 100_000])
def test_what_is_no_toml_is_said_so(tmp_path, content):
    (tmp_path / "hub.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"hub\.toml"):
        load(tmp_path)
