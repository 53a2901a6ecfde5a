"""What the tray of practice codes says, in English and Chinese: one line of at most 78 cells.

Keys and placeholders are those of `edge_agent.ui.practice`. Only a demo shows these.
"""

from typing import Final

PRACTISING: Final[dict[str, dict[str, str]]] = {
    "en": {
        "practice.enter": "Enter",
        "practice.start": "No scanner? Enter scans the marked code; left and right mark another.",
        "practice.wait": "No practice code fits here now. F3 types one.",
        "practice.wrong": "A wrong one: see what the station says.",
        "practice.again": "The last code once more.",
        "practice.hold": "A lot that must not be used.",
        "practice.untested": "A board that has not passed the flash test.",
        "practice.shared": "S02, cut off like you, builds in this very board. Scan it too.",
        "practice.live": "Now open the hub: unit ...{tail} is live at {console}",
        "practice.pull": "Ctrl+L cuts the link, as an outage would. Work goes on.",
        "practice.cut": "The link is cut, S02 is cut off too. Go on: work does not stop.",
        "practice.restore": "{code} is in two lamps, nobody knows. Ctrl+L restores the link.",
        "practice.case": "Now open the hub: one board in two lamps, a case to decide. {console}",
    },
    "zh": {
        "practice.enter": "回车",
        "practice.start": "没有扫码枪?按回车扫描选中的编码,左右键另选。",
        "practice.wait": "此处暂无练习编码。按 F3 手输。",
        "practice.wrong": "错误的编码:看看工位怎么说。",
        "practice.again": "再扫一次上一个编码。",
        "practice.hold": "禁止使用的批次。",
        "practice.untested": "未通过烧录测试的灯板。",
        "practice.shared": "S02 同样离线,正在装同一块灯板。请在此也扫它。",
        "practice.live": "请打开中心:产品 ...{tail} 已上线 {console}",
        "practice.pull": "Ctrl+L 断开网络,模拟断网。可继续作业。",
        "practice.cut": "网络已断开,S02 也离线。请继续:作业不停。",
        "practice.restore": "{code} 已装入两个产品,尚无人知晓。按 Ctrl+L 恢复网络。",
        "practice.case": "请打开中心:一块灯板装入两个产品,待裁决 {console}",
    },
}
"""By language, then key."""
