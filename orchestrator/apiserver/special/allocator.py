"""Cluster addresses and node ports: who has which, and the next free one.

What is taken is read from the mirrored Services, so there is no ledger to repair; a reservation covers the time
between an answer of this object and the Service's commit.
"""

from __future__ import annotations

import ipaddress
import random
from itertools import chain

from orchestrator.apimachinery.encoded import Object

RESERVED_LOW = 256
"""Addresses at the start of a range that are left for those who ask by name: upstream's static band, at most."""
MIN_RESERVED = 16


class Taken(Exception):
    """The address or port asked for belongs to another Service, or lies outside of the range."""


class Allocator:
    """Hands out addresses of one network and ports of one range; random, as upstream, to avoid early reuse."""

    def __init__(self, cidr: str, first_port: int, last_port: int, source: random.Random) -> None:
        self._network = ipaddress.ip_network(cidr)
        self._size = min(self._network.num_addresses, 2**20)
        self._ports = range(first_port, last_port + 1)
        self._random = source
        self._addresses: dict[str, str] = {}
        self._taken_ports: dict[int, str] = {}

    def listen(self, key: str, before: Object | None, after: Object | None) -> None:
        """A Service changed: the mirror's listener."""
        for address in addresses_of(before or {}):
            self.release_address(address, key)
        for port in ports_of(before or {}):
            self.release_port(port, key)
        for address in addresses_of(after or {}):
            self._addresses[address] = key
        for port in ports_of(after or {}):
            self._taken_ports[port] = key

    def take_address(self, key: str, wanted: str = "", *, fresh: bool = False) -> str:
        """``wanted``, or a free one. ``fresh``: not even ``key`` may have it. Raises ``Taken``."""
        if wanted:
            holder = self._addresses.get(wanted)
            if holder is not None and (fresh or holder != key):
                raise Taken("provided IP is already allocated")
            if ipaddress.ip_address(wanted) not in self._network:
                why = f"the provided IP ({wanted}) is not in the valid range"
                raise Taken(f"{why}. The range of valid IPs is {self._network}")
            self._addresses[wanted] = key
            return wanted
        address = self._free_address()
        self._addresses[address] = key
        return address

    def take_port(self, key: str, wanted: int = 0, *, fresh: bool = False) -> int:
        """``wanted``, or a free one. ``fresh``: not even ``key`` may have it. Raises ``Taken``."""
        if wanted:
            if wanted not in self._ports:
                low, high = self._ports[0], self._ports[-1]
                raise Taken(f"provided port is not in the valid range. The range of valid ports is {low}-{high}")
            holder = self._taken_ports.get(wanted)
            if holder is not None and (fresh or holder != key):
                raise Taken("provided port is already allocated")
            self._taken_ports[wanted] = key
            return wanted
        start = self._random.randrange(len(self._ports))
        for step in range(len(self._ports)):
            port = self._ports[(start + step) % len(self._ports)]
            if port not in self._taken_ports:
                self._taken_ports[port] = key
                return port
        raise Taken("range is full")

    def release_address(self, address: str, key: str) -> None:
        if self._addresses.get(address) == key:
            del self._addresses[address]

    def release_port(self, port: int, key: str) -> None:
        if self._taken_ports.get(port) == key:
            del self._taken_ports[port]

    def _free_address(self) -> str:
        """From the upper band first; the lower band when that is full. Never the network's first or last address."""
        low = min(max(MIN_RESERVED, self._size // 16), RESERVED_LOW) if self._size > MIN_RESERVED * 4 else 1
        last = self._size - 1
        start = self._random.randrange(low, last)
        for index in chain(range(start, last), range(low, start), range(1, low)):
            address = str(self._network[index])
            if address not in self._addresses:
                return address
        raise Taken("range is full")


def addresses_of(service: Object) -> list[str]:
    spec = service.get("spec") or {}
    found = spec.get("clusterIPs") or [spec.get("clusterIP") or "None"]
    return [address for address in found if address and address != "None"]


def ports_of(service: Object) -> list[int]:
    spec = service.get("spec") or {}
    found = [port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")]
    health = spec.get("healthCheckNodePort")
    return [*found, health] if health else found
