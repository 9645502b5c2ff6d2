"""Moments and ages in Kubernetes' form."""

from __future__ import annotations

import pytest

from orchestrator.apimachinery.timestamps import age, parse_time, rfc3339, rfc3339_micro, short_duration


def test_a_moment_is_cut_to_seconds_or_micros() -> None:
    assert rfc3339(1.9) == "1970-01-01T00:00:01Z"
    assert rfc3339_micro(1.5) == "1970-01-01T00:00:01.500000Z"


def test_what_was_written_is_read_again() -> None:
    assert parse_time(rfc3339_micro(1767323045.25)) == 1767323045.25
    assert parse_time("2026-01-02T03:04:05+01:00") == parse_time("2026-01-02T02:04:05Z")


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="expected an RFC 3339 time"):
        parse_time("soon")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (5, "5s"),
        (119, "119s"),
        (125, "2m5s"),
        (660, "11m"),
        (3 * 3600 + 60, "3h1m"),
        (30 * 3600, "30h"),
        (50 * 3600, "2d2h"),
        (10 * 86400, "10d"),
        (800 * 86400, "2y70d"),
        (3000 * 86400, "8y"),
    ],
)
def test_ages_are_short(seconds: float, text: str) -> None:
    assert short_duration(seconds) == text


def test_no_timestamp_is_unknown() -> None:
    assert age(None, 1.0) == "<unknown>"
