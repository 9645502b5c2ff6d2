"""Addresses for pods: each pod its own, so that replicas listen on one port. Pure."""

from __future__ import annotations

import ipaddress

LOOPBACK = ipaddress.IPv4Network("127.64.0.0/10")
"""Where every address is local already: four million for programs that share the machine's network."""
RESERVED = 2
"""The network's own number, and its first address: the gateway."""


class Addresses:
    """Hands out in a circle, from a start that differs between data directories on one machine."""

    def __init__(self, network: ipaddress.IPv4Network = LOOPBACK, start: int = 0) -> None:
        self.network = network
        self._size = network.num_addresses - RESERVED - 1
        if self._size < 1:
            raise ValueError(f"expected a network with room for pods, /29 or larger, found {network}")
        self._next = start % self._size
        self._used: set[str] = set()

    def take(self) -> str:
        """Raises RuntimeError when all are in use."""
        for _ in range(self._size):
            address = str(self.network[RESERVED + self._next])
            self._next = (self._next + 1) % self._size
            if address not in self._used:
                self._used.add(address)
                return address
        raise RuntimeError(f"expected a free address in {self.network}, found {len(self._used)} in use")

    def keep(self, address: str) -> None:
        """An address that is in use already."""
        self._used.add(address)

    def give_back(self, address: str) -> None:
        self._used.discard(address)
