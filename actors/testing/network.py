"""A network in memory, in the loop's time: what TCP makes of packets that are late, lost, doubled or cut off.

    network = MemoryNetwork(seed=7, loss=0.05)
    System("a", network=network.host("a")), System("b", network=network.host("b"))

Below each connection packets are delayed, lost and sent again, doubled; what a program sees is a stream whose bytes
are in order, late, and in other pieces than they were written. A partition holds all packets back until it heals.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable, Iterable
from typing import Any

from actors.remoting.network import Listener, Make

RESEND_SECONDS = 0.2
"""First wait before a packet is sent again; doubled each time, as TCP does."""
MAX_RESEND_SECONDS = 5.0
HIGH_WATER_BYTES = 64 * 1024
"""Unarrived bytes above which a writer is paused, unless it says otherwise."""
FIN = None
"""In the place of a packet's bytes: the stream ends here."""


class MemoryNetwork:
    """The hosts of one test and what lies between them. ``delay``: the least and the most seconds of a packet."""

    def __init__(
        self,
        seed: int = 0,
        *,
        delay: tuple[float, float] = (0.0001, 0.001),
        loss: float = 0.0,
        duplication: float = 0.0,
    ) -> None:
        self.delay = delay
        self.loss = loss
        self.duplication = duplication
        self.random = random.Random(f"network/{seed}")
        self.listeners: dict[str, tuple[str, Make]] = {}
        self._cut: set[frozenset[str]] = set()
        self._ends: dict[End, None] = {}

    def host(self, name: str) -> Host:
        """The access of the host ``name``, made anew when there is none."""
        return Host(self, name)

    def partition(self, *sides: Iterable[str]) -> None:
        """Let nothing pass between the hosts of different ``sides``."""
        groups = [sorted(side) for side in sides]
        for index, group in enumerate(groups):
            for other in groups[index + 1 :]:
                self._cut.update(frozenset((one, two)) for one in group for two in other)

    def heal(self) -> None:
        """End every partition."""
        self._cut.clear()

    def cut(self, one: str, two: str) -> bool:
        """Whether nothing passes between two hosts."""
        return frozenset((one, two)) in self._cut

    def reset(self, *hosts: str) -> None:
        """Break all connections of ``hosts``, as a power cut of theirs would, and tell both ends."""
        for end in list(self._ends):
            if end.host in hosts:
                end.abort()

    def connections(self) -> int:
        """How many are open."""
        return len(self._ends) // 2

    def join(self, one: End, two: End) -> None:
        """Connect two ends."""
        one.other, two.other = two, one
        self._ends[one] = self._ends[two] = None

    def gone(self, end: End) -> None:
        """An end was closed: forget it."""
        self._ends.pop(end, None)

    def carry(self, end: End, arrive: Callable[[], None], attempt: int = 0) -> None:
        """Bring a packet from ``end`` to the other one, sooner or later."""
        loop = asyncio.get_running_loop()
        assert end.other is not None, "packets are sent on connections"
        if self.cut(end.host, end.other.host) or self.random.random() < self.loss:
            wait = min(RESEND_SECONDS * 2**attempt, MAX_RESEND_SECONDS)
            loop.call_later(wait, self._again, end, arrive, attempt + 1)
            return
        copies = 2 if self.random.random() < self.duplication else 1
        for _ in range(copies):
            loop.call_later(self.random.uniform(*self.delay), arrive)

    def _again(self, end: End, arrive: Callable[[], None], attempt: int) -> None:
        if end in self._ends or (end.other is not None and end.other in self._ends):
            self.carry(end, arrive, attempt)


class Host:
    """One host's access to the network: give it to a ``System``."""

    def __init__(self, network: MemoryNetwork, name: str) -> None:
        self._network = network
        self.name = name

    async def listen(self, address: str, make: Make, tls: ssl.SSLContext | None) -> Listener:
        if address in self._network.listeners:
            raise OSError(f"the address {address} is in use")
        self._network.listeners[address] = (self.name, make)
        return MemoryListener(self._network, address)

    async def connect(self, address: str, make: Make, tls: ssl.SSLContext | None) -> None:
        network = self._network
        attempt = 0
        while True:
            await asyncio.sleep(network.random.uniform(*network.delay))
            found = network.listeners.get(address)
            if found is not None and network.cut(self.name, found[0]):
                await asyncio.sleep(min(RESEND_SECONDS * 2**attempt, MAX_RESEND_SECONDS))
                attempt += 1
                continue
            if found is None:
                raise ConnectionRefusedError(f"nobody listens at {address}")
            break
        there, accept = found
        mine, theirs = End(network, self.name, there), End(network, there, self.name)
        network.join(mine, theirs)
        theirs.attach(accept())
        mine.attach(make())


class MemoryListener:
    def __init__(self, network: MemoryNetwork, address: str) -> None:
        self._network = network
        self.address = address

    def close(self) -> None:
        self._network.listeners.pop(self.address, None)


class End(asyncio.Transport):
    """One end of a connection."""

    def __init__(self, network: MemoryNetwork, host: str, peer: str) -> None:
        super().__init__({"peername": peer})
        self._network = network
        self._protocol: Any = None
        self._sent = 0  # packets
        self._awaited = 0  # the number of the packet that is delivered next
        self._early: dict[int, bytes | None] = {}
        self._unarrived = 0
        self._high = HIGH_WATER_BYTES
        self._paused = False
        self._closing = False
        self.host = host
        self.other: End | None = None

    def attach(self, protocol: Any) -> None:
        self._protocol = protocol
        asyncio.get_running_loop().call_soon(protocol.connection_made, self)

    # What protocols call

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if self._closing or not data:
            return
        packet = bytes(data)
        cut = self._network.random.randrange(len(packet) + 1)
        for piece in (packet[:cut], packet[cut:]):
            if piece:
                self._unarrived += len(piece)
                self._send(piece)
        if self._unarrived > self._high and not self._paused:
            self._paused = True
            self._protocol.pause_writing()

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._send(FIN)
            asyncio.get_running_loop().call_soon(self._lost, None)

    def abort(self) -> None:
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self._lost, None)
            other = self.other
            assert other is not None, "a connection has two ends"
            self._network.carry(self, lambda: other.reset())

    def is_closing(self) -> bool:
        return self._closing

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = HIGH_WATER_BYTES if high is None else high

    def get_write_buffer_size(self) -> int:
        return self._unarrived

    # What the network does

    def _send(self, data: bytes | None) -> None:
        number, self._sent = self._sent, self._sent + 1
        other = self.other
        assert other is not None, "a connection has two ends"
        self._network.carry(self, lambda: other.arrived(number, data))

    def arrived(self, number: int, data: bytes | None) -> None:
        if number < self._awaited or number in self._early:
            return  # it was doubled
        self._early[number] = data
        while self._awaited in self._early:
            data = self._early.pop(self._awaited)
            self._awaited += 1
            if data is FIN:
                if not self._closing:
                    self._protocol.eof_received()
                    self.close()
                return
            assert data is not None, "FIN was handled"
            assert self.other is not None, "a connection has two ends"
            self.other.acknowledged(len(data))
            if not self._closing:
                self._protocol.data_received(data)

    def acknowledged(self, size: int) -> None:
        self._unarrived -= size
        if self._paused and self._unarrived <= self._high // 4:
            self._paused = False
            if not self._closing:
                self._protocol.resume_writing()

    def reset(self) -> None:
        if not self._closing:
            self._closing = True
            self._lost(ConnectionResetError("the other side is gone"))

    def _lost(self, error: Exception | None) -> None:
        self._network.gone(self)
        self._protocol.connection_lost(error)
