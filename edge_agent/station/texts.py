"""The text of an output in one language: from the wording tables, or as it was given."""

from typing import Literal

from edge_agent.station.outputs import Output
from edge_agent.wording import show

Language = Literal["en", "zh"]


def text_of(output: Output, language: Language) -> str:
    """What happened, why, and what to do now."""
    if output.words is not None:
        return output.words.zh if language == "zh" else output.words.en
    assert output.answer is not None, "an output has words or an answer"
    return show(output.answer, language)
