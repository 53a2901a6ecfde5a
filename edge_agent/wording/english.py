"""Every text of the station in English: what happened, why, what to do now.

Rules: name the thing, the person, the time, the place; say the physical action; never blame, never
"invalid" or "failed" alone; at most three short sentences. The same keys and placeholders stand in
`edge_agent.wording.chinese`; a test holds both against each other and against the machine.
"""

from typing import Final

TEXTS: Final[dict[str, str]] = {
    # recorded
    "ok.printed": "Label {unit} is printed.",
    "ok.label_verified": "Label {unit} is verified.",
    "ok.label_verified_no_order": "Label {unit} is verified, but the unit has no work order. "
    "Released for this plan: {orders}. Scan the order before the next unit.",
    "ok.commissioned": "Unit {unit} is started.",
    "ok.commissioned_no_order": "Unit {unit} is started, but it has no work order. "
    "Released for this plan: {orders}. Scan the order before the next unit.",
    "ok.scrapped": "Label {unit} is scrapped. Tear it off and destroy it if it came out; "
    "its code is never used again.",
    "ok.bound": "{part} {child} is in {unit}.",
    "ok.bound_provisional": "{part} {child} is in {unit}, provisionally: not everything could be "
    "checked here. It is checked again when the others are heard.",
    "ok.lot_loaded": "{part} lot {lot} is loaded. Every unit takes it until you scan another.",
    "ok.measured": "{value} {unit} is good ({low} to {high}).",
    "ok.passed_step": "{unit} passed this step.",
    "ok.box_opened": "Box {box} is open for {count}.",
    "ok.packed": "{item} is in the box: {count} of {capacity}.",
    "ok.packed_provisional": "{item} is in the box, provisionally: {count} of {capacity}. "
    "It is checked again when the others are heard.",
    "ok.changeover": "Changed over to {operation} ({plan}), work order {order}.",
    "ok.parked": "{unit} is parked at its step. Scan its label to take it up again.",
    "ok.resumed": "{unit} is taken up again where it stood.",
    "ok.released": "{name} released {unit}. It is taken up again where it stood.",
    "ok.signed_in": "{name} is signed in.",
    "ok.signed_out": "{name} is signed out. Unit and step stay as they are.",
    "ok.unlocked": "{name} unlocked the station ({code}). What was refused stays refused.",
    "ok.lent": "{count} codes of block {block} are lent to {station}. "
    "This station gives them out no more. CTLSLIP shows them to a scanner.",
    "ok.undone": "Taken back. The station stands where it stood before.",
    "done.pass": "{unit} is finished: PASS.",
    "done.fail": "{unit} is finished: FAIL. Put it in the red box.",
    "done.pass_then": "{unit} is finished: PASS. Fetch {then}: it is back at step {number}. "
    "Take its old part out first.",
    "done.fail_then": "{unit} is finished: FAIL, red box. Fetch {then}: it is back at step "
    "{number}. Take its old part out first.",
    "done.box": "Box {box} is closed with {count} in it.",
    # nothing recorded
    "ready.here": "Ready.",
    "ready.started": "The station is started.",
    "ready.restored": "Restored after restart {at}. Nothing is lost.",
    "ready.signed_in": "{name} is signed in already.",
    "ready.nobody": "Nobody is signed in.",
    "ready.identified": "{unit} is here.",
    "ready.identified_provisional": "{unit} is here. Not everything about it could be checked.",
    "ready.lot_loaded": "Lot {lot} is loaded already.",
    "ready.partial": "Box {box} may be closed as it is.",
    "ready.cancelled": "Cancelled. Nothing was changed.",
    "ready.nothing_to_cancel": "There is nothing to cancel.",
    "ready.late_print": "The printer reported label job {job}, which is settled already.",
    "ready.language": "Language changed.",
    "ready.ring": "Call the team leader by voice: this station has no call light.",
    "ready.asked_neighbours": "The neighbours are asked for codes of {scheme} ({stations}). "
    "They come within a minute if one can spare some.",
    "ready.help": "Scan what this step asks for. CTLNO cancels, CTLUNDO takes the last action "
    "back, CTLHOLD sets the unit aside, CTLNEXT parks it, CTLOUT signs out.",
    "ready.scanner_ok": "The scanner is ok: every character of the test code arrived as printed.",
    "ready.kept": "Case {case} is decided by {who}: {subject} stays in {unit}. "
    "Keep it; no work to do.",
    "dup": "Same code again, ignored (x{times}).",
    # questions and waiting
    "wait.badge": "Nobody is signed in. Nothing was saved. Scan your badge first.",
    "wait.printing": "Label {unit} is being printed.",
    "wait.lead": "Nobody here can say {rule} for {subject} (known: {basis}). "
    "Team leader: scan your badge to go on. CTLNO: leave it.",
    "ask.scrap": "Scrap label {unit}? Its code is never used again. CTLOK: scrap. CTLNO: keep.",
    "ask.takeover": "Unit {unit} is open. {name} takes over? CTLOK: yes. CTLNO: no.",
    "ask.takeover_lead": "{operator} is signed in. Team leader {name} takes over? "
    "CTLOK: yes. CTLNO: no.",
    "ask.partial": "Box {box} has {count} of {capacity}. A box that is not full needs the team "
    "leader's badge. CTLNO: go on packing.",
    "ask.defect": "{unit} does not pass. Scan the defect code ({defects}), "
    "or CTLOK without one. CTLNO: back.",
    "ask.lend_to": "Which station runs dry? Scan or type its name, with a number if you like: "
    "S03 200. CTLNO: leave it.",
    "ask.lend": "Lend {count} codes of block {block} to {station}? "
    "Team leader: scan your badge. CTLNO: leave it.",
    "ask.borrow": "Ask the neighbours for {count} codes of {scheme}? "
    "Team leader: scan your badge. CTLNO: leave it.",
    "ask.lot": "Load lot {lot}? CTLOK: yes. CTLNO: no.",
    "undo.label": "Take back that label {unit} was verified?",
    "undo.commissioned": "Take back the start of unit {unit}?",
    "undo.bound": "Take {part} {child} out of {unit} again?",
    "undo.lot_loaded": "Take back the loading of {part} lot {lot}?",
    "undo.measured": "Take back the value {value} {measure}?",
    "undo.finished": "Take back the last result of {unit}?",
    "undo.packed": "Take {item} out of box {box} again?",
    "undo.closed": "Open box {box} again?",
    "undo.hold": "Take back that {unit} was set aside?",
    # on hold
    "hold.unit": "{unit} is on hold since {since} ({who}): {reason}. Do not use it. "
    "Put it in the yellow rack.",
    "hold.own": "{unit} is on hold since {since} ({who}): {reason}. "
    "Team leader: scan your badge to release it. CTLNO: leave it in the yellow rack.",
    "hold.case": "{unit} must not be packed or shipped. {reason} "
    "Put it in the yellow rack until case {case} is decided.",
    "hold.incomplete": "{unit} must not be packed or built in. {reason} "
    "Put it in the yellow rack and tell the team leader.",
    "hold.set_aside": "{unit} is set aside on hold. Put it in the yellow rack. "
    "Its label and the team leader's badge bring it back.",
    "hold.case_opened": "Case {case}: {subject} was scanned twice, here for {units} and for "
    "{others} ({where}). All of them are held. Leave them as they are until it is decided.",
    "lock": "The station is locked ({reason}). Nothing was saved.",
    # refused: the code is wrong
    "ng.unknown_code": "Not a code we know: {text}. Nothing was saved. {wants}: "
    "it may be the label beside it.",
    "ng.wrong_part": "Wrong part. Got {got} {text}; this step wants: {wants}. Lay it back.",
    "ng.wrong_part_later": "Wrong part. Got {got} {text}; this step wants: {wants}. "
    "Lay it back; it belongs to step {later}.",
    "ng.wrong_lot": "Wrong part. Got {got} lot {text}; this step wants: {wants}. Lay it back.",
    "ng.wrong_lot_later": "Wrong part. Got {got} lot {text}; this step wants: {wants}. "
    "The lot comes at step {later}.",
    "ng.wrong_lot_change": "Wrong part. Got {got} lot {text}; this step wants: {wants}. "
    "To load this lot instead of {loaded}, scan CTLOK.",
    "ng.product_code": "{text} is the product code of {got}: every piece carries the same. "
    "This step wants: {wants}. Scan the small code that differs on each piece.",
    "ng.no_scan_here": "{text} is not wanted now. Nothing was saved. Do this first: {wants}.",
    "ng.already_here": "{child} is already in this unit {unit}. Nothing was saved. "
    "Go on with the next step.",
    "ng.itself": "That is the label of unit {unit} itself. Nothing was saved. Now: {wants}.",
    "ng.already_in_box": "{item} is already in this box {box}, place {position}. Scan the next.",
    "ng.other_label": "Wrong label. Got {got}; this unit is {unit}. Reprint or wrong unit? "
    "Look at the label you stuck on; CTLPRINT prints it again, CTLNO scraps it.",
    "ng.other_box_label": "Wrong label. Got {got}; this box is {unit}. Nothing was saved. "
    "Scan the label of the box; CTLPRINT prints it again.",
    "ng.other_device": "This label must be read by {devices}, not by {source}. "
    "Nothing was saved. Read it there.",
    "ng.code_twice": "Code {unit} is on a unit already (seen: {where}). "
    "Take this label off, put it in the red box, take the next label.",
    "ng.outside_block": "Code {unit} is not of the labels granted to {station}. "
    "Nothing was saved. Take a label from this station's roll and tell the team leader.",
    # refused: the thing must not be used
    "ng.lot_held": "Lot {lot} is on hold since {since} ({who}): {reason}. Do not use it. "
    "Put it in the yellow rack, take another lot.",
    "ng.lot_unreleased": "Lot {lot} is not released by quality. Do not use it. "
    "Put it in the yellow rack, take another lot.",
    "ng.used": "{child} is already in {parent} ({station}, {at}, {who}; known: {basis}). "
    "Put this one in the red box; scan another.",
    "ng.op_failed": "{unit} did not pass {operation} (last result: {last}). "
    "Put it in the red box; take another.",
    "ng.op_missing": "{unit} has not passed {operation} at {station}. Last seen: {last}. "
    "Return it to {station}; take another.",
    "ng.already_passed": "{unit} has passed here already ({station} {at}). Take the next one.",
    "ng.unknown_blocks": "Nobody here can say {rule} for {subject} (known: {basis}), "
    "and this step does not go on without. Lay it aside; take another.",
    "ng.still_blocked": "Still blocked ({reason}). Nothing was saved.",
    # refused: the reading was spoiled
    "ng.nothing": "Nothing but blanks or line ends arrived. Nothing was saved. "
    "Scan again, 15 cm away, the whole label in view.",
    "ng.partial": "Only part of a code arrived ({text}). Nothing was saved. "
    "Scan again, 15 cm away, the whole label in view.",
    "ng.several": "{seen} labels in view and {fit} of them fit. Nothing was saved. "
    "Cover the others and scan again.",
    "ng.caps_lock": "Caps Lock is on; the code arrived in the wrong case ({text}). "
    "Nothing was saved. Press Caps Lock and scan again.",
    "ng.input_method": "The Chinese input method is on; the scanner's text was changed ({text}). "
    "Nothing was saved. Press Shift (EN) and scan again.",
    "ng.layout": "Scanner and PC use different keyboard layouts or character sets ({text}). "
    "Nothing was saved. Scan CTLTEST for the fix.",
    "ng.scanner_test": "The test code arrived changed. {faults} Then scan CTLTEST again.",
    "ng.too_long": "Far too many characters arrived at once ({text}). Nothing was saved. "
    "Scan one label only, with the others covered.",
    "ng.noise": "The code arrived with wrong characters or a wrong check digit ({text}). "
    "Nothing was saved. Scan again; if it repeats, check the scanner's cable.",
    # printer and codes
    "ng.not_printed": "Label not printed: {words}. Code {unit} is kept for this unit. "
    "Put the printer right, then scan CTLPRINT.",
    "ng.no_codes": "No codes of {scheme} are left (known: {basis}). Printing stops; "
    "other steps go on. Tell the team leader to get codes.",
    "ng.no_codes_borrow": "No codes of {scheme} are left. Printing stops; other steps go on. "
    "Team leader: scan your badge to ask the neighbours for {count}. CTLNO: leave it.",
    "ng.not_lent": "{words} Scan or type the station again, or CTLNO.",
    "ng.nobody_lends": "No neighbour of this line is known here, so nobody can lend codes. "
    "Team leader: bring codes by slip or stick.",
    "ng.codes_withheld": "Codes of {scheme} are withheld: this PC was copied or restored. "
    "Printing stops until it has codes of its own; other steps go on. If it lasts, call the "
    "technician.",
    "ng.key_revoked": "Codes of {scheme} are withheld: the key of this station was taken back. "
    "What is recorded here is kept and does not count now. Call the plant admin.",
    "ng.nothing_to_print": "No unit is open, so there is no label to print again. "
    "Nothing was saved. {wants}: CTLNEXT takes the next code.",
    "ng.label_unsure": "Nobody knows whether label {unit} came out. Look at the printer: "
    "scan the label if it is there; CTLNO if it is not.",
    "ng.too_many_copies": "Label {unit} was printed {count} times. CTLNO scraps it.",
    "ng.print_box_first": "The label of box {box} is not printed yet. Scan CTLOK to print it.",
    # values and results
    "ng.value_above": "{value} {unit} is above {high}. Try {trial} of {tries}. "
    "Loosen and do it again.",
    "ng.value_below": "{value} {unit} is below {low}. Try {trial} of {tries}. Do it again.",
    "ng.value_above_failed": "{value} {unit} is above {high}. Try {trial} of {tries}: {ended} is "
    "finished, FAIL. Put it in the red box.",
    "ng.value_below_failed": "{value} {unit} is below {low}. Try {trial} of {tries}: {ended} is "
    "finished, FAIL. Put it in the red box.",
    "ng.other_value": "A value of {got} arrived; this step is: {wants}. Nothing was saved.",
    "ng.no_number": "{text} is not a number such as 0.61. Nothing was saved. {wants}.",
    "ng.no_value_here": "A value of {got} arrived and no step asks for one now. Nothing was saved.",
    "ng.no_defect": "{text} is not a defect code of this step. Scan one of: {defects}.",
    # commands, changeover, parking
    "ng.command_unknown": "{command} is not a command of this station. Nothing was saved. "
    "Now: {wants}.",
    "ng.command_not_here": "{command} does nothing at this step. Nothing was saved. Now: {wants}.",
    "ng.no_plan": "The station has no plan yet; {text} was not looked at. "
    "Scan a work order or a plan.",
    "ng.no_unit": "{command} needs an open unit, and there is none.",
    "ng.unit_open": "Unit {unit} is open. Finish it, or park it with CTLNEXT; "
    "then scan the changeover again.",
    "ng.plan_elsewhere": "{operation} ({plan}) runs at {stations}, not at {station}. "
    "Nothing was changed. Scan an order or plan of this station.",
    "ng.plan_unknown": "Plan {plan} is not known here. Nothing was changed. "
    "Tell the team leader: it has to be published first.",
    "ng.order_unknown": "Work order {order} is not known here. Nothing was changed. "
    "Tell the team leader: it has to be released first.",
    "ng.order_not_released": "Work order {order} is not released ({status}). "
    "Nothing was changed. Tell the team leader.",
    "ng.parked_elsewhere": "{unit} is parked under plan {plan}. Scan that plan first, "
    "then this label.",
    "ng.label_open": "Label {unit} was not read back yet, so nothing carries this code. "
    "Scan the label, or CTLNO to scrap it.",
    "ng.too_many_parked": "{count} units are parked already. Finish one first.",
    "ng.box_empty": "Box {box} is empty. Scan a unit into it first.",
    "ng.box_list_full": "Box {box} holds {count}, as many as one record can list. "
    "Scan CTLDONE to close it.",
    "ng.badge_unknown": "Badge {badge} is not known here (known: {basis}). Tell the team leader.",
    "ng.nothing_to_undo": "There is nothing to take back here. "
    "Older work is corrected by the team leader.",
    "ng.too_late_to_undo": "More than {seconds} seconds have passed. "
    "The team leader corrects this.",
    # news
    "ng.back": "{unit} back to step {number}: {subject} belongs to {kept} "
    "(case {case}, decision by {who}). Take {subject} out of {unit} and scan another.",
    "ng.back_nowhere": "{unit} back to step {number}: {subject} stays in no unit "
    "(case {case}, decision by {who}). Take {subject} out of {unit} and scan another.",
    "ng.ended": "{unit}: a record of this station about {subject} no longer counts; it belongs to "
    "{kept} (case {case}, decision by {who}: {reason}). Ask the team leader what to do with it.",
    "ng.unpack": "Take {unit} out of box {box}: it belongs to {kept} "
    "(case {case}, decision by {who}).",
    "ng.relabel": "{unit} must not keep its label: the code belongs to {kept} "
    "(case {case}, decision by {who}). Put the unit in the yellow rack for a new label.",
    "ng.recheck": "{unit} went on provisionally; now it is known: {words}. "
    "Put it in the yellow rack and tell the team leader.",
    # what to do next
    "next.badge": "Scan your badge.",
    "next.lead": "Team leader: scan your badge to unlock.",
    "next.lead_or_no": "Team leader's badge, or CTLNO.",
    "next.confirm": "CTLOK: yes. CTLNO: no.",
    "next.defect": "Scan the defect code, CTLOK without one, CTLNO to go back.",
    "next.lend_to": "Station to lend to, or CTLNO.",
    "next.latched": "Scan the right one, or CTLHOLD to set the unit aside, "
    "or the team leader's badge.",
    "next.plan": "Scan a work order or a plan.",
    "next.start": "{text}: scan CTLNEXT.",
    "next.scan": "{text}  {hint}",
    "next.measure": "{text}: {low} to {high} {unit}",
    "next.pass_fail": "{text}: CTLGOOD or CTLNG",
    "next.pack": "{text}: {count} of {capacity}",
    "next.print_box": "{text}: scan CTLOK to print the label.",
    "next.printing": "Wait for label {unit}.",
    "next.print_again": "CTLPRINT prints label {unit}; CTLNO scraps it.",
    "next.unsure": "Was label {unit} printed? Scan it if it is there; CTLNO scraps it.",
    "next.box_label": "CTLPRINT prints the label of box {unit}; scan it if it is there.",
    # beside the steps of the checklist
    "step.code": "{code}",
    "step.part": "{part}",
    "step.any_released": "{part}, any released lot",
    "step.verified": "{unit}  verified",
    "step.limits": "{low} .. {high} {unit}",
    "step.count": "{count} of {capacity}",
    # what a scanner does to the test code (CTLTEST), and its fix
    "test.noise": "Bytes arrive broken: check cable and character set of the scanner.",
    "test.input_method": "The Chinese input method is on: press Shift (EN).",
    "test.caps": "Caps Lock is on: press Caps Lock.",
    "test.pc_french": "The PC is set to French (AZERTY): set the scanner's country to France.",
    "test.pc_german": "The PC is set to German (QWERTZ): set the scanner's country to Germany.",
    "test.scanner_french": "The scanner types French (AZERTY): set its country to USA.",
    "test.scanner_german": "The scanner types German (QWERTZ): set its country to USA.",
    "test.prefix": "Characters stand in front of the code: switch the scanner's prefix off.",
    "test.suffix": "Characters stand behind the code: leave only Enter as the scanner's suffix.",
    "test.cut": "Only the beginning arrived: scan the whole test code from 15 cm.",
    "test.gs": "The GS separator is lost: let the scanner send it as Ctrl+] or F8.",
    "test.changed": "Single characters are lost: let the scanner type more slowly.",
    # around them
    "around.next": "{said} Next: {next}",
    "around.last": "{said} Last saved: {last}",
}
