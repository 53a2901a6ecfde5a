"""Texts of the frame and the plain pages in English.

Rules: name the thing, the person, the time, the place; say what to do next; never blame. Hold,
void, reverse, retire: nothing here "deletes". The same keys stand in `chinese`.
"""

from typing import Final

TEXTS: Final[dict[str, str]] = {
    # frame
    "app.name": "Tallystick",
    "frame.skip": "Skip to the content",
    "frame.search": "Search, or scan any code",
    "frame.search_button": "Search",
    "frame.languages": "Language",
    "frame.navigation": "Pages",
    "frame.nobody": "looking only, no badge",
    "frame.out": "Sign out",
    "frame.keys": "Keys",
    "frame.live": "live, {count} s ago",
    "frame.stale": "data as of {time}; the hub does not answer",
    "frame.ended": "Your session has ended. Nothing here is lost: sign in by a new link in another "
    "tab, then go on.",
    "frame.unsent": "The hub does not answer, so nothing was sent. What you wrote stays here: try "
    "again when it is back.",
    "frame.programs": "For programs",
    "frame.new": "{count} new, press r",
    "frame.changed": "{count} changed, press r",
    "nav.overview": "Overview",
    "nav.conflicts": "Conflicts",
    "nav.trace": "Trace",
    "nav.codes": "Codes",
    "nav.stations": "Stations",
    "list.comma": ", ",
    "list.semicolon": "; ",
    "none": "-",
    # how long ago
    "ago.now": "now",
    "ago.seconds": "{count} s ago",
    "ago.minutes": "{count} min ago",
    "ago.hours": "{count} h ago",
    "ago.days": "{count} days ago",
    "ago.unknown": "at an unknown time",
    # completeness
    "complete.line": "Data complete up to: {parts}",
    "complete.now": "{stations} now",
    "complete.live_unsent": "{station} now, {count} events still to come",
    "complete.silent": "{station} {time} (silent)",
    "complete.silent_unsent": "{station} {time} (silent, {count} events still to come)",
    "complete.unheard": "{station} never heard",
    "complete.none": "No station has greeted this hub yet; nothing here can be complete.",
    # what ends soon
    "hub.copied": "Station {station} has met another hub with the keys of this one: one of the two "
    "is a copy. This one grants no codes. Find the other and end it; then: tally hub backup DIR "
    "FILE, and tally hub restore FILE into a new folder.",
    "ends.certificate": "The certificate that stations see ends at {time} and was not renewed, "
    "which the hub does by itself. No station stops for it. Look at what tally hub serve says, at "
    "the disk, and at this machine's clock.",
    "ends.certificate_past": "The certificate that stations see ended at {time} and was not "
    "renewed, which the hub does by itself. Stations go on with it. Look at what tally hub serve "
    "says, at the disk, and at this machine's clock.",
    "ends.authority": "The hub's CA ends at {time}. No station stops for it; renew it when it "
    "suits: tally hub renew DIR --ca",
    "ends.authority_past": "The hub's CA ended at {time}. Stations go on with it; renew it: tally "
    "hub renew DIR --ca",
    # keys
    "keys.title": "Keys",
    "keys.search": "search; a scanned code goes there by itself",
    "keys.go": "go to {page}",
    "keys.rows": "next and previous row",
    "keys.open": "open the row",
    "keys.select": "select the row",
    "keys.reload": "show what is new",
    "keys.help": "this list",
    "keys.escape": "leave a field or this list",
    "keys.close": "Close",
    # coming in
    "enter.title": "Who are you?",
    "enter.words": "This link opens the console of {plant} once, on this machine. Choose who signs "
    "in: what you decide is written down with that badge.",
    "enter.nobody": "Just look, without a badge",
    "enter.nobody_words": "You see everything and decide nothing.",
    "enter.nobody_yet": "No person with the role admin or quality has been imported yet. You come "
    "in as admin without a badge: you see everything and decide nothing. To change that: tally hub "
    "import DIR people.csv, then sign in again.",
    "enter.admin": "admin, without a badge",
    "enter.choose": "Choose who you are, then press the button.",
    "enter.button": "Sign in",
    "role.operator": "operator",
    "role.lead": "team leader",
    "role.quality": "quality",
    "role.admin": "admin",
    "link.title": "This link opens nothing any more",
    "link.used": "It was used already: each link opens the console once.",
    "link.old": "It is older than 15 minutes.",
    "link.unknown": "This hub does not know it: it was mistyped or cut off, or the hub was started "
    "again since.",
    "link.again": "Make a new one on the hub's machine, and open what it prints:",
    "ended.title": "Sign in",
    "ended.words": "Nobody is signed in here, or the session has ended: one lasts 12 hours, and "
    "ends when the hub is started again.",
    "ended.how": "Make a link on the hub's machine, and open what it prints:",
    "ended.written": "Nothing was done, and what you wrote is not lost: it stands below. Sign in "
    "by a new link in another tab of this browser, come back to this page and send it again.",
    "again.title": "Send it again?",
    "again.words": "Nothing was done. This form was not made in your present session, which began "
    "later or under another name. Read what stands below; if it is still what you mean, send it.",
    "again.button": "Send it again",
    "again.field": "Field",
    "again.value": "What you wrote",
    "foreign.title": "Not from here",
    "foreign.words": "This request did not come from a page of this console, so nothing was done. "
    "If you were led here by a link or another site, close it. If you were at work, open the page "
    "from the list at the left and do it there.",
    # what goes wrong
    "refused.title": "Not done",
    "refused.words": "Nothing was changed.",
    "nothing.title": "There is nothing here",
    "nothing.words": "This address leads to no page. It may have been mistyped, or what it showed "
    "has another address now.",
    "nothing.home": "Go to the overview",
    "away.title": "Not taken",
    "away.too_large": "That was too much at once: a form of this hub holds at most {kib} KiB. "
    "Nothing was changed. Go back and send less.",
    "away.too_slow": "What you sent did not arrive whole in time. Nothing was changed. "
    "Go back and send it again.",
    "away.busy": "The hub has too much to do at this moment. Nothing was changed. "
    "Wait some seconds, then send it again.",
    "broken.title": "The hub met a fault of its own",
    "broken.words": "Whether this was done is not known: look before you repeat it. The hub's log "
    "says what happened; please report it.",
    # overview and start here
    "overview.title": "Overview",
    "overview.needs": "Needs you",
    "overview.conflicts": "Conflicts open",
    "overview.worst": "worst:",
    "overview.oldest": "oldest:",
    "overview.silent": "Stations silent",
    "overview.low": "Stations low on codes",
    "overview.untrusted": "Stations whose key was taken back",
    "overview.doubled": "Stations whose former computer still calls",
    "overview.forked": "Stations with two histories",
    "overview.machine": "Stations whose computer is not as it was",
    "overview.disk": "Stations low on disk",
    "overview.unsent": "Events still to come, as far as stations told",
    "overview.missing": "Events missing before others that are here",
    "overview.unread": "Stored events that lists and traces lack",
    "overview.calm": "Nothing needs you now.",
    "overview.start": "Start here",
    "start.title": "Start here",
    "start.words": "Six things to try with a new plant. Each ticks itself when it has really "
    "happened.",
    "start.count": "{count} of 6 done",
    "start.done": "done",
    "start.open": "to do",
    "start.scanned": "First scan",
    "start.scanned_how": "At a station, scan a badge and the first label. The unit appears here "
    "within seconds.",
    "start.cut": "Pull the plug",
    "start.cut_how": "Cut the station's network: pull the cable, or press Ctrl+L on the demo's "
    "screen.",
    "start.offline": "Scan while the network is down",
    "start.offline_how": "Go on working: the station needs nobody. What it wrote arrives when the "
    "network is back.",
    "start.clash": "Bind one part at two stations",
    "start.clash_how": "While they do not hear each other, build the same board into two units at "
    "two stations.",
    "start.decided": "Solve the case",
    "start.decided_how": "Bring the network back. The conflict stands in the inbox: look at both "
    "sides, and decide.",
    "start.decided_link": "Open the inbox",
    "start.traced": "Trace a unit",
    "start.traced_how": "Open the family tree of a unit: what is in it, where it went. Its report "
    "can be printed.",
    "start.traced_link": "Open the trace",
    # stations
    "stations.title": "Stations",
    "stations.station": "Station",
    "stations.line": "Line",
    "stations.state": "State",
    "stations.heard": "Last heard",
    "stations.unsent": "Events still to come",
    "stations.codes": "Codes left, as it said",
    "stations.disk": "Disk",
    "stations.low": "LOW",
    "stations.disk_free": "{free} MiB free",
    "stations.disk_days": "{free} MiB free, about {days} days",
    "stations.clock": "Clock against the hub's",
    "stations.clock_wrong": "WRONG",
    "stations.journal": "Journal",
    "stations.events": "{count} events here",
    "stations.program": "Program",
    "stations.lost": "{count} lost on its disk, the first is {first}: have the disk looked at",
    "stations.gap": "newest {newest} heard, {missing} before them still missing",
    "stations.follows": "goes on after {journal}, which is closed",
    "stations.former": "{count} journals of earlier PCs",
    "stations.live": "live",
    "stations.silent": "SILENT: its newest events may be missing here",
    "stations.unheard": "enrolled, not heard yet",
    "stations.absent": "no PC enrolled yet",
    "stations.forked": "TWO HISTORIES: the PC was copied or restored. Both are kept. It goes on in "
    "a journal of its own once it calls; if it cannot: tally hub enroll-token DIR {station}",
    "stations.machine": "OTHER COMPUTER? Not as before: {parts}. If its folder was copied, one of "
    "the two must not run. If all is right: tally station confirm-machine DIR, at the station",
    "machine.machine": "system id",
    "machine.network": "network adapters",
    "machine.disk": "disk",
    "machine.file": "journal file",
    "stations.untrusted": "UNTRUSTED after its event {since}: {by} took the key back, {time}: "
    "{reason}",
    "stations.untrusted_waits": "What came after does not count until somebody decides: tally hub "
    "trust DIR {station}",
    "stations.untrusted_enrol": "It gets no codes. Enrol it anew: tally hub enroll-token DIR "
    "{station}",
    "stations.calling": "FORMER COMPUTER CALLS: its journal {journal} is closed, another goes on "
    "as {station}. What it records is kept, it gets no codes. Switch it off, or enrol it: tally "
    "hub enroll-token DIR {station}",
    "stations.enrol": "Enrol a station",
    "stations.enrol_words": "On the hub's machine, make a token for the station; it is good once, "
    "for 24 hours. At the station's PC, give it to tally station enroll.",
    "stations.empty": "No station is known yet. Import the plant's master data, then enrol the "
    "first PC.",
}
