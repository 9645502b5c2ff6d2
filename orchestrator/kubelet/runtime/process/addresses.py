"""Loopback addresses for pods: each pod its own, so that replicas listen on one port. Pure."""

from __future__ import annotations

FIRST = (127 << 24) | (64 << 16) | 1
SIZE = (64 << 16) - 2
"""127.64.0.1 to 127.127.255.254: four million."""


class Addresses:
    """Hands out in a circle, from a start that differs between data directories on one machine."""

    def __init__(self, start: int = 0) -> None:
        self._next = start % SIZE
        self._used: set[str] = set()

    def take(self) -> str:
        for _ in range(SIZE):
            number = FIRST + self._next
            self._next = (self._next + 1) % SIZE
            address = f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            if address not in self._used:
                self._used.add(address)
                return address
        raise RuntimeError(f"expected a free loopback address, found {len(self._used)} in use")

    def keep(self, address: str) -> None:
        """An address that is in use already."""
        self._used.add(address)

    def give_back(self, address: str) -> None:
        self._used.discard(address)
