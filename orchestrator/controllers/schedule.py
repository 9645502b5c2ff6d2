"""When a cron schedule fires, in a time zone, after or before a moment, as Kubernetes reads it. Pure.

Moments are Unix seconds. Without a time zone a schedule means UTC. With daylight saving a moment that the clock leaps
over does not come, and one that it shows twice comes twice. A day of the month and a weekday that are both restricted
need not both match: one is enough.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
EVERY = "@every "
MAX_COUNTED = 101
"""Missed moments are counted up to here: one more than what is worth a warning."""
GAPS = 4
"""Stretches without a moment that are remembered: those since the last moment, and until the next."""
REMEMBERED = 1024
"""Schedules that are kept read."""
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(\d+\.?\d*|\.\d+)(h|ms|us|µs|ns|m|s)")
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_WEEKDAY = 4
_LAST_WEEKDAY = 6
"""Where an open range of weekdays ends: a Sunday by the number 7 is understood, not counted twice."""
_NAMES = {
    3: ("", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    _WEEKDAY: ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}


class ScheduleError(ValueError):
    """A schedule or a time zone that cannot be read."""


class Schedule:
    """``schedule_of`` gives one for all who ask with the same words: it remembers what it found last."""

    def __init__(self, text: str, zone: str = "") -> None:
        self._gaps: deque[tuple[float, float]] = deque(maxlen=GAPS)
        # Between the two moments of each it does not come; at the second it does.
        self.zone = _zone(zone)
        self.period = _period(text.removeprefix(EVERY)) if text.startswith(EVERY) else 0.0
        self.expression = ""
        if not self.period:
            self.expression = _expression(text)
            try:
                CronSim(self.expression, datetime.fromtimestamp(0, self.zone))
            except CronSimError as error:
                raise ScheduleError(f"expected a cron schedule, found {text!r}: {error}") from error

    def after(self, moment: float) -> float | None:
        """The first moment later than this one; None when there is none."""
        if self.period:
            return moment // 1 + self.period
        start = moment // 1
        for begin, end in self._gaps:
            if begin <= start < end:
                return end
        found = next(self._moments(moment), None)
        if found is not None:
            self._gaps.append((start, found))
        return found

    def latest(self, after: float, until: float) -> tuple[float | None, int]:
        """The last moment later than ``after`` and not later than ``until``, and how many there are, up to a bound."""
        if self.period:
            count = int((until - after // 1) // self.period)
            return (after // 1 + count * self.period, min(count, MAX_COUNTED)) if count > 0 else (None, 0)
        first = self.after(after)
        if first is None or first > until:
            return None, 0
        second = self.after(first)
        if second is None or second > until:
            return first, 1
        last = next(self._moments(until // 1 + 1, reverse=True), None)
        if last is None or last <= after:
            return None, 0
        count = 0
        for moment in self._moments(after):
            if moment > until or count >= MAX_COUNTED:
                break
            count += 1
        return last, count

    def text(self, moment: float) -> str:
        """The moment as the clock of the zone shows it."""
        return datetime.fromtimestamp(moment, self.zone).isoformat().replace("+00:00", "Z")

    def _moments(self, start: float, *, reverse: bool = False) -> Iterator[float]:
        steps = CronSim(self.expression, datetime.fromtimestamp(start // 1, self.zone), reverse)
        for found in steps:
            shown = found.astimezone(UTC).astimezone(self.zone)
            if shown.hour in steps.hours and shown.minute in steps.minutes:
                yield found.timestamp()


@lru_cache(maxsize=REMEMBERED)
def schedule_of(text: str, zone: str = "") -> Schedule:
    """Raises ``ScheduleError``."""
    return Schedule(text, zone)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ScheduleError(f"unknown time zone {name}") from error


def _period(text: str) -> float:
    """A Go duration, ``1h30m``, in whole seconds and at least one."""
    pieces = _DURATION.findall(text)
    if not pieces or "".join(number + unit for number, unit in pieces) != text.strip():
        raise ScheduleError(f"expected a duration such as 1h30m, found {text!r}")
    return max(1.0, sum(float(number) * _UNITS[unit] for number, unit in pieces) // 1)


def _expression(text: str) -> str:
    """Six plain fields, with seconds: in a line of five the library moves moments that the clock leaps over."""
    fields = DESCRIPTORS.get(text, text).split()
    if len(fields) != len(_BOUNDS):
        raise ScheduleError(f"expected exactly {len(_BOUNDS)} fields, found {len(fields)}: {text!r}")
    return " ".join(("0", *(_field(field, position) for position, field in enumerate(fields))))


def _field(field: str, position: int) -> str:
    """The field as a list of numbers; ``*`` only where it restricts nothing."""
    numbers: set[int] = set()
    for piece in field.split(","):
        span, slash, step = piece.partition("/")
        every = _number(step, position) if slash else 1
        if span in ("*", "?") and every == 1:
            return "*"
        if not every:
            raise ScheduleError(f"expected a step of at least 1, found {piece!r}")
        first, last = _span(span, position, open_end=bool(slash))
        numbers.update(range(first, last + 1, every))
    return ",".join(map(str, sorted(numbers)))


def _span(span: str, position: int, *, open_end: bool) -> tuple[int, int]:
    """First and last number; a single one with a step goes on to the end."""
    low, high = _BOUNDS[position]
    end = _LAST_WEEKDAY if position == _WEEKDAY else high
    if span in ("*", "?"):
        return low, end
    start, dash, stop = span.partition("-")
    first = _number(start, position)
    last = _number(stop, position) if dash else (max(first, end) if open_end else first)
    if not low <= first <= last <= high:
        raise ScheduleError(f"expected a range within {low}-{high}, found {span!r}")
    return first, last


def _number(text: str, position: int) -> int:
    names = _NAMES.get(position, ())
    if text and text.lower() in names:
        return names.index(text.lower())
    if not (text.isascii() and text.isdigit()):
        raise ScheduleError(f"expected a number, found {text!r}")
    return int(text)
