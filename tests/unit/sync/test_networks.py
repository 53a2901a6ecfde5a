"""What counts as another network, and how stations that see it come back one after the other."""

from edge_agent.sync import networks
from edge_agent.sync.networks import network_state
from edge_agent.sync.session import SPREAD_SECONDS_MAX, on_network_changed
from edge_agent.sync.state import SyncState

ROUTE = "eth0\t0011A8C0\t00000000\t0001\t{}\t7\t0\t00FFFFFF\t0\t0\t0\n"


def laid_out(folder, monkeypatch, *, carrier="up", used=3, route=True):
    (folder / "net" / "eth0").mkdir(parents=True, exist_ok=True)
    (folder / "net" / "eth0" / "operstate").write_text(f"{carrier}\n")
    (folder / "route").write_text("Iface\tDestination\n" + ROUTE.format(used) * route)
    monkeypatch.setattr(networks, "INTERFACES", folder / "net")
    monkeypatch.setattr(networks, "ROUTES", (folder / "route", folder / "none"))
    return network_state()


def test_a_carrier_or_a_route_makes_another_network_and_traffic_does_not(tmp_path, monkeypatch):
    first = laid_out(tmp_path, monkeypatch)
    assert "eth0 up" in first
    assert laid_out(tmp_path, monkeypatch, used=4711) == first
    assert laid_out(tmp_path, monkeypatch, carrier="down") != first
    assert laid_out(tmp_path, monkeypatch, route=False) != first


def test_where_nothing_can_be_read_nothing_ever_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(networks, "INTERFACES", tmp_path / "none")
    monkeypatch.setattr(networks, "ROUTES", ())
    assert network_state() == ""


def test_this_computer_has_one_network_for_two_looks():
    assert network_state() == network_state()


def test_stations_come_back_one_after_the_other_within_half_a_minute():
    waiting = SyncState(not_before=900.0, failures=7, stations=300)
    assert on_network_changed(waiting, 100.0, 0.0).not_before == 100.0
    assert on_network_changed(waiting, 100.0, 0.5).not_before == 107.5
    many = SyncState(not_before=900.0, failures=7, stations=100_000)
    assert on_network_changed(many, 100.0, 1.0).not_before == 100.0 + SPREAD_SECONDS_MAX
    assert on_network_changed(waiting, 100.0, 0.5).failures == 7  # it may come and go all day


def test_nobody_waits_longer_because_of_it():
    soon = SyncState(not_before=100.2, stations=300)
    assert on_network_changed(soon, 100.0, 0.9).not_before == 100.2
