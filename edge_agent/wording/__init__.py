"""The station's texts in English and Chinese, and the way from an answer to a text.

Pure. Keys and placeholders are the machine's (`edge_agent.workflow`); the texts are in `english`
and `chinese`, side by side. Change both, or a test says so.
"""

from edge_agent.wording.showing import Language, language_of, say, say_sentences, show, show_next

__all__ = ["Language", "language_of", "say", "say_sentences", "show", "show_next"]
