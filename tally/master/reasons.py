"""Reasons that programs record, in both languages.

An event keeps one text, in English, and keeps it for good; whoever shows it to people asks here for
the Chinese one. What a person wrote, in whatever language, stays as it was written.
"""

from __future__ import annotations

import re
from typing import Final

from tally.master.reading import Words

_CHINESE: Final = {
    "set aside by the operator": "操作员隔离",
    "released by the team leader": "班长解除",
    "on hold": "冻结",
    "released": "放行",
    "changeover": "换产",
    "operator": "操作员",
    "label scanned": "扫描标签",
    "hold released": "冻结已解除",
    "decision": "裁决",
    "put back to work by a decision": "因裁决返回作业",
    "no label": "没有标签",
    "label printing": "标签打印中",
    "label failed": "标签未打出",
    "label unsure": "不确定标签是否打出",
    "label printed": "标签已打印",
    "reprint": "重新打印",
    "not known whether it came out": "不确定是否打出",
    "signed out": "退出",
}
_AFTER: Final = re.compile(r"(.+) after (E-\d{3})")


def reason_words(recorded: str) -> Words:
    """A recorded reason for people.

    >>> reason_words("set aside by the operator after E-201").zh
    'E-201 后操作员隔离'
    """
    after = _AFTER.fullmatch(recorded)
    known = _CHINESE.get(after[1] if after else recorded)
    if known is None:
        return Words(recorded, recorded)
    return Words(recorded, f"{after[2]} 后{known}" if after else known)
