"""Leases: none is kept alive after its end, none ends before its time."""

from __future__ import annotations

from tests.store.checks import Violation
from tests.store.simulation.clients import Renewal
from tests.store.simulation.node import MAX_SKEW


class Keeping:
    """What one leader did to its leases, by its own clock in seconds. A term begins with nothing known."""

    def __init__(self) -> None:
        self._term = 0
        self._alive: dict[int, float] = {}

    def granted(self, term: int, lease: int, now: float) -> None:
        self._begin(term)
        self._alive[lease] = now

    def extended(self, term: int, lease: int, ttl: float, now: float) -> None:
        self._begin(term)
        last = self._alive.get(lease)
        if last is not None and now > last + ttl:
            raise Violation(
                f"the leader of term {term} kept lease {lease} of {ttl} s alive {now - last:.3f} s after it last had"
            )
        self._alive[lease] = now

    def _begin(self, term: int) -> None:
        if term != self._term:
            self._term = term
            self._alive.clear()


def check(renewals: list[Renewal], ended: dict[int, float]) -> None:
    """No lease expires within its time after it was kept alive. ``ended``: when each was first seen to expire."""
    for renewal in renewals:
        end = ended.get(renewal.lease)
        if renewal.ended is None or end is None:
            continue
        if renewal.ended < end < renewal.began + renewal.ttl / MAX_SKEW:
            raise Violation(
                f"lease {renewal.lease} of {renewal.ttl:.0f} ms, kept alive at {renewal.began:.0f} ms, ended at"
                f" {end:.0f} ms"
            )
