"""Events as rows: when, how often, of what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestrator.apimachinery.timestamps import parse_time, short_duration

Object = dict[str, Any]


def last_seen(event: Object) -> float | None:
    series = event.get("series") or {}
    stamps = (
        series.get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        event.get("firstTimestamp"),
        (event.get("metadata") or {}).get("creationTimestamp"),
    )
    return next((parse_time(stamp) for stamp in stamps if stamp), None)


def first_seen(event: Object) -> float | None:
    stamps = (
        event.get("firstTimestamp"),
        event.get("eventTime"),
        (event.get("metadata") or {}).get("creationTimestamp"),
    )
    return next((parse_time(stamp) for stamp in stamps if stamp), None)


def when(event: Object) -> tuple[float, str]:
    """The order in which they are shown; of one second those that came first, first."""
    revision = (event.get("metadata") or {}).get("resourceVersion") or ""
    return last_seen(event) or 0.0, revision.rjust(20, "0")


def age(event: Object, now: float) -> str:
    """``2m`` or ``2m (x5 over 10m)``."""
    last, first = last_seen(event), first_seen(event)
    if last is None:
        return "<unknown>"
    shown = short_duration(max(0.0, now - last))
    count = (event.get("series") or {}).get("count") or event.get("count") or 1
    if count > 1 and first is not None:
        return f"{shown} (x{count} over {short_duration(max(0.0, now - first))})"
    return shown


def reporter(event: Object) -> str:
    source = event.get("source") or {}
    return str(source.get("component") or event.get("reportingComponent") or "")


def message(event: Object) -> str:
    return " ".join(str(event.get("message") or event.get("note") or "").split())


def rows(events: Iterable[Object], now: float, *, namespaces: bool) -> list[list[str]]:
    shown = []
    for event in events:
        subject = event.get("involvedObject") or event.get("regarding") or {}
        name = f"{subject.get('kind', '')}/{subject.get('name', '')}"
        place = [(event.get("metadata") or {}).get("namespace", "")] if namespaces else []
        shown.append([*place, age(event, now), event.get("type", ""), event.get("reason", ""), name, message(event)])
    return shown
