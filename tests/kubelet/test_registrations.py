"""A fleet registers by and by."""

from __future__ import annotations

from typing import Any

from actors import Actor, Ref, System
from orchestrator.kubelet.messages import Register
from orchestrator.kubelet.registrations import MAX_REGISTRATIONS, Registrations


class Kubelet(Actor):
    def __init__(self, told: list[str]) -> None:
        self._told = told

    async def receive(self, message: object) -> None:
        assert isinstance(message, Register)
        self._told.append(self.context.ref.path)


async def asking(system: System, registrations: Registrations, told: list[str]) -> list[Ref[Any]]:
    """Two more kubelets than may register at once, each of which has asked."""
    fleet = [await system.spawn(Kubelet, told, name=f"node-{number}") for number in range(MAX_REGISTRATIONS + 2)]
    for kubelet in fleet:
        registrations.ask(kubelet)
    return fleet


async def test_no_more_are_told_to_register_than_may_at_once_and_the_next_when_one_is_done() -> None:
    async with System("fleet") as system:
        told: list[str] = []
        registrations = Registrations()
        fleet = await asking(system, registrations, told)
        await system.idle()
        assert told == [kubelet.path for kubelet in fleet[:MAX_REGISTRATIONS]]

        registrations.done(fleet[0])
        registrations.done(fleet[0])
        await system.idle()
        assert told == [kubelet.path for kubelet in fleet[: MAX_REGISTRATIONS + 1]]


async def test_one_that_is_over_before_its_turn_is_not_told() -> None:
    async with System("fleet") as system:
        told: list[str] = []
        registrations = Registrations()
        fleet = await asking(system, registrations, told)
        registrations.done(fleet[-2])
        registrations.done(fleet[0])
        await system.idle()
        assert told[-1] == fleet[-1].path
        assert fleet[-2].path not in told
