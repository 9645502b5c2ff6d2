"""Exponential back-off between attempts: 10 s doubling to 5 min, forgotten after 10 min without a failure."""

from __future__ import annotations

import msgspec

INITIAL_SECONDS = 10.0
MAX_SECONDS = 300.0
RESET_SECONDS = 600.0


class Backoff(msgspec.Struct, frozen=True, gc=False):
    """``seconds`` is the wait after the latest failure; 0 while nothing failed. ``updated`` is when it was raised."""

    seconds: float = 0.0
    updated: float = 0.0


def raised(backoff: Backoff, now: float) -> Backoff:
    """The back-off after one more failure, or after one more restart that a failure made necessary."""
    if backoff.seconds == 0.0 or now - backoff.updated > RESET_SECONDS:
        return Backoff(INITIAL_SECONDS, now)
    return Backoff(min(backoff.seconds * 2, MAX_SECONDS), now)


def ready_at(backoff: Backoff, failed_at: float) -> float:
    """When the next attempt may begin, for a failure at ``failed_at``."""
    if backoff.seconds == 0.0 or failed_at - backoff.updated > RESET_SECONDS:
        return failed_at
    return failed_at + backoff.seconds


def duration_text(seconds: float) -> str:
    """A duration as Go prints it: ``10s``, ``2m40s``, ``5m0s``."""
    whole = int(seconds)
    return f"{whole}s" if whole < 60 else f"{whole // 60}m{whole % 60}s"
