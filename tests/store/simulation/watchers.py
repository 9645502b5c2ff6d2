"""Watchers that follow the store through crashes and snapshots, and remember every event."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from actors import Ref, Tell
from orchestrator.store.protocol import Changes, Event, Refusal, Watch, WatchEnded
from orchestrator.store.reading import Unreadable, check_revision
from tests.store.simulation.node import Node
from tests.store.simulation.world import World

_decode = msgspec.msgpack.Decoder(list[Event]).decode

Seen = tuple[int, str, bool]
"""Revision, key, and whether it was deleted."""


class Stretch:
    """What one watch promised: every event after ``start`` up to ``end``, in order."""

    def __init__(self, start: int, prefix: str) -> None:
        self.start = start
        self.end = start
        self.prefix = prefix
        self.events: list[Seen] = []


class Watcher:
    """Stands for a subscriber; resumes at another member from the last revision that it knows to be complete."""

    def __init__(self, world: World, number: int, nodes: dict[int, Node]) -> None:
        self.path = f"watcher/{number}"
        self.prefix = world.random.choice(["", "a/", "b/"])
        self.stretches: list[Stretch] = []
        self._world = world
        self._draw = world.random
        self._nodes = nodes
        self._stretch: Stretch | None = None
        self._node: Node | None = None
        self._life = 0
        self._number = 0
        self._full = world.apart.choice([0.0, 0.0, 0.0, 0.3])
        # How often its mailbox takes no frame.
        self._world.after(self._draw.random() * 1000, self._look)

    def _look(self) -> None:
        """Is the watch still there? Else another is begun."""
        node = self._node
        if node is None or node.life != self._life or not node.up:
            self._begin()
        self._world.after(100.0 + self._draw.random() * 200, self._look)

    def _begin(self) -> None:
        up = [node for node in self._nodes.values() if node.ready]
        if not up:
            return
        node = self._draw.choice(up)
        machine = node.member.replica.machine
        revision = self._stretch.end if self._stretch is not None else 0
        try:
            check_revision(machine, revision)
        except Unreadable as error:
            if error.refusal is Refusal.COMPACTED:
                self._stretch = None  # what changed meanwhile is read, not watched
            return
        self._node, self._life = node, node.life
        if self._stretch is None:
            self._stretch = Stretch(machine.revision, self.prefix)
            self.stretches.append(self._stretch)
            revision = machine.revision
        missed = machine.history.after(revision)
        watch = Watch(cast(Ref[Any], self), self.prefix, revision=revision, progress=True, credit=4)
        self._number = node.watches.open(watch, machine.revision, missed)

    def told(self, message: Tell) -> bool:
        if self._full and self._world.apart.random() < self._full:
            self._world.tally.happened("frame not taken by a watcher")
            return False
        stretch = self._stretch
        if isinstance(message, WatchEnded):
            self._node = None
            self._world.tally.happened("watch ended by a snapshot or as slow")
            return True
        assert isinstance(message, Changes)
        if stretch is None:
            return True
        events: Any = message.events
        if isinstance(events, msgspec.Raw):  # encoded once for all who see the same
            events = _decode(events)
        for event in events:
            stretch.events.append((event.value.mod_revision, event.value.key, event.deleted))
        stretch.end = message.revision
        node, life = self._node, self._life
        if node is not None:
            self._world.after(1.0 + self._draw.random() * 50, self._credit, node, life, message.watch)
        return True

    def _credit(self, node: Node, life: int, number: int) -> None:
        if node.life == life and node.up:
            node.watches.credit(number, 1, node.member.replica.machine.revision)
