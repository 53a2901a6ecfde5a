"""Status and keys: link, unsent, codes, devices, when the hub was heard of. Offline is no error.

At 80 cells one row of at most six items, the least needed shortened first; two rows where there is
room. Amber and red only where somebody has to act (`screens.md` 2.4).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from edge_agent.station.snapshot import CodesLeft, DeviceShown, Snapshot
from edge_agent.ui.cells import Row, Span, Style, cells, pad, row
from edge_agent.ui.view import View

OFFLINE_LONG: Final = timedelta(hours=8)
UNSENT_LONG: Final = timedelta(hours=24)
CODES_LOW_H: Final = 8.0
CODES_VERY_LOW_H: Final = 1.0
CODES_LOW_SHARE: Final = 0.2
_WORST: Final = ("ok", "starting", "degraded", "lost")


def status(snapshot: Snapshot, view: View) -> Row:
    """Give the one status row."""
    items = next(one for one in _statuses(snapshot, view) if _width(one) <= view.width)
    spans: list[Span] = [(" ", "plain")]
    for at, item in enumerate(items):
        spans += [(" | ", "dim"), item] if at else [item]
    return row(*spans, width=view.width)


def _width(items: list[Span]) -> int:
    return 1 + sum(cells(text) for text, _ in items) + 3 * (len(items) - 1)


def _statuses(snapshot: Snapshot, view: View) -> Iterator[list[Span]]:
    """Give the items, the fullest row first, the last one always fits."""
    full = disk(snapshot, view)
    fixed = [link(snapshot, view), *full, unsent(snapshot, view)]
    codes, short = codes_left(snapshot, view), codes_left(snapshot, view, is_short=True)
    devices, worst = _devices(snapshot, view), _devices(snapshot, view, only_worst=True)
    heard, safe = [hub(snapshot, view)], elsewhere(snapshot, view)
    if safe:
        yield [*fixed, *safe, *codes, *devices, *heard]
        yield [*fixed, *safe, *short, *devices]
        yield [*fixed, *safe, *short]
    yield [*fixed, *codes, *devices, *heard]
    yield [*fixed, *short, *devices, *heard]
    yield [*fixed, *codes, *devices]
    yield [*fixed, *short, *devices]
    yield [*fixed, *short, *worst]
    yield [*fixed, *short]
    yield fixed
    yield [fixed[0], *full]


def link(snapshot: Snapshot, view: View) -> Span:
    """Give online, or offline and since when."""
    if snapshot.status.online:
        return view.label("online"), "plain"
    heard = snapshot.status.hub_at
    age = view.now - heard if heard else None
    style: Style = "amber" if age and age > OFFLINE_LONG else "plain"
    shown = _age(age, view) if age is not None else ""
    return view.label("offline", age=shown).strip(), style


def unsent(snapshot: Snapshot, view: View) -> Span:
    """Give how much only this computer holds; while it is being sent, that."""
    count, oldest = snapshot.status.unsent, snapshot.status.oldest_unsent
    style: Style = "amber" if oldest and view.now - oldest > UNSENT_LONG else "plain"
    key = "sending" if snapshot.status.online and count else "unsent"
    text = view.label(key, count=count)
    if view.is_wide and oldest:
        text = view.label("oldest", unsent=text, age=_age(view.now - oldest, view))
    return text, style


def disk(snapshot: Snapshot, view: View) -> list[Span]:
    """Give the disk once it fills up; nothing while it has space."""
    found = snapshot.status.disk
    if found is None:
        return []
    if found.rung == "stop":
        return [(view.label("disk_stop", free=found.free_mib), "red")]
    key = "disk" if found.days is None else "disk_days"
    text = view.label(key, free=found.free_mib, days=found.days or 0)
    return [(text, "red" if found.rung == "scarce" else "amber")]


def elsewhere(snapshot: Snapshot, view: View) -> list[Span]:
    """Give at how many neighbours the newest event is as well, while the hub lacks it."""
    count = snapshot.status.elsewhere
    if count is None:
        return []
    return [(view.label("kept_near", count=count) if count else view.label("kept_here"), "plain")]


def codes_left(snapshot: Snapshot, view: View, *, is_short: bool = False) -> list[Span]:
    """Give the codes of the scheme nearest to its end, and for how long; nothing without codes."""
    codes = snapshot.status.codes
    if codes is None:
        return []
    if codes.left <= 0:
        return [(view.label("codes_none"), "red")]
    time = _time_left(codes, view)
    text = view.label("codes", left=codes.left, time=time)
    if is_short:
        text = text.rpartition(" ")[0]
    return [(text, codes_style(codes))]


def codes_style(codes: CodesLeft) -> Style:
    """Give amber when codes run low, red when they are nearly gone."""
    hours = codes.hours
    if codes.left <= 0 or (hours is not None and hours < CODES_VERY_LOW_H):
        return "red"
    is_low = hours is not None and hours < CODES_LOW_H
    return "amber" if is_low or codes.left < codes.granted * CODES_LOW_SHARE else "plain"


def _time_left(codes: CodesLeft, view: View) -> str:
    return "?" if codes.hours is None else _age(timedelta(hours=codes.hours), view)


def hub(snapshot: Snapshot, view: View) -> Span:
    """Give when the hub was last heard of."""
    heard = snapshot.status.hub_at
    if snapshot.status.online:
        return view.label("hub_now"), "plain"
    if heard is None:
        return view.label("hub_never"), "plain"
    return view.label("hub_at", at=hub_time(heard, view)), "plain"


def hub_time(heard: datetime, view: View) -> str:
    """Give the time, with the date once it is a day ago."""
    local = heard.astimezone(view.now.tzinfo)
    is_old = view.now - heard > timedelta(days=1)
    return local.strftime("%Y-%m-%d %H:%M" if is_old else "%H:%M")


def _age(age: timedelta, view: View) -> str:
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 60:
        return view.label("minutes", count=minutes)
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return view.label("hours", hours=hours, minutes=f"{minutes:02}")
    return view.label("days", count=hours // 24)


def _devices(snapshot: Snapshot, view: View, *, only_worst: bool = False) -> list[Span]:
    """Give one word for each kind of device; one that is not well by its name."""
    found = sorted(snapshot.status.devices, key=lambda one: -_WORST.index(one.state))
    kinds = {one.kind: one for one in reversed(found)}
    shown = [one for kind, one in sorted(kinds.items(), reverse=True) if kind]
    if only_worst:
        shown = found[:1]
    text = " ".join(_device(one, view) for one in shown)
    worst = found[0].state if found else "ok"
    style: Style = "red" if worst == "lost" else "amber" if worst == "degraded" else "plain"
    return [(text, style)] if text else []


def _device(device: DeviceShown, view: View) -> str:
    name = kind_of(device, view)
    if device.state == "ok":
        return f"{name} {view.label('device_ok')}"
    return f"{view.clean(device.name)} {state_of(device, view)}"


def kind_of(device: DeviceShown, view: View) -> str:
    """Give the short name of a kind of device, or the device's own."""
    known = {"serial_port", "camera", "printer"}
    return view.label(device.kind) if device.kind in known else view.clean(device.name)


def state_of(device: DeviceShown, view: View) -> str:
    """Give how a device is, in one word."""
    is_printer = device.kind == "printer" and device.state == "lost"
    return view.label("printer_lost" if is_printer else f"device_{device.state}")


def keys(view: View) -> Row:
    """Give the row of keys."""
    return row((pad(f" {view.label('keys')}", view.width), "dim"), width=view.width)
