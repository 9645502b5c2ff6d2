"""When a cron schedule fires, in a time zone, after or before a moment. Pure.

Moments are Unix seconds. Without a time zone a schedule means UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
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
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}


class ScheduleError(ValueError):
    """A schedule or a time zone that cannot be read."""


class Schedule:
    def __init__(self, text: str, zone: str = "") -> None:
        self.period = _period(text.removeprefix(EVERY)) if text.startswith(EVERY) else 0.0
        self.expression = DESCRIPTORS.get(text, text).replace("?", "*")
        try:
            self.zone = ZoneInfo(zone) if zone else UTC
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ScheduleError(f"unknown time zone {zone}") from error
        if not self.period:
            try:
                CronSim(self.expression, datetime.fromtimestamp(0, self.zone))
            except CronSimError as error:
                raise ScheduleError(f"expected a cron schedule, found {text!r}: {error}") from error

    def after(self, moment: float) -> float | None:
        """The first moment later than this one; None when there is none."""
        if self.period:
            return moment // 1 + self.period
        return next(self._moments(moment), None)

    def latest(self, after: float, until: float) -> tuple[float | None, int]:
        """The last moment later than ``after`` and not later than ``until``, and how many there are, up to a bound."""
        if self.period:
            count = int((until - after // 1) // self.period)
            return (after // 1 + count * self.period, count) if count > 0 else (None, 0)
        last = next(self._moments(until // 1 + 1, reverse=True), None)
        if last is None or last <= after:
            return None, 0
        count = 0
        for moment in self._moments(after):
            if moment > until or count >= MAX_COUNTED:
                break
            count += 1
        return last, count

    def _moments(self, start: float, *, reverse: bool = False) -> Iterator[float]:
        begin = datetime.fromtimestamp(start // 1, self.zone)
        try:
            for found in CronSim(self.expression, begin, reverse):
                yield found.timestamp()
        except (StopIteration, CronSimError):
            return


def _period(text: str) -> float:
    """A Go duration, ``1h30m``, in whole seconds and at least one."""
    pieces = re.findall(r"(\d+(?:\.\d+)?)([hms])", text)
    if not pieces or "".join(number + unit for number, unit in pieces) != text.strip():
        raise ScheduleError(f"expected a duration such as 1h30m, found {text!r}")
    return max(1.0, sum(float(number) * _UNITS[unit] for number, unit in pieces) // 1)
