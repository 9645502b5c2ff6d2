"""Who may register now: a fleet of kubelets that starts in one process comes to the API server by and by.

All at once they would have as many requests and half-made objects in memory as there are nodes, and what such a moment
took is not given back: 8 KB a node.
"""

from __future__ import annotations

import contextvars
from typing import Any

from actors import Ref
from orchestrator.kubelet.messages import Register

MAX_REGISTRATIONS = 128
"""Kubelets that register at once: as many writes as make a good commit. Of twice as many the objects half made leave
holes in the heap, half a KB a node of 5,000; with half as many the start takes a fifth more."""


class Registrations:
    """Tells ``Register`` to each kubelet that asks, in turn. One for all kubelets of a process."""

    __slots__ = ("_context", "_under_way", "_waiting")

    def __init__(self) -> None:
        self._context = contextvars.copy_context()
        # Of whoever makes this, no kubelet: it tells in nobody's name.
        self._under_way: dict[Ref[Any], None] = {}
        self._waiting: dict[Ref[Any], None] = {}

    def ask(self, kubelet: Ref[Any]) -> None:
        """It is told when there is room."""
        self._waiting[kubelet] = None
        self._admit()

    def done(self, kubelet: Ref[Any]) -> None:
        """It has registered, tries again later by itself, or is over; once too often does no harm."""
        self._waiting.pop(kubelet, None)
        self._under_way.pop(kubelet, None)
        self._admit()

    def _admit(self) -> None:
        while self._waiting and len(self._under_way) < MAX_REGISTRATIONS:
            kubelet = next(iter(self._waiting))
            del self._waiting[kubelet]
            self._under_way[kubelet] = None
            self._context.run(kubelet.tell_nowait, Register())
