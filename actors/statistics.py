"""What an actor can say of itself, as frozen records."""

from __future__ import annotations

import msgspec


class Statistics(msgspec.Struct, frozen=True):
    """What one actor can say of itself, counted since it was spawned, across its restarts."""

    mailbox: int
    """Messages that wait."""
    handled: int
    restarts: int
    crashes: int
    """Crashes of instances and of owned tasks."""
    dropped: int
    """Messages that the overflow policy dropped or did not take."""
    busy_seconds: float
    """Time in handlers, waiting inside them included."""
    tasks: int
    """Owned tasks that run now."""


class Node(msgspec.Struct, frozen=True):
    """One actor in the picture that ``System.tree`` gives."""

    path: str
    kind: str
    """The actor's class; what makes it where there is no instance now."""
    state: str
    statistics: Statistics
    children: tuple[Node, ...] = ()


class SystemStatistics(msgspec.Struct, frozen=True):
    """What a system can say of itself, counted since it started."""

    actors: int
    spawned: int
    restarts: int
    crashes: int
    dead_letters: dict[str, int]
    """Undeliverable frames by reason."""
    asks: int
    """Asks that wait for a reply now."""
    workers: int
