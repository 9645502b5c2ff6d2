"""What became of one reconcile: done, again after a while, again with back-off, or never until something changes."""

from __future__ import annotations

import msgspec


class Outcome(msgspec.Struct, frozen=True):
    after_seconds: float | None = None
    """Look again after this, whatever happens meanwhile."""
    retry: bool = False
    """It failed and may succeed later: again with growing delay."""
    reason: str = ""


DONE = Outcome()


def requeue_after(seconds: float) -> Outcome:
    return Outcome(after_seconds=max(0.0, seconds))


def soonest(*moments: float | None) -> Outcome:
    """Look again after the least of these delays; None is no wish."""
    wished = [moment for moment in moments if moment is not None]
    return requeue_after(min(wished)) if wished else DONE


def retry(reason: str) -> Outcome:
    return Outcome(retry=True, reason=reason)


def terminal(reason: str) -> Outcome:
    """Nothing but a change of the object can help."""
    return Outcome(reason=reason)
