"""Reasons that programs recorded are shown in both languages; what people wrote stays theirs."""

import pytest

from edge_agent.workflow.changing import RELEASED, SET_ASIDE
from tally.master.reasons import reason_words


@pytest.mark.parametrize("recorded", [SET_ASIDE, f"{SET_ASIDE} after E-201", RELEASED, "on hold"])
def test_what_a_program_recorded_has_a_chinese_text(recorded):
    words = reason_words(recorded)
    assert words.en == recorded
    assert words.zh.isascii() is False
    assert "set aside" not in words.zh
    assert ("E-201" in words.zh) == ("E-201" in recorded)


@pytest.mark.parametrize("written", ["", "solder after E-2", "刮花", "scratched after washing"])
def test_what_a_person_wrote_stays_as_it_is(written):
    assert (reason_words(written).en, reason_words(written).zh) == (written, written)
