"""The fixed words of the operator's screen, both languages side by side.

Short on purpose: each stands in a place of known width (`edge_agent.ui`). Placeholders are filled
by `label`; a test draws every one of them at 80 cells.
"""

from typing import Final

from edge_agent.wording.showing import Language
from tally.master.reading import Words

SCREEN: Final[dict[str, Words]] = {
    # where am I
    "clock_wrong": Words("CLOCK? {time}", "时钟? {time}"),
    "order": Words("WO {order} {product}", "工单 {order} {product}"),
    "plan": Words("plan v{version}", "工艺 v{version}"),
    "plan_of": Words("plan {plan}", "工艺 {plan}"),
    "nobody": Words("nobody signed in", "无人登录"),
    "unit": Words("UNIT {code}", "产品 {code}"),
    "box": Words("BOX {code}", "箱 {code}"),
    "no_unit": Words("no unit open", "没有进行中的产品"),
    "no_plan": Words("no plan yet", "还没有工艺"),
    "step": Words("step {step} of {steps}", "第 {step} 步/共 {steps} 步"),
    "here": Words("<-- HERE", "<-- 当前"),
    "refused": Words("REFUSED", "已拒绝"),
    # what to do
    "scan_now": Words("SCAN NOW:", "请扫描:"),
    "act_now": Words("NOW:", "现在:"),
    "do_now": Words("DO NOW", "请做"),
    "typed": Words("TYPED: {text}_", "手输:{text}_"),
    "typed_keys": Words("Enter takes it, Esc leaves", "Enter 确认,Esc 放弃"),
    "undo": Words("undo: F4", "撤销: F4"),
    "refusals": Words(
        "{count} of {limit} refusals at this step. At {limit} the station locks for the "
        "team leader.",
        "本步已拒绝 {count}/{limit} 次。满 {limit} 次锁定,须班长解锁。",
    ),
    "unread": Words(
        "{count} new from the hub, newest: {title}", "中心新消息 {count} 条,最新:{title}"
    ),
    "read": Words("F1 shows all", "F1 查看"),
    "leave": Words("Ctrl+Q leaves.", "按 Ctrl+Q 退出。"),
    # status
    "disk": Words("DISK {free} MiB", "磁盘 {free} MiB"),
    "disk_days": Words("DISK {free} MiB ~{days}d", "磁盘 {free} MiB 约{days}天"),
    "disk_stop": Words("DISK {free} MiB: FINISH UNIT", "磁盘 {free} MiB:做完即停"),
    "online": Words("ONLINE", "在线"),
    "offline": Words("OFFLINE {age}", "离线 {age}"),
    "unsent": Words("unsent {count}", "待传 {count}"),
    "sending": Words("sending {count}", "发送中 {count}"),
    "kept_here": Words("only here", "仅存本机"),
    "kept_near": Words("also at {count}", "另存 {count} 台"),
    "codes": Words("codes {left} ~{time}", "余码 {left} 约{time}"),
    "codes_none": Words("codes 0 PRINT STOPPED", "余码 0 停止打印"),
    "hub_now": Words("hub now", "中心 当前"),
    "hub_at": Words("hub {at}", "中心 {at}"),
    "hub_never": Words("hub never", "中心 无"),
    "days": Words("{count}d", "{count}天"),
    "hours": Words("{hours}h{minutes}", "{hours}时{minutes}分"),
    "minutes": Words("{count}m", "{count}分"),
    "device_ok": Words("ok", "正常"),
    "device_starting": Words("starting", "启动中"),
    "device_degraded": Words("CHECK", "请检查"),
    "device_lost": Words("LOST", "断开"),
    "printer_lost": Words("STOPPED", "停机"),
    "serial_port": Words("SCN", "扫码枪"),
    "camera": Words("CAM", "相机"),
    "printer": Words("PRN", "打印机"),
    # keys
    "keys": Words(
        "F1Help F3Type F4Undo F5Reprint F6Hold F7Done F9Call F10EN/ZH F12Out ^NPark",
        "F1帮助 F3手输 F4撤销 F5重打 F6隔离 F7完成 F9呼叫 F10中/EN F12签退 ^N暂存",
    ),
    "cards": Words(
        "Scanner only: command card  CTLOK CTLNO CTLUNDO CTLHOLD CTLPRINT CTLNEXT CTLGOOD CTLNG "
        "CTLRING CTLHELP",
        "只用扫码枪:命令卡  CTLOK CTLNO CTLUNDO CTLHOLD CTLPRINT CTLNEXT CTLGOOD CTLNG CTLRING "
        "CTLHELP",
    ),
    # the wide screen
    "steps": Words("STEPS", "步骤"),
    "contents": Words("UNIT CONTENTS", "产品内容"),
    "instruction": Words("INSTRUCTION step {step}", "第 {step} 步说明"),
    "last_scans": Words("LAST SCANS", "最近扫描"),
    "this_order": Words("THIS ORDER", "本工单"),
    "made_here": Words("finished here {made} of {wanted}", "本站完成 {made}/{wanted}"),
    "refused_here": Words("refused at this step {count} of {limit}", "本步拒绝 {count}/{limit}"),
    "messages": Words("MESSAGES", "消息"),
    "link": Words("LINK", "网络"),
    "devices": Words("DEVICES", "设备"),
    "oldest": Words("{unsent}, oldest {age}", "{unsent},最早 {age}"),
    # not drawn in full
    "too_small": Words(
        "Terminal {width}x{height}, need 80x24. Work is safe.",
        "窗口 {width}x{height},需要 80x24。数据安全。",
    ),
    "E-902": Words(
        "The window is too small ({width}x{height}). Nothing saved, earlier work is safe. "
        "Enlarge it to 80x24 or call the team leader.",
        "窗口太小({width}x{height})。本次未保存,之前的数据安全。请放大到 80x24 或呼叫班长。",
    ),
    "blurred": Words(
        "WINDOW NOT ACTIVE - scans go elsewhere. Press Alt+Tab or click.",
        "窗口未激活 - 扫码会进入其他窗口。请按 Alt+Tab 或点击。",
    ),
    "starting": Words("Starting ...", "正在启动 ..."),
}


def label(key: str, lang: Language, **says: str | int) -> str:
    """A fixed word of the screen in one language.

    Raises:
        KeyError: no such key or a placeholder without a value (our own bug; a test finds it).
    """
    words = SCREEN[key]
    return (words.zh if lang == "zh" else words.en).format(**says)
