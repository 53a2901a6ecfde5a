"""Every text of the sync for people, in English and Chinese, by stable code.

What happened first, then what it means for production, then what to do. `say` fills in the values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from edge_agent.sync.port import Said

TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "online": ("Connected to the hub.", "已连接到中心。"),
    "link_cut": (
        "The network of this station was cut here. Production goes on; restore it with link up.",
        "本站网络已在此手动断开。生产照常；用 link up 恢复。",
    ),
    "no_route": (
        "The hub cannot be reached at {where}: {why}. Production goes on; check cable and address.",
        "无法连接中心 {where}：{why}。生产照常；请检查网线和地址。",
    ),
    "timeout": (
        "No answer of the hub at {where} within {seconds} s. Production goes on; it is retried.",
        "中心 {where} 在 {seconds} 秒内没有应答。生产照常；稍后自动重试。",
    ),
    "foreign_ca": (
        (
            "What answers at {where} is not this plant's hub: its certificate is not from the CA "
            "of this station's enrolment. Nothing was sent. Check the address, or enrol again if "
            "the hub is new."
        ),
        (
            "{where} 上应答的不是本厂的中心：其证书不是本站注册时的 CA 签发的。未发送任何内容。"
            "请检查地址；若中心是新装的，请重新注册。"
        ),
    ),
    "other_name": (
        (
            "What answers at {where} is not this station's hub: its certificate is for another "
            "name. Nothing was sent. Check the address, or enrol again if the hub is new."
        ),
        (
            "{where} 上应答的不是本站的中心：其证书属于另一名称。未发送任何内容。"
            "请检查地址；若中心是新装的，请重新注册。"
        ),
    ),
    "no_tls": (
        (
            "What answers at {where} does not speak TLS as a hub does ({why}). Nothing was sent. "
            "Check the address: stations use the hub's port plus 1."
        ),
        (
            "{where} 上应答的不是中心的 TLS（{why}）。未发送任何内容。"
            "请检查地址：工作站使用中心端口加 1。"
        ),
    ),
    "other_hub": (
        (
            "What answers is another hub than the one of the enrolment ({found}). Nothing was "
            "sent. Check the address, or enrol again if the hub is new."
        ),
        "应答的不是注册时的中心（{found}）。未发送任何内容。请检查地址；若中心是新装的，请重新注册。",
    ),
    "not_an_answer": (
        (
            "The answer to {asked} is not one of the hub ({why}); it counts as no answer. A proxy "
            "or log-in page may stand in between."
        ),
        "对 {asked} 的应答不是中心给出的（{why}），视为没有应答。中间可能有代理或登录页面。",
    ),
    "hub_fault": (
        (
            "The hub answered {asked} with status {status}: {why}. Nothing counts as sent; it is "
            "tried again."
        ),
        "中心对 {asked} 的应答状态为 {status}：{why}。不视为已发送；稍后自动重试。",
    ),
    "hub_busy": (
        "The hub cannot take it now: {why} It is tried again in {seconds} s.",
        "中心暂时无法接收：{why} {seconds} 秒后重试。",
    ),
    "refused": (
        "The hub refused {asked} ({code}): {why}",
        "中心拒绝了 {asked}（{code}）：{why}",
    ),
    "too_old": (
        "Hub and station speak different versions: {why} Production goes on; upgrade the older.",
        "中心与本站协议版本不同：{why} 生产照常；请升级较旧的一方。",
    ),
    "bad_receipt": (
        (
            "The hub's receipt for event {seq} does not hold: {why}. The events stay unsent here "
            "and are offered again."
        ),
        "中心对事件 {seq} 的回执不成立：{why}。事件仍视为未发送，将再次发送。",
    ),
    "hub_lacks": (
        (
            "The hub asks again for events from {seq}, which it had taken before or cannot join. "
            "They are sent again."
        ),
        "中心再次索取自 {seq} 起的事件（此前已收或无法衔接）。将重新发送。",
    ),
    "hub_behind": (
        (
            "The hub knows this journal to event {have}, but had acknowledged {acked}: it was "
            "restored from a backup. The rest is sent again."
        ),
        "中心只有本日志至事件 {have}，但曾确认至 {acked}：中心已从备份恢复。其余将重新发送。",
    ),
    "hub_restored": (
        (
            "The hub was restored from a backup and is in epoch {epoch} now. Production goes on; "
            "what it lacks is given back to it, and it grants codes again once all stations called."
        ),
        (
            "中心已从备份恢复，现为第 {epoch} 代。生产照常；它缺少的记录将由各站交还，"
            "所有工作站都连接过之后才会再次批准编码。"
        ),
    ),
    "gave_back": (
        "Gave {count} events of {journal} back to the hub, to event {last}.",
        "已将 {journal} 的 {count} 个事件交还给中心，直至事件 {last}。",
    ),
    "old_hub": (
        (
            "What answers is an old copy of the hub: it is in epoch {found}, the hub is known in "
            "epoch {known}. Nothing was sent. Production goes on; have the old copy switched off, "
            "or restore it by tally hub restore, with the clock set right."
        ),
        (
            "应答的是中心的旧副本：它处于第 {found} 代，而已知中心为第 {known} 代。未发送任何内容。"
            "生产照常；请关闭旧副本，或校准时钟后用 tally hub restore 恢复它。"
        ),
    ),
    "diverged": (
        (
            "The hub holds other events of this journal above {common} than this station: it was "
            "copied or restored from a backup. Call a lead; serialise no more here until then."
        ),
        (
            "自 {common} 之后，中心持有的本日志事件与本站不同：本站曾被复制或从备份恢复。"
            "请叫班组长；查明前请勿在此赋码。"
        ),
    ),
    "ahead": (
        (
            "The hub holds this journal to event {have}, this station only to {head}: it was "
            "restored from a backup. Call a lead; serialise no more here until it is cleared."
        ),
        (
            "中心持有本日志至事件 {have}，本站只到 {head}：本站曾从备份恢复。"
            "请叫班组长；查明前请勿在此赋码。"
        ),
    ),
    "peer_odd": (
        "Neighbour {peer} answered {asked} in a way that is not understood: {why}.",
        "相邻工位 {peer} 对 {asked} 的应答无法理解：{why}。",
    ),
    "peer_refused": (
        "A neighbour refused {asked} with status {status}: {why}",
        "相邻工位拒绝了 {asked}（状态 {status}）：{why}",
    ),
    "peer_strange": (
        "What answers at {where} is no station of this line: {why}. Nothing was sent to it.",
        "{where} 上应答的不是本产线的工位：{why}。未向其发送任何内容。",
    ),
    "peer_unreached": (
        "No neighbour answers at {where}: {why}.",
        "{where} 上没有相邻工位应答：{why}。",
    ),
    "peer_untrue": (
        "What neighbour {peer} passed on was not stored: {why}.",
        "相邻工位 {peer} 转来的内容未存储：{why}。",
    ),
    "copy_was_first": (
        (
            "A copy of this computer went on as this station first. No codes are given out here, "
            "other work is kept. If this computer shall be the station, have an admin make a "
            "token: tally hub enroll-token, then tally station enroll DIR TOKEN."
        ),
        (
            "本机的一个副本已先接替本工位。这里不再发放编码，其他记录照常保存。若应由本机担任本工位，"
            "请管理员生成令牌（tally hub enroll-token），再运行 tally station enroll DIR TOKEN。"
        ),
    ),
    "person_lets": (
        (
            "This computer was copied or restored, and at this plant an admin lets it go on. No "
            "codes are given out until then, other work is kept. The admin makes a token: tally "
            "hub enroll-token; stop the station, then tally station enroll DIR TOKEN."
        ),
        (
            "本机曾被复制或恢复，本厂需由管理员批准后才能继续。在此之前不发放编码，其他记录照常保存。"
            "请管理员生成令牌（tally hub enroll-token）；停止工位程序后运行 "
            "tally station enroll DIR TOKEN。"
        ),
    ),
    "lease_refused": (
        "The hub grants no more codes of {scheme}: {why} {left} are left here.",
        "中心未批准更多 {scheme} 编码：{why} 本站还剩 {left} 个。",
    ),
    "lease_by_person": (
        (
            "This station has got as many codes of {scheme} by asking as the hub gives. {left} are "
            "left here. Have a person grant a block at the hub: page Codes, or tally hub grant."
        ),
        (
            "本工位自行申请的 {scheme} 编码已达中心上限。本站还剩 {left} 个。"
            "请由人员在中心的“编码”页批准，或运行 tally hub grant。"
        ),
    ),
    "lease_waits": (
        (
            "The hub was restored from a backup and grants codes of {scheme} again once every "
            "station has connected to it. {left} are left here."
        ),
        "中心已从备份恢复，所有工作站都连接过之后才会再批准 {scheme} 编码。本站还剩 {left} 个。",
    ),
    "not_ingested": (
        "Journal {journal} cannot be taken beyond event {seq} now: {why}. It is tried again later.",
        "日志 {journal} 暂时无法接收到事件 {seq} 之后：{why}。稍后重试。",
    ),
    "pruned_gap": (
        (
            "The hub lacks events {first} to {last} of this station. They were deleted here after "
            "two backups of the hub held them: restore the hub from a newer backup. Production "
            "goes on."
        ),
        (
            "中心缺少本站的事件 {first} 至 {last}。它们在中心的两份备份收录之后已在本站删除："
            "请用更新的备份恢复中心。生产照常。"
        ),
    ),
    "still_sending": ("Still {unsent} events unsent.", "还有 {unsent} 个事件未发送。"),
    "starting": ("The connection is being opened.", "正在建立连接。"),
    "stopped": ("The station is stopping.", "工作站正在停止。"),
    "token_malformed": (
        (
            "This is not a token of a hub: {why}. Copy the whole line that tally hub enroll-token "
            "printed."
        ),
        "这不是中心的令牌：{why}。请完整复制 tally hub enroll-token 打印的那一行。",
    ),
    "token_used": (
        (
            "This token was used before; each enrols one station once. Make a new one on the "
            "hub: tally hub enroll-token."
        ),
        "此令牌已用过；每个令牌只能注册一个工作站一次。请在中心重新生成：tally hub enroll-token。",
    ),
    "token_expired": (
        (
            "This token is older than 24 h by the hub's clock. Make a new one on the hub: "
            "tally hub enroll-token."
        ),
        "按中心时钟，此令牌已超过 24 小时。请在中心重新生成：tally hub enroll-token。",
    ),
    "token_unknown": (
        "The hub does not know this token. Make a new one on this hub: tally hub enroll-token.",
        "中心不认识此令牌。请在该中心重新生成：tally hub enroll-token。",
    ),
    "notice": (
        "The hub says ({code}, event {seq}): {why}",
        "中心提示（{code}，事件 {seq}）：{why}",
    ),
    "certificate_old": (
        (
            "By this station's clock the hub's certificate ended on {end}. Work and sync go on; "
            "have the clock and the hub looked at."
        ),
        "按本站时钟，中心的证书已于 {end} 到期。生产和同步照常；请检查时钟和中心。",
    ),
    "clock_ahead": (
        (
            "This station's clock is {seconds} s ahead of the hub's (± {within} s). Work and sync "
            "go on and nothing is lost; set the clock right."
        ),
        "本站时钟比中心快 {seconds} 秒（± {within} 秒）。生产和同步照常，数据不丢失；请校准时钟。",
    ),
    "clock_behind": (
        (
            "This station's clock is {seconds} s behind the hub's (± {within} s). Work and sync "
            "go on and nothing is lost; set the clock right."
        ),
        "本站时钟比中心慢 {seconds} 秒（± {within} 秒）。生产和同步照常，数据不丢失；请校准时钟。",
    ),
    "clock_right": (
        "This station's clock agrees with the hub's again.",
        "本站时钟已与中心一致。",
    ),
    "sync_fault": (
        "The sync met a fault of its own: {why}. Production goes on; it starts again.",
        "同步程序出错：{why}。生产照常；将自动重新开始。",
    ),
}


def say(code: str, /, **values: object) -> Said:
    """The text of `code` in both languages."""
    en, zh = TEXTS[code]
    shown = {name: str(value)[:500] for name, value in values.items()}
    return Said(code, en.format(**shown), zh.format(**shown))
