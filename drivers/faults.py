"""Every fault a driver can have: stable code, reason, whether trying again helps, words.

One table, so that codes stay unique and each has its words in both languages. Values go in by
name. The same table is printed for technicians in `docs/operating/device-faults.md`; a test
compares the two. Nothing here knows a device library.
"""

import errno
from dataclasses import dataclass

from drivers.contract import DriverFault, FaultReason


@dataclass(frozen=True, slots=True)
class FaultKind:
    """What is fixed about a fault; `en` and `zh` have the same `{names}`."""

    reason: FaultReason
    is_retryable: bool
    en: str
    zh: str


KINDS: dict[str, FaultKind] = {
    "D-001": FaultKind(
        FaultReason.MISCONFIGURED,
        False,
        "Settings of device {source!r} need correcting: {problems}",
        "设备 {source!r} 的设置需要更正:{problems}",
    ),
    "D-090": FaultKind(
        FaultReason.REFUSED,
        True,
        "{source}: the station did not take a read ({cause}). That read is not recorded: scan it"
        " again. If this repeats, restart the station program and keep its log.",
        "{source}:工位程序未接收一次扫描({cause})。该次扫描未记录:请重新扫描。"
        "如反复出现,请重启工位程序并保留日志。",
    ),
    "D-091": FaultKind(
        FaultReason.BUG,
        True,
        "{source}: the driver stopped on an unexpected error ({cause}). It starts again by itself;"
        " if this repeats, report these words to the supplier of the driver.",
        "{source}:驱动遇到意外错误而停止({cause})。将自动重新启动;"
        "如反复出现,请将此信息报告给驱动供应商。",
    ),
    "D-101": FaultKind(
        FaultReason.NOT_FOUND,
        True,
        "{source}: expected a scanner at {port!r}, found nothing there ({cause}). Plug it in, or"
        " correct `port`; it is taken up by itself.",
        "{source}:{port!r} 处应有扫描枪,但未找到({cause})。请插好,或更正 `port`;之后自动恢复。",
    ),
    "D-102": FaultKind(
        FaultReason.BUSY,
        True,
        "{source}: {port!r} is in use by another program ({cause}). Close that program, or give"
        " this device another port.",
        "{source}:{port!r} 正被其他程序占用({cause})。请关闭该程序,或更换端口。",
    ),
    "D-103": FaultKind(
        FaultReason.PERMISSION,
        True,
        "{source}: this user may not open {port!r} ({cause}). Add the user to the group that owns"
        " the port (usually `dialout`) and restart the station.",
        "{source}:当前用户无权打开 {port!r}({cause})。"
        "请将用户加入端口所属的组(通常为 `dialout`)并重启工位程序。",
    ),
    "D-104": FaultKind(
        FaultReason.MISCONFIGURED,
        True,
        "{source}: {port!r} does not accept these settings ({cause}). Expected a serial port that"
        " can do {expected}. Correct `port` or the line settings.",
        "{source}:{port!r} 不接受这些设置({cause})。应为支持 {expected} 的串口。"
        "请更正 `port` 或线路参数。",
    ),
    "D-105": FaultKind(
        FaultReason.LOST,
        True,
        "{source}: the scanner at {port!r} is gone ({cause}). Check plug and cable; it is taken up"
        " by itself.",
        "{source}:{port!r} 处的扫描枪已断开({cause})。请检查插头和线缆;之后自动恢复。",
    ),
    "D-201": FaultKind(
        FaultReason.NOT_FOUND,
        True,
        "{source}: expected a folder of pictures at {place!r}, found none ({cause}). Create or"
        " mount it, or correct `folder`; it is taken up by itself.",
        "{source}:{place!r} 处应有图片文件夹,但未找到({cause})。"
        "请创建或挂载,或更正 `folder`;之后自动恢复。",
    ),
    "D-202": FaultKind(
        FaultReason.PERMISSION,
        True,
        "{source}: this user may not read {place!r} ({cause}). Give the station's user the right"
        " to read it.",
        "{source}:当前用户无权读取 {place!r}({cause})。请授予工位用户读取权限。",
    ),
    "D-203": FaultKind(
        FaultReason.LOST,
        True,
        "{source}: the camera at {place!r} gives no pictures ({cause}). Check plug, cable and"
        " address; it is taken up by itself.",
        "{source}:{place!r} 处的相机没有图像({cause})。请检查插头、线缆和地址;之后自动恢复。",
    ),
    "D-204": FaultKind(
        FaultReason.UNREADABLE,
        True,
        "{source}: picture {place!r} cannot be read: {cause}. No code was taken from it; take the"
        " picture again.",
        "{source}:图片 {place!r} 无法读取:{cause}。未从中取得编码;请重新拍摄。",
    ),
    "D-205": FaultKind(
        FaultReason.UNREADABLE,
        True,
        "{source}: two decoders read the same spot of {place!r} differently: {cause}. Nothing was"
        " taken from that spot; clean or reprint the label and present it again.",
        "{source}:两个解码器对 {place!r} 同一位置的读数不同:{cause}。"
        "该位置未取用;请清洁或重印标签后再次扫描。",
    ),
    "D-206": FaultKind(
        FaultReason.NOT_FOUND,
        True,
        "{source}: second opinion not available: install libzbar0 ({cause}). Codes are still read"
        " by the first decoder.",
        "{source}:第二解码器不可用:请安装 libzbar0({cause})。第一解码器仍在读码。",
    ),
    "D-207": FaultKind(
        FaultReason.FULL,
        True,
        "{source}: folder {place!r} holds more than {limit} files. Nothing is read from it until"
        " old pictures are moved away.",
        "{source}:文件夹 {place!r} 中的文件超过 {limit} 个。移走旧图片之前不再读取。",
    ),
    "D-208": FaultKind(
        FaultReason.LOST,
        False,
        "{source}: the recording {place!r} has been played to its end, {count} pictures. Nothing"
        " more will come; restart the device to play it again.",
        "{source}:录像 {place!r} 已播放完毕,共 {count} 幅。不会再有图像;如需重播请重启设备。",
    ),
    "D-209": FaultKind(
        FaultReason.MISCONFIGURED,
        False,
        "{source}: the camera's decoder cannot be loaded ({cause}). Install the package again with"
        " all its dependencies.",
        "{source}:无法加载相机解码器({cause})。请重新安装软件包及其全部依赖。",
    ),
    "D-210": FaultKind(
        FaultReason.UNREADABLE,
        True,
        "{source}: picture {place!r} shows more than {limit} codes; only the first {limit}, from"
        " top to bottom, were taken. Bring fewer labels into view.",
        "{source}:图片 {place!r} 中的编码超过 {limit} 个;仅取自上而下的前 {limit} 个。"
        "请减少视野内的标签。",
    ),
    "D-301": FaultKind(
        FaultReason.OUT_OF_PAPER,
        True,
        "{source}: out of paper. {done} of {copies} labels of job {job!r} are out. Load paper,"
        " then print again.",
        "{source}:缺纸。任务 {job!r} 已打印 {done}/{copies} 张。请装纸后重新打印。",
    ),
    "D-302": FaultKind(
        FaultReason.NOT_FOUND,
        True,
        "{source}: expected a folder for labels at {place!r}, found none ({cause}). {done} of"
        " {copies} labels of job {job!r} are out. Create the folder or correct `folder`.",
        "{source}:{place!r} 处应有标签文件夹,但未找到({cause})。"
        "任务 {job!r} 已打印 {done}/{copies} 张。请创建文件夹或更正 `folder`。",
    ),
    "D-303": FaultKind(
        FaultReason.PERMISSION,
        True,
        "{source}: this user may not write to {place!r} ({cause}). {done} of {copies} labels of"
        " job {job!r} are out. Give the station's user the right to write there.",
        "{source}:当前用户无权写入 {place!r}({cause})。"
        "任务 {job!r} 已打印 {done}/{copies} 张。请授予工位用户写入权限。",
    ),
    "D-304": FaultKind(
        FaultReason.FULL,
        True,
        "{source}: no room left at {place!r} ({cause}). {done} of {copies} labels of job {job!r}"
        " are out. Free some space, then print again.",
        "{source}:{place!r} 空间不足({cause})。任务 {job!r} 已打印 {done}/{copies} 张。"
        "请清理空间后重新打印。",
    ),
    "D-305": FaultKind(
        FaultReason.LOST,
        True,
        "{source}: the label could not be written to {place!r} ({cause}). {done} of {copies}"
        " labels of job {job!r} are out. Check the disk.",
        "{source}:标签无法写入 {place!r}({cause})。任务 {job!r} 已打印 {done}/{copies} 张。"
        "请检查磁盘。",
    ),
    "D-306": FaultKind(
        FaultReason.MISCONFIGURED,
        False,
        "{source}: job {job!r} cannot be drawn and nothing was printed: {problems}",
        "{source}:任务 {job!r} 无法绘制,未打印:{problems}",
    ),
    "D-307": FaultKind(
        FaultReason.UNREADABLE,
        False,
        "{source}: job {job!r} was drawn but does not read back, and nothing was printed: expected"
        " {expected}, found {found}. Give the symbol more room in the template.",
        "{source}:任务 {job!r} 绘制后无法回读,未打印:应为 {expected},实为 {found}。"
        "请在模板中为条码留出更大空间。",
    ),
}


def fault(code: str, **values: object) -> DriverFault:
    """The fault of this code with its words filled in."""
    kind = KINDS[code]
    return DriverFault(
        code,
        kind.reason,
        is_retryable=kind.is_retryable,
        words=kind.en.format(**values),
        words_zh=kind.zh.format(**values),
    )


def reason_of(error: OSError) -> FaultReason:
    """Sort an error of the operating system by who has to act."""
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR | errno.ENXIO | errno.ENODEV:
            return FaultReason.NOT_FOUND
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return FaultReason.PERMISSION
        case errno.EBUSY | errno.EAGAIN:
            return FaultReason.BUSY
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return FaultReason.FULL
        case _:
            return FaultReason.LOST
