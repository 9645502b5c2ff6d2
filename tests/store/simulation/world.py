"""Virtual time, and a network that loses, doubles, delays and cuts."""

from __future__ import annotations

import random
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from orchestrator.store.wire import Wire, decode_wire, encode_wire

EPOCH_MILLISECONDS = 1_767_225_600_000


class World:
    """Events in the order of their time, in milliseconds. What is ordered alike happens in the order it was asked."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0

    def after(self, milliseconds: float, action: Callable[..., None], *arguments: Any) -> None:
        self._count += 1
        heappush(self._events, (self.now + milliseconds, self._count, action, arguments))

    def run(self, until: float) -> None:
        events = self._events
        while events and events[0][0] <= until:
            self.now, _, action, arguments = heappop(events)
            action(*arguments)
        self.now = until


class Network:
    """``loss`` and ``doubled`` are chances, ``slow`` the longest usual delay. ``cut`` holds pairs (from, to)."""

    def __init__(self, world: World, deliver: Callable[[Wire], None]) -> None:
        draw = world.random
        self._world = world
        self._deliver_to = deliver
        self.loss = draw.choice([0.0, 0.0, 0.02, 0.1, 0.3])
        self.doubled = draw.choice([0.0, 0.02, 0.1])
        self.late = draw.choice([0.0, 0.0, 0.01, 0.05])
        self.slow = draw.choice([4.0, 15.0, 40.0])
        self.coded = draw.random() < 0.1
        """Whether messages are encoded and decoded, as on a real wire."""
        self.cut: set[tuple[int, int]] = set()

    def send(self, message: Wire) -> None:
        draw = self._world.random
        if self.coded:
            message = decode_wire(encode_wire(message))
        if draw.random() < self.loss:
            return
        self._send_once(message)
        if draw.random() < self.doubled:
            self._send_once(message)

    def _send_once(self, message: Wire) -> None:
        draw = self._world.random
        delay = 0.5 + draw.random() * self.slow
        if draw.random() < self.late:
            delay += draw.random() * 1500.0
        self._world.after(delay, self._deliver, message)

    def _deliver(self, message: Wire) -> None:
        if (message.sender, message.to) not in self.cut:
            self._deliver_to(message)

    def heal(self) -> None:
        self.cut.clear()
        self.loss = self.doubled = self.late = 0.0
        self.slow = 4.0

    def isolate(self, member: int, others: list[int], *, inward: bool = True, outward: bool = True) -> None:
        for other in others:
            if outward:
                self.cut.add((member, other))
            if inward:
                self.cut.add((other, member))

    def rejoin(self, member: int) -> None:
        self.cut = {pair for pair in self.cut if member not in pair}
