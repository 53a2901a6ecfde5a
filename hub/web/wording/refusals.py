"""What the hub's services refuse, in Chinese: a sentence for every code of `Refused`.

The services say it in English with names and numbers; the Chinese page says what it means and what
to do, and quotes those words after it, so that nothing they name is lost.
"""

from __future__ import annotations

from typing import Final, get_args

from hub.services import Refused
from hub.services.answers import Code

CHINESE: Final[dict[Code, str]] = {
    "unknown_journal": "中心没有这本日志:工位须先注册。",
    "forged": "签名或链条不符,不是该工位写的。请上报管理员。",
    "malformed": "内容无法读取或格式不对。请检查后重试。",
    "too_large": "内容太大。请分几次提交。",
    "token_unknown": "中心没有发出过这个注册码。请重新生成。",
    "token_used": "注册码已用过。请重新生成。",
    "token_expired": "注册码已过期。请重新生成。",
    "unknown_station": "没有这个工位。请先导入工位数据。",
    "unknown_scheme": "没有这个编码规则。请先导入规则。",
    "no_capacity": "编码数量不够。请少申请一些,或发布容量更大的规则。",
    "rationed": "工位自行申请的编码已达上限。请由人员在“编码”页批准。",
    "request_reused": "这个申请号已用于别的申请。请换一个新的。",
    "restoring": "中心刚从备份恢复,正在等待各工位。请让每个工位连接一次,再试。",
    "old_copy": "这是中心的旧副本,不能继续写入。请从最新备份恢复。",
    "copied": "有两个中心使用相同的密钥。请停掉另一个,再把留下的中心备份并恢复到新文件夹。",
    "succeeded": "另一份副本已先注册。请用新的注册码注册本电脑。",
    "closed": "这本日志已关闭。请用新的注册码注册本电脑。",
    "unknown_case": "没有这个争议。请在争议列表中查找。",
    "ambiguous": "有不止一个符合。请写得更完整。",
    "not_allowed": "此工牌没有所需的权限。请有权限的人来做。",
    "nothing_to_decide": "已没有可裁决的内容:情况已变。请重新查看。",
    "changed": "期间情况已变,未写入任何内容。请重新阅读后再答复。",
    "unknown_code": "没有这个编码的记录。请核对;工位可能还没有上传。",
    "problems": "文件中有问题,未写入任何内容。请改正后重试。",
}
assert set(CHINESE) == set(get_args(Code)), "every code has its sentence"


UNREADABLE: Final = "提交的内容无法读取,未执行。"
STORAGE: Final = "中心的存储目前不可用,未写入任何内容。"


def refusal_words(refused: Refused) -> dict[str, str]:
    """What to show for a refusal, by language."""
    return quoted(CHINESE[refused.code], refused.words)


def quoted(chinese: str, words: str) -> dict[str, str]:
    """What is said in English only, with what it means in Chinese before it."""
    return {"en": words, "zh": f"{chinese}(中心原文:{words})"}
