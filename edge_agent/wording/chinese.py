"""Every text of the station in Simplified Chinese; keys and rules as in `english`."""

from typing import Final

TEXTS: Final[dict[str, str]] = {
    # 已记录
    "ok.printed": "标签 {unit} 已打印。",
    "ok.label_verified": "标签 {unit} 已核对。",
    "ok.label_verified_no_order": "标签 {unit} 已核对,但此产品没有工单。"
    "本工艺已下达:{orders}。请在下一个产品之前扫工单。",
    "ok.commissioned": "产品 {unit} 已开始。",
    "ok.commissioned_no_order": "产品 {unit} 已开始,但没有工单。"
    "本工艺已下达:{orders}。请在下一个产品之前扫工单。",
    "ok.scrapped": "标签 {unit} 已作废。若已打出,请撕下销毁;此编码不再使用。",
    "ok.bound": "{part} {child} 已装入 {unit}。",
    "ok.bound_provisional": "{part} {child} 已暂时装入 {unit}:本站无法全部核查,"
    "收到其他站数据后再核。",
    "ok.lot_loaded": "{part} 批次 {lot} 已上料。之后每个产品都用它,直到扫入另一批次。",
    "ok.measured": "{value} {unit} 合格({low} 至 {high})。",
    "ok.passed_step": "{unit} 本步合格。",
    "ok.box_opened": "箱 {box} 已打开,可装 {count} 个。",
    "ok.packed": "{item} 已装箱:{count}/{capacity}。",
    "ok.packed_provisional": "{item} 已暂时装箱:{count}/{capacity}。收到其他站数据后再核。",
    "ok.changeover": "已换产到 {operation}({plan}),工单 {order}。",
    "ok.parked": "{unit} 已暂存在当前步骤。扫其标签可继续。",
    "ok.resumed": "{unit} 从原步骤继续。",
    "ok.released": "{name} 已解除 {unit} 的冻结,从原步骤继续。",
    "ok.signed_in": "{name} 已登录。",
    "ok.signed_out": "{name} 已退出。产品和步骤保持不变。",
    "ok.unlocked": "{name} 已解锁本站({code})。被拒绝的仍然无效。",
    "ok.lent": "号段 {block} 的 {count} 个编码已借给 {station}。本工位不再发放这些编码。"
    "CTLSLIP 可显示给扫码枪。",
    "ok.undone": "已撤销。本站回到之前的状态。",
    "done.pass": "{unit} 已完成:合格。",
    "done.fail": "{unit} 已完成:不合格。请放入红箱。",
    "done.pass_then": "{unit} 已完成:合格。请取回 {then}:它已退回第 {number} 步。请先拆下原零件。",
    "done.fail_then": "{unit} 已完成:不合格,放入红箱。请取回 {then}:它已退回第 {number} 步。"
    "请先拆下原零件。",
    "done.box": "箱 {box} 已封,内装 {count} 个。",
    # 未记录
    "ready.here": "就绪。",
    "ready.started": "本站已启动。",
    "ready.restored": "{at} 重启后已恢复,没有丢失。",
    "ready.signed_in": "{name} 已经登录。",
    "ready.nobody": "无人登录。",
    "ready.identified": "{unit} 已到站。",
    "ready.identified_provisional": "{unit} 已到站,但有些情况本站无法核查。",
    "ready.lot_loaded": "批次 {lot} 已在用。",
    "ready.partial": "箱 {box} 可以按现状封箱。",
    "ready.cancelled": "已取消,没有改动。",
    "ready.nothing_to_cancel": "没有可取消的操作。",
    "ready.late_print": "打印机报告了标签任务 {job},此任务已处理。",
    "ready.language": "语言已切换。",
    "ready.ring": "请当面呼叫班长:本站没有呼叫灯。",
    "ready.asked_neighbours": "已向相邻工位({stations})申请 {scheme} 编码。若有余量,一分钟内到达。",
    "ready.help": "按本步的提示扫码。CTLNO 取消,CTLUNDO 撤销上一步,CTLHOLD 隔离产品,"
    "CTLNEXT 暂存,CTLOUT 退出。",
    "ready.scanner_ok": "扫码枪正常:测试码的每个字符都与印刷一致。",
    "ready.kept": "争议 {case} 已由 {who} 裁定:{subject} 留在 {unit}。保持原样,无需处理。",
    "dup": "同一编码,已忽略(x{times})。",
    # 询问与等待
    "wait.badge": "无人登录。未保存。请先扫工牌。",
    "wait.printing": "正在打印标签 {unit}。",
    "wait.lead": "本站无法确认 {subject} {rule}(已知:{basis})。班长:扫工牌可继续。CTLNO:放弃。",
    "ask.scrap": "作废标签 {unit}?此编码不再使用。CTLOK:作废。CTLNO:保留。",
    "ask.takeover": "产品 {unit} 正在进行。由 {name} 接手?CTLOK:是。CTLNO:否。",
    "ask.takeover_lead": "{operator} 已登录。由班长 {name} 接手?CTLOK:是。CTLNO:否。",
    "ask.partial": "箱 {box} 只有 {count}/{capacity}。不满箱需要班长工牌。CTLNO:继续装箱。",
    "ask.defect": "{unit} 不合格。请扫缺陷代码({defects}),或扫 CTLOK 不填。CTLNO:返回。",
    "ask.lend_to": "哪个工位缺编码?请扫或输入工位名,可加数量:S03 200。CTLNO:不借。",
    "ask.lend": "把号段 {block} 的 {count} 个编码借给 {station}?班长:请扫工牌。CTLNO:不借。",
    "ask.borrow": "向相邻工位借 {count} 个 {scheme} 编码?班长:请扫工牌。CTLNO:不借。",
    "ask.lot": "换用批次 {lot}?CTLOK:是。CTLNO:否。",
    "undo.label": "撤销对标签 {unit} 的核对?",
    "undo.commissioned": "撤销产品 {unit} 的开始?",
    "undo.bound": "把 {part} {child} 从 {unit} 中撤出?",
    "undo.lot_loaded": "撤销 {part} 批次 {lot} 的上料?",
    "undo.measured": "撤销测量值 {value} {measure}?",
    "undo.finished": "撤销 {unit} 的上一个结果?",
    "undo.packed": "把 {item} 从箱 {box} 中取出?",
    "undo.closed": "重新打开箱 {box}?",
    "undo.hold": "撤销对 {unit} 的隔离?",
    # 冻结
    "hold.unit": "{unit} 自 {since} 起冻结({who}):{reason}。禁止使用。请放入黄色料架。",
    "hold.own": "{unit} 自 {since} 起冻结({who}):{reason}。班长:扫工牌可解除。CTLNO:留在黄色料架。",
    "hold.case": "{unit} 不得装箱或发货。{reason}争议 {case} 裁定前放在黄色料架。",
    "hold.incomplete": "{unit} 不得装箱或装配。{reason}请放入黄色料架并告知班长。",
    "hold.set_aside": "{unit} 已隔离冻结。请放入黄色料架。扫其标签和班长工牌可恢复。",
    "hold.case_opened": "争议 {case}:"
    "{subject} 被扫了两次,本站用于 {units},另用于 {others}({where})。"
    "相关产品全部冻结。裁定前请保持原样。",
    "lock": "本站已锁定({reason})。未保存。",
    # 拒绝,编码不对
    "ng.unknown_code": "无法识别:{text}。未保存。{wants}:可能是旁边的那个标签。",
    "ng.wrong_part": "扫错物料。扫到 {got} {text};本步需要:{wants}。请放回。",
    "ng.wrong_part_later": "扫错物料。扫到 {got} {text};本步需要:{wants}。"
    "请放回,它用于第 {later} 步。",
    "ng.wrong_lot": "扫错物料。扫到 {got} 批次 {text};本步需要:{wants}。请放回。",
    "ng.wrong_lot_later": "扫错物料。扫到 {got} 批次 {text};本步需要:{wants}。"
    "批次在第 {later} 步。",
    "ng.wrong_lot_change": "扫错物料。扫到 {got} 批次 {text};本步需要:{wants}。"
    "若要用此批次替换 {loaded},请扫 CTLOK。",
    "ng.product_code": "{text} 是 {got} 的产品编码,每件都一样。"
    "本步需要:{wants}。请扫每件都不同的小码。",
    "ng.no_scan_here": "现在不需要 {text}。未保存。请先做:{wants}。",
    "ng.already_here": "{child} 已在本产品 {unit} 中。未保存。请继续下一步。",
    "ng.itself": "这是产品 {unit} 自己的标签。未保存。现在:{wants}。",
    "ng.already_in_box": "{item} 已在本箱 {box} 的第 {position} 位。请扫下一个。",
    "ng.other_label": "标签不对。扫到 {got};本产品是 {unit}。需要重打还是拿错产品?"
    "请看刚贴的标签;CTLPRINT 重打,CTLNO 作废。",
    "ng.other_box_label": "标签不对。扫到 {got};本箱是 {unit}。未保存。请扫箱标签;CTLPRINT 重打。",
    "ng.other_device": "此标签须由 {devices} 读取,不能用 {source}。未保存。请在那里读取。",
    "ng.code_twice": "编码 {unit} 已用在一个产品上(见:{where})。请撕下此标签放红箱,换下一张。",
    "ng.outside_block": "编码 {unit} 不属于发给 {station} 的标签。未保存。请用本站标签卷,"
    "并告知班长。",
    # 拒绝,物料不能用
    "ng.lot_held": "批次 {lot} 自 {since} 起冻结({who}):{reason}。禁止使用。放入黄色料架,换批次。",
    "ng.lot_unreleased": "批次 {lot} 未经质量放行。禁止使用。放入黄色料架,换批次。",
    "ng.used": "{child} 已装入 {parent}({station},{at},{who};已知:{basis})。放红箱,换一块再扫。",
    "ng.op_failed": "{unit} 的 {operation} 不合格(最后结果:{last})。放红箱,换一个。",
    "ng.op_missing": "{unit} 未通过 {station} 的 {operation}。最后记录:{last}。请退回 {station},"
    "换一个。",
    "ng.already_passed": "{unit} 已在此合格({station} {at})。请取下一个。",
    "ng.unknown_blocks": "本站无法确认 {subject} {rule}(已知:{basis}),本步不能放行。请放一边,"
    "换一个。",
    "ng.still_blocked": "仍被拦住({reason})。未保存。",
    # 拒绝,读码不完整
    "ng.nothing": "只收到空白或换行。未保存。请距 15 厘米重扫,保证标签完整。",
    "ng.partial": "只收到部分编码({text})。未保存。请距 15 厘米重扫,保证标签完整。",
    "ng.several": "视野内有 {seen} 个标签,{fit} 个符合。未保存。遮住其他标签再扫。",
    "ng.caps_lock": "大写锁定已打开,编码大小写错误({text})。未保存。请按 Caps Lock 后重扫。",
    "ng.input_method": "中文输入法已打开,扫码内容被改变({text})。未保存。"
    "请按 Shift 切到英文后重扫。",
    "ng.layout": "扫码枪与电脑的键盘布局或字符集不一致({text})。未保存。"
    "请扫 CTLTEST 查看解决办法。",
    "ng.scanner_test": "收到的测试码有变化。{faults}之后请再扫 CTLTEST。",
    "ng.too_long": "一次收到的字符太多({text})。未保存。请遮住其他标签,只扫一个。",
    "ng.noise": "收到的编码有错误字符或校验位不符({text})。未保存。请重扫;若反复出现,"
    "检查扫码枪电缆。",
    # 打印机与编码
    "ng.not_printed": "标签未打印:{words}。编码 {unit} 已为本产品保留。处理打印机后扫 CTLPRINT。",
    "ng.no_codes": "{scheme} 编码已用完(已知:{basis})。停止打印,其他工序可继续。请班长申请编码。",
    "ng.no_codes_borrow": "{scheme} 编码已用完。停止打印,其他工序可继续。"
    "班长:扫工牌可向相邻工位借 {count} 个。CTLNO:不借。",
    "ng.not_lent": "{words}请重新扫或输入工位名,或扫 CTLNO。",
    "ng.nobody_lends": "本工位不知道本线有其他工位,无处可借编码。请班长用借码单或 U 盘带来编码。",
    "ng.codes_withheld": "{scheme} 编码停发:此电脑曾被复制或恢复。"
    "取得新编码前停止打印,其他工序可继续。若一直如此,请叫技术员。",
    "ng.key_revoked": "{scheme} 编码停发:本工位的密钥已被收回。此处的记录会保留,但目前不作数。"
    "请叫工厂管理员。",
    "ng.nothing_to_print": "没有进行中的产品,所以没有可重打的标签。"
    "未保存。{wants}:CTLNEXT 取下一个编码。",
    "ng.label_unsure": "不确定标签 {unit} 是否打出。请看打印机:有就扫它,没有就扫 CTLNO。",
    "ng.too_many_copies": "标签 {unit} 已打印 {count} 次。CTLNO 作废。",
    "ng.print_box_first": "箱 {box} 的标签还未打印。请扫 CTLOK 打印。",
    # 数值与结果
    "ng.value_above": "{value} {unit} 超过 {high}。第 {trial}/{tries} 次。请松开后重做。",
    "ng.value_below": "{value} {unit} 低于 {low}。第 {trial}/{tries} 次。请重做。",
    "ng.value_above_failed": "{value} {unit} 超过 {high}。第 {trial}/{tries} 次:{ended} 结束,"
    "不合格。请放入红箱。",
    "ng.value_below_failed": "{value} {unit} 低于 {low}。第 {trial}/{tries} 次:{ended} 结束,"
    "不合格。请放入红箱。",
    "ng.other_value": "收到 {got} 的数值;本步是:{wants}。未保存。",
    "ng.no_number": "{text} 不是像 0.61 这样的数字。未保存。{wants}。",
    "ng.no_value_here": "收到 {got} 的数值,但现在没有步骤需要。未保存。",
    "ng.no_defect": "{text} 不是本步的缺陷代码。请扫其中之一:{defects}。",
    # 命令、换产、暂存
    "ng.command_unknown": "{command} 不是本站的命令。未保存。现在:{wants}。",
    "ng.command_not_here": "{command} 在本步无效。未保存。现在:{wants}。",
    "ng.no_plan": "本站还没有工艺;未处理 {text}。请扫工单或工艺。",
    "ng.no_unit": "{command} 需要一个进行中的产品,现在没有。",
    "ng.unit_open": "产品 {unit} 正在进行。请先完成,或扫 CTLNEXT 暂存,再扫换产。",
    "ng.plan_elsewhere": "{operation}({plan})在 {stations} 做,不在 {station}。没有改动。"
    "请扫本站的工单或工艺。",
    "ng.plan_unknown": "本站没有工艺 {plan}。没有改动。请告知班长先发布。",
    "ng.order_unknown": "本站没有工单 {order}。没有改动。请告知班长先下达。",
    "ng.order_not_released": "工单 {order} 未下达({status})。没有改动。请告知班长。",
    "ng.parked_elsewhere": "{unit} 暂存在工艺 {plan} 下。请先扫该工艺,再扫此标签。",
    "ng.label_open": "标签 {unit} 还未核对,没有实物带此编码。请扫标签,或扫 CTLNO 作废。",
    "ng.too_many_parked": "已暂存 {count} 个产品。请先完成一个。",
    "ng.box_empty": "箱 {box} 是空的。请先扫入一个产品。",
    "ng.box_list_full": "箱 {box} 已装 {count} 个,一条记录只能列这么多。请扫 CTLDONE 封箱。",
    "ng.badge_unknown": "本站不认识工牌 {badge}(已知:{basis})。请告知班长。",
    "ng.nothing_to_undo": "这里没有可撤销的操作。更早的由班长更正。",
    "ng.too_late_to_undo": "已超过 {seconds} 秒。请班长更正。",
    # 消息
    "ng.back": "{unit} 退回第 {number} 步:{subject} 属于 {kept}(争议 {case},{who} 裁定)。"
    "请把 {subject} 从 {unit} 取出,另扫一块。",
    "ng.back_nowhere": "{unit} 退回第 {number} 步:"
    "{subject} 不属于任何产品(争议 {case},{who} 裁定)。"
    "请把 {subject} 从 {unit} 取出,另扫一块。",
    "ng.ended": "{unit}:本站关于 {subject} 的一条记录不再有效;它属于 {kept}"
    "(争议 {case},{who} 裁定:{reason})。请问班长如何处理。",
    "ng.unpack": "请把 {unit} 从箱 {box} 取出:它属于 {kept}(争议 {case},{who} 裁定)。",
    "ng.relabel": "{unit} 不能再用此标签:编码属于 {kept}(争议 {case},{who} 裁定)。请放黄色料架,"
    "换新标签。",
    "ng.recheck": "{unit} 曾暂时放行;现已知:{words}。请放黄色料架并告知班长。",
    # 下一步
    "next.badge": "请扫工牌。",
    "next.lead": "班长:请扫工牌解锁。",
    "next.lead_or_no": "班长工牌,或 CTLNO。",
    "next.confirm": "CTLOK:是。CTLNO:否。",
    "next.defect": "请扫缺陷代码;CTLOK 不填,CTLNO 返回。",
    "next.lend_to": "请给出借入工位,或扫 CTLNO。",
    "next.latched": "请扫正确的,或扫 CTLHOLD 隔离产品,或扫班长工牌。",
    "next.plan": "请扫工单或工艺。",
    "next.start": "{text}:请扫 CTLNEXT。",
    "next.scan": "{text}  {hint}",
    "next.measure": "{text}:{low} 至 {high} {unit}",
    "next.pass_fail": "{text}:CTLGOOD 或 CTLNG",
    "next.pack": "{text}:{count}/{capacity}",
    "next.print_box": "{text}:请扫 CTLOK 打印标签。",
    "next.printing": "请等待标签 {unit}。",
    "next.print_again": "CTLPRINT 打印标签 {unit};CTLNO 作废。",
    "next.unsure": "标签 {unit} 打出了吗?有就扫它;没有就扫 CTLNO 作废。",
    "next.box_label": "CTLPRINT 打印箱 {unit} 的标签;已有标签就扫它。",
    # 步骤清单
    "step.code": "{code}",
    "step.part": "{part}",
    "step.any_released": "{part},任一已放行批次",
    "step.verified": "{unit}  已核对",
    "step.limits": "{low} .. {high} {unit}",
    "step.count": "{count}/{capacity}",
    # 扫码枪对测试码(CTLTEST)的影响及解决办法
    "test.noise": "字节损坏:请检查扫码枪电缆和字符集。",
    "test.input_method": "中文输入法已打开:请按 Shift 切到英文。",
    "test.caps": "大写锁定已打开:请按 Caps Lock。",
    "test.pc_french": "电脑键盘为法语(AZERTY):请把扫码枪国家设为法国。",
    "test.pc_german": "电脑键盘为德语(QWERTZ):请把扫码枪国家设为德国。",
    "test.scanner_french": "扫码枪按法语(AZERTY)输出:请把其国家设为美国。",
    "test.scanner_german": "扫码枪按德语(QWERTZ)输出:请把其国家设为美国。",
    "test.prefix": "编码前有多余字符:请关闭扫码枪前缀。",
    "test.suffix": "编码后有多余字符:扫码枪后缀只保留回车。",
    "test.cut": "只收到开头部分:请距 15 厘米扫完整测试码。",
    "test.gs": "GS 分隔符丢失:请设扫码枪以 Ctrl+] 或 F8 发送。",
    "test.changed": "个别字符丢失:请把扫码枪输出速度调慢。",
    # 组合
    "around.next": "{said} 下一步:{next}",
    "around.last": "{said} 最后保存:{last}",
}
