"""How long events are kept: each is written under a lease of the store that ends after the retention.

One lease serves all events of a while, so a flood of events grants no flood of leases.
"""

from __future__ import annotations

from orchestrator.apiserver.keys import resource_prefix
from orchestrator.apiserver.storage import Storage
from orchestrator.store.protocol import Change

LEASE_SECONDS = 60.0
"""Events written within this time share a lease (upstream: one lease a minute, at most a thousand keys)."""
EVENTS = resource_prefix("", "events")


class EventLeases:
    """The lease for what is written now."""

    def __init__(self, ttl_seconds: float) -> None:
        self._ttl = ttl_seconds
        self._lease = 0
        self._until = 0.0

    async def attach(self, storage: Storage, changes: list[Change], now: float) -> list[Change]:
        """The changes, those that put an event with a lease."""
        events = [at for at, put in enumerate(changes) if put.key.startswith(EVENTS) and put.parts is not None]
        if not events:
            return changes
        if now >= self._until:
            self._lease = await storage.grant(self._ttl + LEASE_SECONDS)
            self._until = now + LEASE_SECONDS
        leased = list(changes)
        for at in events:
            leased[at] = _leased(changes[at], self._lease)
        return leased


def _leased(change: Change, lease: int) -> Change:
    return Change(change.key, change.parts, change.expect, change.fields, lease, change.cause)
