"""Which codes in a running film count."""

from drivers.camera.presence import Presence


def test_a_code_counts_with_its_second_picture_in_a_row():
    presence = Presence()
    assert presence.see(["A"], 0.0) == []
    assert presence.has_unconfirmed
    assert presence.see(["A"], 0.1) == ["A"]
    assert not presence.has_unconfirmed


def test_a_code_seen_once_and_then_not_does_not_count():
    presence = Presence()
    assert presence.see(["A"], 0.0) == []
    assert presence.see([], 0.1) == []
    assert presence.see(["A"], 0.2) == []


def test_a_code_that_stays_in_view_counts_once():
    presence = Presence()
    seen = [presence.see(["A"], tick / 10) for tick in range(100)]
    assert seen == [[], ["A"], *[[]] * 98]


def test_a_code_that_flickers_stays_locked():
    presence = Presence()
    seen = [presence.see(["A"] if tick % 5 < 2 else [], tick / 10) for tick in range(100)]
    assert [code for codes in seen for code in codes] == ["A"]


def test_a_code_that_was_away_for_a_second_counts_again():
    presence = Presence()
    presence.see(["A"], 0.0)
    presence.see(["A"], 0.1)
    assert presence.see([], 0.2) == []
    assert presence.see([], 1.2) == []
    assert presence.see(["A"], 1.3) == []
    assert presence.see(["A"], 1.4) == ["A"]


def test_a_slow_film_does_not_look_like_absence():
    presence = Presence()
    seen = [presence.see(["A"], tick * 5.0) for tick in range(6)]
    assert [code for codes in seen for code in codes] == ["A"]


def test_codes_are_counted_apart_and_given_in_the_order_of_the_picture():
    presence = Presence()
    presence.see(["B"], 0.0)
    assert presence.see(["A", "B", "C"], 0.1) == ["B"]
    assert presence.see(["C", "B", "A"], 0.2) == ["C", "A"]


def test_the_same_code_twice_in_one_picture_is_one_sighting():
    presence = Presence()
    assert presence.see(["A", "A"], 0.0) == []
