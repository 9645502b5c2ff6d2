"""Schedules: how a line is read, what time zones do to it, counting what was missed."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from orchestrator.controllers.schedule import Schedule, ScheduleError


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def coming(line: str, since: str, count: int, zone: str = "") -> list[str]:
    """The next moments, in UTC without seconds."""
    schedule, moment, found = Schedule(line, zone), at(since), []
    for _ in range(count):
        following = schedule.after(moment)
        assert following is not None
        moment = following
        found.append(datetime.fromtimestamp(moment, UTC).isoformat()[:16])
    return found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("*/20 * * * *", ["2026-01-01T00:20", "2026-01-01T00:40", "2026-01-01T01:00"]),
        ("5/25 * * * *", ["2026-01-01T00:05", "2026-01-01T00:30", "2026-01-01T00:55"]),
        ("0 0 1 jan,MAR *", ["2026-03-01T00:00", "2027-01-01T00:00", "2027-03-01T00:00"]),
        ("0 6-16/4 * * mon-fri", ["2026-01-01T06:00", "2026-01-01T10:00", "2026-01-01T14:00"]),
        ("0 0 * * 1/2", ["2026-01-02T00:00", "2026-01-05T00:00", "2026-01-07T00:00"]),
        ("? 12 ? * 0", ["2026-01-04T12:00", "2026-01-04T12:01", "2026-01-04T12:02"]),
        ("@hourly", ["2026-01-01T01:00", "2026-01-01T02:00", "2026-01-01T03:00"]),
        ("@every 1h30m", ["2026-01-01T01:30", "2026-01-01T03:00", "2026-01-01T04:30"]),
    ],
)
def test_a_line_is_read_as_kubernetes_reads_it(line: str, expected: list[str]) -> None:
    assert coming(line, "2026-01-01T00:00", 3) == expected


def test_of_a_restricted_day_and_a_restricted_weekday_one_is_enough() -> None:
    assert coming("0 0 3 * 5", "2026-01-01", 3) == ["2026-01-02T00:00", "2026-01-03T00:00", "2026-01-09T00:00"]


def test_a_day_with_a_step_is_restricted() -> None:
    assert coming("0 0 */10 * 5", "2026-01-01", 3) == ["2026-01-02T00:00", "2026-01-09T00:00", "2026-01-11T00:00"]


@pytest.mark.parametrize(
    "line", ["", "* * * *", "60 * * * *", "a * * * *", "5-1 * * * *", "*/0 * * * *", "59 23 31 2 *", "@every soon"]
)
def test_what_is_no_schedule_is_refused(line: str) -> None:
    with pytest.raises(ScheduleError):
        Schedule(line)


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(ScheduleError, match="time zone"):
        Schedule("* * * * *", "Nowhere/City")


def test_the_hour_of_a_zone_moves_with_daylight_saving() -> None:
    found = coming("0 12 * * *", "2026-03-27T13:00", 3, "Europe/Berlin")
    assert found == ["2026-03-28T11:00", "2026-03-29T10:00", "2026-03-30T10:00"]


def test_a_moment_that_the_clock_leaps_over_does_not_come() -> None:
    found = coming("30 2 * * *", "2026-03-27T12:00", 2, "Europe/Berlin")
    assert found == ["2026-03-28T01:30", "2026-03-30T00:30"]


def test_a_moment_that_the_clock_shows_twice_comes_twice() -> None:
    found = coming("30 2 * * *", "2026-10-24T12:00", 3, "Europe/Berlin")
    assert found == ["2026-10-25T00:30", "2026-10-25T01:30", "2026-10-26T01:30"]


def test_midnight_that_the_clock_leaps_over_does_not_come() -> None:
    found = coming("0 0 * * *", "2026-04-23T00:00", 2, "Africa/Cairo")
    assert found == ["2026-04-24T21:00", "2026-04-25T21:00"]


def test_the_first_hour_after_a_leap_at_midnight_is_whole() -> None:
    found = coming("0,30 * 24 4 *", "2026-04-23T00:00", 2, "Africa/Cairo")
    assert found == ["2026-04-23T22:00", "2026-04-23T22:30"]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])
def test_looking_back_finds_what_looking_forward_found(zone: str) -> None:
    schedule = Schedule("*/15 1-3 * * *", zone)
    moment = at("2026-03-25")
    for _ in range(100):
        following = schedule.after(moment)
        assert following is not None
        assert schedule.latest(moment, following)[0] == following
        assert schedule.latest(moment, following - 1)[0] is None
        assert schedule.latest(moment, following + 59)[0] == following
        moment = following


@pytest.mark.parametrize("line", ["*/7 * * * *", "0 3 * * *", "30 1,2 * * *", "15 3 29 2 *", "0 0 1 1 *"])
@pytest.mark.parametrize("zone", ["", "Europe/Berlin"])
def test_what_a_schedule_remembers_changes_no_answer(line: str, zone: str) -> None:
    choice, remembering, start = random.Random(f"{line}{zone}"), Schedule(line, zone), at("2026-03-27")
    for _ in range(300):
        start += choice.choice([0.0, 0.1, 59.9, 60.0, 600.0, 86_400.0 * choice.random()])
        until = start + choice.choice([0.0, 1.0, 60.1, 420.0, 3600.0, 172_800.0])
        assert remembering.after(start) == Schedule(line, zone).after(start)
        assert remembering.latest(start, until) == Schedule(line, zone).latest(start, until)


def test_missed_moments_are_counted_up_to_a_bound() -> None:
    schedule, start = Schedule("0 * * * *"), at("2026-01-01")
    assert schedule.latest(start, start + 5 * 3600) == (start + 5 * 3600, 5)
    assert schedule.latest(start, start + 500 * 3600) == (start + 500 * 3600, 101)
    assert schedule.latest(start, start + 3599) == (None, 0)


def test_a_fixed_distance_is_counted_from_the_last_time() -> None:
    every = Schedule("@every 40s")
    assert [every.latest(100, until) for until in (139, 140, 230)] == [(None, 0), (140, 1), (220, 3)]
    assert every.after(220) == 260


def test_a_moment_is_shown_in_the_zone_of_the_schedule() -> None:
    moment = at("2026-07-01T10:00")
    assert Schedule("* * * * *").text(moment) == "2026-07-01T10:00:00Z"
    assert Schedule("* * * * *", "Europe/Berlin").text(moment) == "2026-07-01T12:00:00+02:00"
