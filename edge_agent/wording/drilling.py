"""What the sheet of a drill says, in English and Chinese, by key. Next: `station.drill_sheet`."""

from __future__ import annotations

from typing import Final

from edge_agent.wording.showing import Language

DRILLING: Final[dict[str, tuple[str, str]]] = {
    "title": (
        "Outage drill {drill} at station {station}, {began}",
        "工位 {station} 断网演练 {drill},{began}",
    ),
    "ok": ("ok ", "合格  "),
    "not_ok": ("NOT", "不合格"),
    "not_reached": (
        "The hub did not have everything of this station before the cut, so nothing was cut.",
        "断网之前中心尚未收齐本工位的记录,因此没有断网。",
    ),
    "answered": (
        (
            "{count} practice codes answered OK, each after it was on the disk; {refused} refused; "
            "the slowest took {slowest} ms."
        ),
        "{count} 个演练编码在写入磁盘之后得到 OK;{refused} 个被拒绝;最慢 {slowest} 毫秒。",
    ),
    "cut": (
        (
            "This station's link was away for {seconds} s (asked for: {planned} s); {kept} events "
            "stood on this computer only."
        ),
        "本工位网络断开 {seconds} 秒(要求 {planned} 秒);{kept} 个事件只存于本机。",
    ),
    "drained": (
        (
            "After the link came back the hub answered within {connected} s and acknowledged all "
            "{kept} events, signed, after {drained} s."
        ),
        "网络恢复后,中心在 {connected} 秒内应答,{drained} 秒后已签名确认全部 {kept} 个事件。",
    ),
    "compared": (
        (
            "The hub's copy was read back: {checked} events, each proven by chain and signature, "
            "for {count} practice codes."
        ),
        "已读回中心的副本:{checked} 个事件,逐个核对链与签名,对应 {count} 个演练编码。",
    ),
    "lost": ("{lost} lost{names}.", "丢失 {lost} 个{names}。"),
    "twice": ("{twice} there twice{names}.", "重复 {twice} 个{names}。"),
    "passed": ("PASS", "通过"),
    "not_passed": ("NOT PASSED", "未通过"),
    "shown": (
        (
            "Shown: with its real journal, disk, network and hub this station saves and answers "
            "while its link is cut, and afterwards the hub has each event once, byte for byte."
        ),
        (
            "已证明:本工位用真实的日志、磁盘、网络和中心,断网时照常保存并应答;恢复后中心对每个事件恰有一份,"
            "逐字节相同。"
        ),
    ),
    "not_shown": (
        (
            "Not shown: scanners, printer and the checks of the plan (practice codes name no part, "
            "unit or lot, so nothing of the plant was touched); a hub, switch or power that is "
            "out; other stations. The station's program was stopped for the drill, which ran in "
            "its place."
        ),
        (
            "未证明:扫码枪、打印机和工艺检查(演练编码不代表任何零件、产品或批次,工厂数据未受影响);"
            "中心、交换机或电源故障;其他工位。演练期间工位程序已停止,由演练代替运行。"
        ),
    ),
}
"""By key: English, Chinese."""


def say_drill(key: str, language: Language, /, **says: object) -> str:
    """The text of `key`, filled in."""
    en, zh = DRILLING[key]
    return (zh if language == "zh" else en).format(**says)
