"""Leases and the keys that hang on them, as the log decided. When one expires is not theirs to say but the leader's."""

from __future__ import annotations

import msgspec


class Lease(msgspec.Struct, array_like=True):
    lease: int
    ttl_milliseconds: int
    keys: set[str] = set()


class Leases:
    def __init__(self) -> None:
        self._leases: dict[int, Lease] = {}
        self.granted = 0
        """The number of the last lease: numbers are never used twice."""

    def __contains__(self, lease: int) -> bool:
        return lease in self._leases

    def get(self, lease: int) -> Lease | None:
        return self._leases.get(lease)

    def all(self) -> list[Lease]:
        return list(self._leases.values())

    def grant(self, ttl_milliseconds: int, wanted: int = 0) -> Lease | None:
        """None when ``wanted`` is taken."""
        if wanted in self._leases:
            return None
        while not wanted:
            self.granted += 1
            wanted = self.granted if self.granted not in self._leases else 0
        lease = self._leases[wanted] = Lease(wanted, ttl_milliseconds)
        return lease

    def restore(self, lease: int, ttl_milliseconds: int) -> None:
        self._leases[lease] = Lease(lease, ttl_milliseconds)

    def revoke(self, lease: int) -> list[str]:
        """End it; the keys that hung on it, in order."""
        ended = self._leases.pop(lease, None)
        return sorted(ended.keys) if ended is not None else []

    def move(self, key: str, old: int, new: int) -> None:
        """``key`` hung on ``old`` and now on ``new`` (0: on none)."""
        if old and old in self._leases:
            self._leases[old].keys.discard(key)
        if new in self._leases:
            self._leases[new].keys.add(key)
