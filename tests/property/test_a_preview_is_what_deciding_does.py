"""Over random plants: what a preview shows is what deciding then appends and changes."""

import json
import random

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.bootstrap import in_memory
from hub.services import deciding, previewing
from hub.services.previewing import Answer
from hub.services.showing import plain
from tests.support.building import SCHEMES
from tests.support.hub_floor import a_hub, demo_files
from tests.support.worlds import World, deliveries, take

_HUB = a_hub()
_HUB.publish(demo_files())
_IMAGE = _HUB.office.store._connection.serialize()  # publishing is slow, and the same for all
ADMIN = "BDG-3001"


def _hub_that_heard(world, dice):
    office = _HUB.office
    hub = in_memory(office.secrets, office.clock, office.entropy, image=_IMAGE)
    ledger = hub.office.store.ledger
    known = set()
    with hub.office.store.transaction():
        ledger.learn(SCHEMES)
        for batch in deliveries(world, dice):
            take(ledger, known, batch)
    return hub


def _everything(hub, codes):
    """What the whole ledger says, read without any idea of what a decision may touch."""
    ledger = hub.office.store.ledger
    things = {("unit", code): plain(ledger.unit(code)) for code in codes}
    things |= {("box", code): plain(ledger.box(code)) or {} for code in codes}
    cases = {case.key: case for case in ledger.cases()}
    findings = {(one.code, one.subject, one.ref) for one in ledger.findings()}
    return things, cases, findings


def _codes(hub):
    codes = set()
    for claim in hub.office.store.ledger.every_claim():
        codes.update((claim.key[0], *claim.value[:1]))
    return sorted(codes)


def _answers(case):
    claims, decisions = deciding.seen_by_person(case)
    keeps = [*claims, "none", "all", *(["before"] if decisions else [])]
    return [Answer(case.key, keep, tuple(claims), tuple(decisions), "looked") for keep in keeps]


def _changes(before, after):
    return {
        key: ({n: v for n, v in old.items() if after[key].get(n) != v}, after[key])
        for key, old in before.items()
        if old != after[key]
    }


def _outcome(case):
    if case is None:
        return None
    live = [claim.ref for claim in case.claims if claim.is_live]
    return {"status": case.status, "held": list(case.held), "live": live}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32 - 1))
def test_a_preview_is_what_deciding_then_appends_and_changes(seed):
    dice = random.Random(seed)
    hub = _hub_that_heard(World(seed, steps=30), dice)
    for _ in range(3):
        cases = hub.office.store.ledger.cases()
        answers = [answer for case in cases for answer in _answers(case) if answer.claims_seen]
        if not answers:
            return
        answer = dice.choice(answers)
        codes = _codes(hub)
        print_before = hub.office.store.ledger.fingerprint()
        things, cases_before, findings = _everything(hub, codes)

        shown = previewing.foresee(hub.office, answer)

        assert hub.office.store.ledger.fingerprint() == print_before, "a preview changes nothing"
        decided = previewing.settle(
            hub.office, answer, by=ADMIN, mark=shown["mark"], digest=shown["digest"]
        )
        assert plain(msgspec.to_builtins(decided.decision)) == shown["event"]["body"]
        assert shown["status"]["after"] == decided.status
        things_after, cases_after, findings_after = _everything(hub, codes)
        shown_things = {(row["sort"], row["code"]): row for row in shown["things"]}
        changed = _changes(things, things_after)
        assert shown_things.keys() == changed.keys()
        for key, row in shown_things.items():
            now = things_after[key]
            assert row["after"] == {name: now.get(name) for name in row["after"]}
            assert row["before"] == {name: things[key].get(name) for name in row["before"]}
            assert changed[key][0].items() <= row["before"].items()
        keys = cases_before.keys() | cases_after.keys()
        really = {
            key: (_outcome(cases_before.get(key)), _outcome(cases_after.get(key))) for key in keys
        }
        assert {row["key"]: (row["before"], row["after"]) for row in shown["cases"]} == {
            key: pair for key, pair in really.items() if pair[0] != pair[1]
        }
        came = {(row["code"], row["subject"], row["ref"]) for row in shown["findings"]["come"]}
        went = {(row["code"], row["subject"], row["ref"]) for row in shown["findings"]["go"]}
        assert (came, went) == (findings_after - findings, findings - findings_after)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32 - 1))
def test_taking_an_answer_back_brings_back_what_stood_before_it(seed):
    dice = random.Random(seed)
    hub = _hub_that_heard(World(seed, steps=30), dice)
    for case in hub.office.store.ledger.cases():
        json.dumps(hub.case_file(case.key))  # every case of every plant can be shown
        if case.status == "contested":
            continue
        answers = [answer for answer in _answers(case) if answer.claims_seen]
        if not answers:
            continue
        answer = dice.choice(answers)
        codes = _codes(hub)
        before = _everything(hub, codes)
        _settle(hub, answer)
        now = hub.office.store.ledger.case(case.key)
        claims, decisions = deciding.seen_by_person(now)
        _settle(hub, Answer(case.key, "before", tuple(claims), tuple(decisions), "back"))
        after = _everything(hub, codes)
        assert after[0] == before[0]
        assert {key: _outcome(one) for key, one in after[1].items() if one.status != "decided"} == {
            key: _outcome(one) for key, one in before[1].items() if one.status != "decided"
        }


def _settle(hub, answer):
    shown = previewing.foresee(hub.office, answer)
    previewing.settle(hub.office, answer, by=ADMIN, mark=shown["mark"], digest=shown["digest"])
