"""Virtual time, and a network that loses, doubles, delays and cuts."""

from __future__ import annotations

import random
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

import msgspec

from orchestrator.store.wire import Wire
from tests.store.simulation.software import CURRENT, NEWER, Software, heard, spoken, unknown_word
from tests.store.simulation.tally import Tally

EPOCH_MILLISECONDS = 1_767_225_600_000
UNKNOWN_WORDS = 0.02
"""What a newer member says beside each message, as a chance."""


class World:
    """Events in the order of their time, in milliseconds. What is ordered alike happens in the order it was asked."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.apart = random.Random(f"apart {seed}")
        """For what was thought of later: a seed lives as it did, but for that."""
        self.tally = Tally()
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

    def __init__(
        self, world: World, deliver: Callable[[Wire], None], software: Callable[[int], Software], *, mixed: bool
    ) -> None:
        """``deliver`` hands a message to its member; ``software`` is what one runs, ``mixed`` whether they differ."""
        draw = world.random
        self._world = world
        self._deliver_to = deliver
        self._software = software
        self._mixed = mixed
        self._sent = 0
        self._delivered: dict[tuple[int, int], int] = {}
        # By pair, the latest message that arrived.
        self.loss = draw.choice([0.0, 0.0, 0.02, 0.1, 0.3])
        self.doubled = draw.choice([0.0, 0.02, 0.1])
        self.late = draw.choice([0.0, 0.0, 0.01, 0.05])
        self.slow = draw.choice([4.0, 15.0, 40.0])
        self.coded = draw.random() < 0.1
        """Whether messages are encoded and decoded, as on a real wire."""
        self.cut: set[tuple[int, int]] = set()
        self.silenced: set[tuple[int, int]] = set()
        """Pairs as in ``cut``: what is sent is lost, what was sent before arrives."""
        self.delayed: dict[tuple[int, int], float] = {}
        """By pair, how much longer messages take."""

    def send(self, message: Wire) -> None:
        draw, pair = self._world.random, (message.sender, message.to)
        said: Wire | bytes = self._said(message, pair) if self._mixed or self.coded else message
        if pair in self.silenced or draw.random() < self.loss:
            self._world.tally.happened("message lost")
            return
        self._send_once(pair, said)
        if draw.random() < self.doubled:
            self._world.tally.happened("message doubled")
            self._send_once(pair, said)

    def _said(self, message: Wire, pair: tuple[int, int]) -> Wire | bytes:
        speaker, hearer = self._software(pair[0]), self._software(pair[1])
        if speaker is not hearer:
            self._world.tally.happened("message between versions")
        if speaker is NEWER and self._world.random.random() < UNKNOWN_WORDS:
            self._send_once(pair, unknown_word(*pair, self._world.random))
        return message if speaker is hearer is CURRENT and not self.coded else spoken(message, speaker)

    def _send_once(self, pair: tuple[int, int], said: Wire | bytes) -> None:
        draw = self._world.random
        delay = 0.5 + draw.random() * self.slow
        if draw.random() < self.late:
            delay += draw.random() * 1500.0
        if self.delayed:
            delay += self.delayed.get(pair, 0.0)
        self._sent += 1
        self._world.after(delay, self._deliver, pair, said, self._sent)

    def _deliver(self, pair: tuple[int, int], said: Wire | bytes, number: int) -> None:
        tally = self._world.tally
        if pair in self.cut:
            tally["message cut off"] += 1
            return
        if number < self._delivered.get(pair, 0):
            tally["message overtaken"] += 1
        else:
            self._delivered[pair] = number
        if isinstance(said, bytes):
            try:
                said = heard(said, self._software(pair[1]))
            except msgspec.MsgspecError:  # passed over, as the store does
                tally.happened("word of a newer version")
                return
        self._deliver_to(said)

    def rejoin_all(self) -> None:
        self.cut.clear()
        self.silenced.clear()
        self.delayed.clear()

    def heal(self) -> None:
        self.rejoin_all()
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
