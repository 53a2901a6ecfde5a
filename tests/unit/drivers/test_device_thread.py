"""The thread around a device: sessions end in many ways, never without words."""

from drivers import HealthState, Read
from drivers.device_thread import DeviceThread
from drivers.faults import fault
from tests.support.devices import PATIENCE_S, Listener


def told_by(session, enough):
    """The health reported by a driver around this session, until it is enough."""
    listener = Listener()
    driver = DeviceThread("x-1", session, clock=lambda: 5.0)
    driver.start(listener.deliver, listener.report)
    listener.wait(lambda: enough(listener.healths))
    driver.stop(PATIENCE_S)
    return listener.healths


def has(code):
    return lambda healths: any(one.code == code for one in healths)


def test_a_bug_in_a_session_is_told_and_the_device_is_opened_again():
    sessions = []

    def session(link):
        sessions.append(link)
        if len(sessions) == 1:
            raise ZeroDivisionError("of the driver")
        link.ready()
        link.pause(PATIENCE_S)

    healths = told_by(session, lambda healths: healths[-1].state is HealthState.OK)
    assert [one.state for one in healths] == [
        HealthState.STARTING,
        HealthState.LOST,
        HealthState.OK,
    ]
    assert "ZeroDivisionError: of the driver" in healths[1].words


def test_a_session_that_ends_unasked_is_told():
    healths = told_by(lambda link: None, has("D-091"))
    assert "ended without being asked" in healths[-1].words


def test_a_fault_that_time_does_not_heal_is_not_tried_again():
    sessions = []

    def session(link):
        sessions.append(link)
        raise fault("D-209", source="x-1", cause="no such library")

    told_by(session, has("D-209"))
    assert len(sessions) == 1


def test_a_lasting_limitation_stays_when_a_passing_fault_is_over():
    def session(link):
        link.limit(fault("D-206", source="x-1", cause="not installed"))
        link.degrade(fault("D-204", source="x-1", place="a.png", cause="it is empty"))
        link.ready()
        link.deliver(Read("x-1", b"A", 5.0))
        link.pause(PATIENCE_S)

    healths = told_by(session, lambda healths: len(healths) == 4)
    assert [one.code for one in healths] == ["", "D-206", "D-204", "D-206"]
    assert {one.since for one in healths} == {5.0}
