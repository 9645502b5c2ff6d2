"""The act of the exploration that plays between two nodes: a network that loses, doubles and delays, and breaks."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from actors import AskTimeout, Backoff, Down, Ref, Secret, System, Tell
from actors.testing import MemoryNetwork
from tests.actors.ledger import Ledger
from tests.actors.troupe import Question, Recorded

SECRET = Secret(b"of the exploration")
ADDRESS = "tcp://far:1"
REMARKS = 8
SETTLE_SECONDS = 15.0
"""Longer than a connection takes to be dialled again and a packet to be sent again."""
TROUBLES = ("none", "kill", "reset", "partition")
PARTITION_SECONDS = 1.0
"""Shorter than the silence that ends a connection, unless packets get lost again and again after it."""


class Remark(Tell):
    number: int


class Attend(Tell):
    to: Ref[Any]


class Clerk(Recorded):
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    async def receive(self, message: Any) -> Any:
        match message:
            case Remark(number):
                self.ledger.remarks.append(number)
                await self.context.clock.sleep(self.context.random.choice((0.0, 0.001)))
            case Question(number, seconds):
                await self.context.clock.sleep(seconds)
                return number
        return None


class Guard(Recorded):
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    async def receive(self, message: Any) -> Any:
        match message:
            case Attend(to):
                self.context.watch(to)
            case Down():
                self.ledger.far_downs += 1


async def play_far(near: System, network: MemoryNetwork, ledger: Ledger, chance: random.Random) -> None:
    """Mail between nodes comes in order and at most once, and all of it while the connection lasts."""
    trouble = chance.choice(TROUBLES)
    async with System("far", seed=chance.getrandbits(32), network=network.host("far")) as far:
        await far.listen(ADDRESS, SECRET)
        dialer = await near.connect(ADDRESS, SECRET)
        peer = dialer.peer
        await far.spawn(Clerk, ledger, name="clerk", backoff=Backoff(0.01))
        clerk = near.ref("clerk", "far")
        guard = await near.spawn(Guard, ledger, name="guard")
        await guard.tell(Attend(clerk))
        await asyncio.sleep(1.0)
        await asyncio.gather(
            _remark(clerk, chance.choice((0.0, 0.01))),
            _ask(clerk, ledger),
            _trouble(trouble, far, network, chance.uniform(0.0, 0.03)),
        )
        await asyncio.sleep(SETTLE_SECONDS)
        unbroken = dialer.peer is peer
        await dialer.close()
    await asyncio.sleep(1.0)
    said, heard = list(range(REMARKS)), ledger.remarks
    ledger.objects(heard == sorted(set(heard)), f"between nodes {said} was heard as {heard}")
    ledger.objects(not unbroken or heard == said, f"with trouble {trouble!r} the far node only heard {heard}")
    ledger.objects(ledger.far_downs == 1, f"the end of the far clerk was told {ledger.far_downs} times")


async def _remark(clerk: Ref[Any], pause: float) -> None:
    for number in range(REMARKS):
        await clerk.tell(Remark(number))
        await asyncio.sleep(pause)


async def _ask(clerk: Ref[Any], ledger: Ledger) -> None:
    for number in range(4):
        try:
            reply = await clerk.ask(Question(number, 0.01 * (number % 2)), 0.008 if number % 2 else 0.2)
        except (AskTimeout, Down):
            continue
        ledger.objects(reply == number, f"question {number} between nodes was answered with {reply}")


async def _trouble(trouble: str, far: System, network: MemoryNetwork, after: float) -> None:
    await asyncio.sleep(after)
    match trouble:
        case "kill":
            far.kill("clerk")
        case "reset":
            network.reset("far")
        case "partition":
            network.partition(["near"], ["far"])
            await asyncio.sleep(PARTITION_SECONDS)
            network.heal()
