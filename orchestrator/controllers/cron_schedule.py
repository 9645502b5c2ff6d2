"""When a CronJob is due: a cron line in a time zone, or ``@every`` so long, as Kubernetes reads them. Pure.

In a zone with daylight saving a moment that the clock leaps over does not come, one that it shows twice comes twice.
Two stars of day and weekday must both match; when both are restricted one of them is enough.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from cronsim import CronSim, CronSimError

REMEMBERED = 1024
"""Parsed schedules that are kept; the least recently used goes first."""
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = "@every "
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_WEEKDAY = 4
_NAMES = {
    3: ("", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    _WEEKDAY: ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(\d+\.?\d*|\.\d+)(h|ms|us|µs|ns|m|s)")


class Every(msgspec.Struct, frozen=True):
    """A fixed distance, counted from the last time."""

    seconds: int

    def latest(self, since: int, now: int) -> int | None:
        """The last moment in (``since``, ``now``]."""
        steps = (now - since) // self.seconds
        return since + steps * self.seconds if steps > 0 else None

    def next(self, since: int, now: int) -> int | None:
        """The first moment after ``now``."""
        return since + (max(0, (now - since) // self.seconds) + 1) * self.seconds

    def count(self, since: int, now: int, limit: int) -> int:
        """How many moments are in (``since``, ``now``], counted up to ``limit``."""
        return min(limit, max(0, (now - since) // self.seconds))

    def shown(self, moment: int) -> str:
        """The moment as the clock of the schedule's zone shows it."""
        return _shown(moment, UTC)


class Cron(msgspec.Struct, frozen=True):
    """A line of six plain fields, with seconds: only for five does the library move moments that are not there."""

    line: str
    zone: tzinfo

    def latest(self, since: int, now: int) -> int | None:
        found = self._step(now + 1, reverse=True)
        return found if found is not None and found > since else None

    def next(self, since: int, now: int) -> int | None:
        return self._step(now, reverse=False)

    def count(self, since: int, now: int, limit: int) -> int:
        passed = 0
        moment = self._step(since, reverse=False)
        while moment is not None and moment <= now and passed < limit:
            passed += 1
            moment = self._step(moment, reverse=False)
        return passed

    def shown(self, moment: int) -> str:
        return _shown(moment, self.zone)

    def _step(self, moment: int, *, reverse: bool) -> int | None:
        """The nearest moment before or after this one; None when there is none in fifty years."""
        steps = CronSim(self.line, datetime.fromtimestamp(moment, self.zone), reverse=reverse)
        for found in steps:
            real = found.astimezone(UTC).astimezone(self.zone)
            if real.hour in steps.hours and real.minute in steps.minutes:
                return int(found.timestamp())
        return None


Schedule = Every | Cron


@lru_cache(REMEMBERED)
def parse(text: str, zone: str | None) -> Schedule:
    """The schedule of ``text`` in the time zone (None: UTC). Raises ValueError when it is none or never comes."""
    if text.startswith(_EVERY):
        return Every(max(1, int(_duration(text.removeprefix(_EVERY)))))
    line = _DESCRIPTORS.get(text, text)
    fields = line.split()
    if len(fields) != len(_BOUNDS):
        raise ValueError(f"expected exactly {len(_BOUNDS)} fields, found {len(fields)}: {text!r}")
    plain = [_field(field, position) for position, field in enumerate(fields)]
    schedule = Cron(" ".join(("0", *plain)), _zone(zone))
    try:
        first = schedule.next(0, 0)
    except CronSimError as refused:
        raise ValueError(f"expected a schedule that comes, found {text!r}: {refused}") from None
    if first is None:
        raise ValueError(f"expected a schedule that comes, found {text!r}")
    return schedule


def _zone(name: str | None) -> tzinfo:
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError(f"expected a time zone, found {name!r}") from None


def _duration(text: str) -> float:
    pieces = _DURATION.findall(text)
    if not pieces or "".join(number + unit for number, unit in pieces) != text:
        raise ValueError(f"expected a duration such as 1h30m, found {text!r}")
    return sum(float(number) * _UNITS[unit] for number, unit in pieces)


def _field(field: str, position: int) -> str:
    """The field as a list of numbers; ``*`` only where it stands for itself."""
    numbers: set[int] = set()
    for piece in field.split(","):
        span, _, step = piece.partition("/")
        stars = span in ("*", "?")
        if stars and step in ("", "1"):
            return "*"
        low, high = _span(span, position, open_end=bool(step))
        numbers.update(range(low, high + 1, _number(step, position) if step else 1))
    return ",".join(map(str, sorted(numbers)))


def _span(span: str, position: int, *, open_end: bool) -> tuple[int, int]:
    """First and last number; a single one with a step goes on to the end."""
    low, high = _BOUNDS[position]
    last = 6 if position == _WEEKDAY else high
    if span in ("*", "?"):
        return low, last
    first_text, dash, last_text = span.partition("-")
    first = _number(first_text, position)
    end = _number(last_text, position) if dash else (last if open_end else first)
    if not low <= first <= end <= high:
        raise ValueError(f"expected a range within {low}-{high}, found {span!r}")
    return first, end


def _number(text: str, position: int) -> int:
    names = _NAMES.get(position, ())
    if text.lower() in names and text:
        return names.index(text.lower())
    if not text.isdigit():
        raise ValueError(f"expected a number, found {text!r}")
    return int(text)


def _shown(moment: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(moment, zone).isoformat().replace("+00:00", "Z")
