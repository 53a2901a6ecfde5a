"""Texts of `hub.web.pages.unread`."""

from typing import Final

ENGLISH: Final[dict[str, str]] = {
    "unread.title": "Events that lists and traces lack",
    "unread.counts": "{unprojected} lost to a mistake of the program, {uninterpreted} not "
    "understood by this version, {quarantined} deliveries not proven; {held} events are stored.",
    "unread.words": "Every event named here is stored and acknowledged; only what it says is "
    "missing in cases and traces. Install the newest version: it takes in what it can. Send "
    "mistakes of the program to its makers. What is not proven counts for nothing; its station "
    "sends again.",
    "unread.none": "Nothing: every stored event counts.",
    "unread.event": "Event",
    "unread.station": "Station",
    "unread.type": "Type",
    "unread.reason": "Why",
    "unread.said": "For the makers of the program",
    "unread.unprojected": "A mistake of the program",
    "unread.uninterpreted": "Not understood by this version",
    "unread.quarantined": "Not proven",
    "unread.unknown_type": "a type of a newer version",
    "unread.unknown_version": "a form of a newer version",
    "unread.malformed": "its writer made a mistake in it",
    "unread.older_ledger": "this version understands it and is about to take it in",
    "unread.more": "and {count} more",
}

CHINESE: Final[dict[str, str]] = {
    "unread.title": "列表和追溯中缺少的事件",
    "unread.counts": "因程序错误缺少 {unprojected} 条,本版本不能理解 {uninterpreted} 条,"
    "未能证实的提交 {quarantined} 次;共存储 {held} 条事件。",
    "unread.words": "此处列出的事件均已存储并确认,只是其内容在争议和追溯中缺失。请安装最新版本,"
    "它会补入能理解的内容。程序错误请发给开发方。未能证实的内容不作数,工位会重新发送。",
    "unread.none": "没有:所有已存储的事件都已计入。",
    "unread.event": "事件",
    "unread.station": "工作站",
    "unread.type": "类型",
    "unread.reason": "原因",
    "unread.said": "供程序开发方参考",
    "unread.unprojected": "程序错误",
    "unread.uninterpreted": "本版本不能理解",
    "unread.quarantined": "未能证实",
    "unread.unknown_type": "来自更新版本的类型",
    "unread.unknown_version": "来自更新版本的格式",
    "unread.malformed": "写入方的程序有误",
    "unread.older_ledger": "本版本能理解,即将补入",
    "unread.more": "另有 {count} 条",
}
