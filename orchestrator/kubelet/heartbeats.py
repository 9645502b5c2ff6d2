"""When the nodes of a process send their heartbeats: one timer for all that share a slot."""

from __future__ import annotations

import contextvars
from typing import Any

from actors import Clock, Handle, Ref
from orchestrator.kubelet.messages import Heartbeat
from orchestrator.kubelet.node import HEARTBEAT_SECONDS, seconds_to_slot


class _Slot:
    __slots__ = ("due", "handle", "kubelets")

    def __init__(self, due: float) -> None:
        self.due = due
        self.handle: Handle | None = None
        self.kubelets: dict[Ref[Any], None] = {}


class Heartbeats:
    """Tells ``Heartbeat`` to each kubelet of a slot when its moment comes, every ten seconds, without drift.

    One for all kubelets of a process, made by none of them: it tells in nobody's name.
    """

    __slots__ = ("_clock", "_context", "_slots")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._context = contextvars.copy_context()
        self._slots: dict[int, _Slot] = {}

    def join(self, kubelet: Ref[Any], slot: int) -> None:
        """It is told from the next moment of ``slot`` on."""
        held = self._slots.get(slot)
        if held is None:
            first = seconds_to_slot(self._clock.time(), slot)
            held = self._slots[slot] = _Slot(self._clock.monotonic() + first)
            self._arm(held, first)
        held.kubelets[kubelet] = None

    def leave(self, kubelet: Ref[Any]) -> None:
        """It is told no more; once too often does no harm."""
        for number, slot in list(self._slots.items()):
            slot.kubelets.pop(kubelet, None)
            if not slot.kubelets:
                del self._slots[number]
                assert slot.handle is not None, "a slot with kubelets has its timer"
                slot.handle.cancel()

    def _arm(self, slot: _Slot, seconds: float) -> None:
        slot.handle = self._context.run(self._clock.call_later, seconds, lambda: self._beat(slot))

    def _beat(self, slot: _Slot) -> None:
        slot.due += HEARTBEAT_SECONDS
        self._arm(slot, max(0.0, slot.due - self._clock.monotonic()))
        for kubelet in slot.kubelets:
            kubelet.tell_nowait(Heartbeat())
