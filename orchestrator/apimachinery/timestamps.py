"""Moments and durations as Kubernetes writes them. Moments are Unix seconds; the clock is the caller's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

REMEMBERED = 4096
"""Timestamps remembered: the objects of one second share theirs."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(REMEMBERED)
def _second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).isoformat()[:19] + "Z"


def rfc3339(seconds: float) -> str:
    """``2026-01-02T03:04:05Z``: metav1.Time, the fraction cut off."""
    return _second(int(seconds // 1))


def rfc3339_micro(seconds: float) -> str:
    """``2026-01-02T03:04:05.000006Z``: metav1.MicroTime (leases, events)."""
    micros = round(seconds * 1_000_000)
    whole, fraction = divmod(micros, 1_000_000)
    return f"{_second(whole)[:-1]}.{fraction:06d}Z"


@lru_cache(REMEMBERED)
def parse_time(text: str) -> float:
    """Unix seconds of an RFC 3339 text. Raises ValueError when it is none."""
    if len(text) < 20 or text[10] not in "Tt":
        raise ValueError(f"expected an RFC 3339 time, found {text!r}")
    return (datetime.fromisoformat(text.upper()) - _EPOCH).total_seconds()


def short_duration(seconds: float) -> str:
    """The age column's text: two units at most, one when the first is large (``5d3h``, ``42m``, ``2y10d``)."""
    total = int(seconds)
    if total < -1:
        return "<invalid>"
    if total < 0:
        return "0s"
    if total < 60 * 2:
        return f"{total}s"
    minutes, rest_seconds = divmod(total, 60)
    if minutes < 10:
        return _pair(minutes, "m", rest_seconds, "s")
    if minutes < 60 * 3:
        return f"{minutes}m"
    hours, rest_minutes = divmod(minutes, 60)
    if hours < 8:
        return _pair(hours, "h", rest_minutes, "m")
    if hours < 48:
        return f"{hours}h"
    return _days(hours)


def _days(hours: int) -> str:
    days, rest_hours = divmod(hours, 24)
    if hours < 24 * 8:
        return _pair(days, "d", rest_hours, "h")
    if hours < 24 * 365 * 2:
        return f"{days}d"
    years, rest_days = divmod(days, 365)
    if hours < 24 * 365 * 8:
        return _pair(years, "y", rest_days, "d")
    return f"{years}y"


def _pair(first: int, first_unit: str, second: int, second_unit: str) -> str:
    return f"{first}{first_unit}{second}{second_unit}" if second else f"{first}{first_unit}"


def age(timestamp: str | None, now: float) -> str:
    """How long ago, or ``<unknown>`` without a timestamp."""
    if not timestamp:
        return "<unknown>"
    try:
        return short_duration(now - parse_time(timestamp))
    except ValueError:
        return "<invalid>"
