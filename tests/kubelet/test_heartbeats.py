"""The nodes of a process are told of their heartbeats by one timer for a slot."""

from __future__ import annotations

from typing import Any

from actors import Actor, LoopClock, System
from actors.codec import Header
from orchestrator.kubelet.heartbeats import Heartbeats
from orchestrator.kubelet.messages import Heartbeat
from orchestrator.kubelet.node import HEARTBEAT_SECONDS, seconds_to_slot


class Kubelet(Actor):
    def __init__(self, told: list[tuple[str, float]], heartbeats: Heartbeats, slot: int) -> None:
        self._told = told
        self._heartbeats = heartbeats
        self._slot = slot

    async def start(self) -> None:
        self._heartbeats.join(self.context.ref, self._slot)

    async def receive(self, message: Any) -> None:
        assert isinstance(message, Heartbeat)
        self._told.append((self.context.path, self.context.clock.time()))

    async def stop(self, exit: Any) -> None:
        self._heartbeats.leave(self.context.ref)


async def test_each_node_is_told_at_its_slot_every_ten_seconds_whenever_it_came() -> None:
    async with System("fleet") as system:
        clock = LoopClock()
        told: list[tuple[str, float]] = []
        heartbeats = Heartbeats(clock)
        await clock.sleep(seconds_to_slot(clock.time(), 0) + 0.5)
        begin = clock.time() - 0.5
        await system.spawn(Kubelet, told, heartbeats, 1, name="early")
        await clock.sleep(1.0)
        await system.spawn(Kubelet, told, heartbeats, 1, name="late")
        await system.spawn(Kubelet, told, heartbeats, 7, name="other")
        await clock.sleep(2 * HEARTBEAT_SECONDS)
        at = [(path, round(when - begin)) for path, when in told]
        assert at == [
            ("early", 1),
            ("other", 7),
            ("early", 11),
            ("late", 11),
            ("other", 17),
            ("early", 21),
            ("late", 21),
        ]


async def test_who_has_left_is_not_told_and_a_slot_without_nodes_has_no_timer() -> None:
    async with System("fleet") as system:
        clock = LoopClock()
        told: list[tuple[str, float]] = []
        heartbeats = Heartbeats(clock)
        one = await system.spawn(Kubelet, told, heartbeats, 3, name="one")
        two = await system.spawn(Kubelet, told, heartbeats, 3, name="two")
        await system.stop_actor(one)
        await clock.sleep(HEARTBEAT_SECONDS)
        assert [path for path, _ in told] == ["two"]
        await system.stop_actor(two)
        await clock.sleep(HEARTBEAT_SECONDS)
        assert len(told) == 1
        heartbeats.leave(two)


async def test_a_node_is_told_in_nobodys_name() -> None:
    seen: list[Header] = []
    async with System("fleet", tap=lambda header, frame: seen.append(header)) as system:
        clock = LoopClock()
        await system.spawn(Kubelet, [], Heartbeats(clock), 3, name="one")
        await clock.sleep(2 * HEARTBEAT_SECONDS)
    assert [(header.receiver, header.sender) for header in seen] == 2 * [("one", None)]
