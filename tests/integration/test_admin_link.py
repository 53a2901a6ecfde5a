"""`tally hub admin-link` with and without a serving hub, as people and scripts call it."""

import json
import subprocess
import urllib.error
import urllib.request

import pytest

from tests.support.hub_process import hub_process


def admin_link(folder, *options):
    command = ["tally", "hub", "admin-link", str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with hub_process(tmp_path_factory.mktemp("hub") / "hub") as serving:
        yield serving


def test_each_link_is_another_one_that_opens_a_page(hub):
    first, second = admin_link(hub.folder).stdout, admin_link(hub.folder).stdout
    assert first != second
    for link in (first, second):
        assert link.startswith(f"http://127.0.0.1:{hub.port}/in/")
        with urllib.request.urlopen(link.strip(), timeout=30) as page:
            assert page.status == 200


def test_a_script_gets_the_link_and_how_long_it_is_good(hub):
    done = json.loads(admin_link(hub.folder, "--json").stdout)
    assert done["url"].startswith(f"http://127.0.0.1:{hub.port}/in/")
    assert done["seconds"] == 900


def test_the_console_and_the_paths_for_programs_share_the_port(hub):
    address = f"http://127.0.0.1:{hub.port}"
    for path in ("/healthz", "/openapi.json", "/v1/", "/v1/cases"):
        with urllib.request.urlopen(address + path, timeout=30) as answer:
            assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(address + "/", timeout=30)
    with refusal.value as answer:
        assert answer.status == 401
        assert "tally hub admin-link DIR" in answer.read().decode()


def test_without_a_serving_hub_it_says_how_to_start_one(tmp_path):
    folder = tmp_path / "hub"
    for _ in range(2):
        done = admin_link(folder)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"No hub is serving {folder}. Start it first: tally hub serve" in done.stderr
        folder.mkdir(exist_ok=True)
