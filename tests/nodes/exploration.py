"""A seeded workload of three nodes on a bad network, and what must hold whatever happens to it.

Senders tell and ask actors of other nodes, whose mailboxes are small; watchers watch them; connections are cut, reset,
and dialled from both sides; receivers crash. ``explore(seed)`` raises ``AssertionError``.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from typing import Any

from actors import (
    Actor,
    ActorError,
    Ask,
    Backoff,
    Down,
    Intensity,
    Limits,
    Mailbox,
    Ref,
    Secret,
    System,
    Tell,
    temporary,
)
from actors.testing import MemoryNetwork, run

NODES = ("a", "b", "c")
SENDERS = ("a1", "a2", "b1", "b2", "c1", "c2")
"""Two on each node."""
SECRET = Secret(b"the nodes of an exploration")
LIMITS = Limits(
    window_bytes=1500,
    outbox_frames=10,
    outbox_bytes=3000,
    heartbeat_seconds=0.5,
    silence_seconds=2.0,
    handshake_seconds=1.0,
)
STEPS = 40
ASK_SECONDS = 2.0
SLACK_SECONDS = 0.01
HEAL_SECONDS = 40.0
"""Longer than the longest back-off of a dialer, and than all that may still be under way."""


class Item(Tell):
    sender: str
    number: int
    filler: str


class Question(Ask[int]):
    number: int


class Ledger:
    """What was sent, handled and told, kept outside of the actors."""

    def __init__(self) -> None:
        self.handled: dict[tuple[str, str], list[int]] = defaultdict(list)  # by sender and receiver
        self.downs: dict[str, list[str]] = {}  # by watcher
        self.asks = 0
        self.answers = 0


class Receiver(Actor):
    """Takes its time, and crashes now and then."""

    def __init__(self, node: str, ledger: Ledger) -> None:
        self.node = node
        self.ledger = ledger

    async def receive(self, message: Any) -> Any:
        chance = self.context.random
        match message:
            case Item(sender, number):
                self.ledger.handled[sender, self.node].append(number)
                if chance.random() < 0.02:
                    raise RuntimeError("as the seed wants it")
                if chance.random() < 0.3:
                    await self.context.clock.sleep(chance.uniform(0.0, 0.05))
            case Question(number):
                if chance.random() < 0.1:
                    await self.context.clock.sleep(chance.uniform(0.0, 2 * ASK_SECONDS))
                return number
        return None


class Watcher(Actor):
    """Watches one actor once."""

    def __init__(self, at: Ref[Any], told: list[str]) -> None:
        self.at = at
        self.told = told

    async def start(self) -> None:
        self.context.watch(self.at)

    async def receive(self, message: Any) -> None:
        assert isinstance(message, Down), f"only an end is told, found {message}"
        assert message.ref == self.at, f"{message.ref} is not what it watches"
        self.told.append(message.reason)


class Scene:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(f"nodes/{seed}")
        self.network = MemoryNetwork(
            seed, loss=self.chance.choice((0.0, 0.02, 0.1)), duplication=self.chance.choice((0.0, 0.1))
        )
        self.ledger = Ledger()
        self.systems = {
            name: System(name, seed=seed, network=self.network.host(name), limits=LIMITS, intensity=Intensity(10_000))
            for name in NODES
        }

    async def start(self) -> None:
        for name, system in self.systems.items():
            await system.listen(f"tcp://{name}:1", SECRET)
            await system.spawn(
                Receiver,
                name,
                self.ledger,
                name="receiver",
                mailbox=Mailbox(self.chance.choice((1, 3, 50))),
                backoff=Backoff(0.01, 0.1),
            )
        pairs = [("a", "b"), ("b", "c"), ("c", "a")]
        crossing = [(there, here) for here, there in pairs if self.chance.random() < 0.5]
        for here, there in pairs + crossing:
            await self.systems[here].connect(f"tcp://{there}:1", SECRET, timeout=None)

    async def send(self, sender: str) -> None:
        chance = random.Random(f"{sender}/{self.chance.random()}")
        node = sender[0]
        system, ledger = self.systems[node], self.ledger
        for number in range(STEPS):
            there = chance.choice([name for name in NODES if name != node])
            to = system.ref("receiver", there)
            if chance.random() < 0.1:
                await system.ref("nobody", there).tell(Item(sender, number, "x" * 100))
            if chance.random() < 0.3:
                await self.ask(to, number)
            else:
                await to.tell(Item(sender, number, "x" * chance.choice((0, 50, 400))))
            if chance.random() < 0.2:
                told = ledger.downs[f"{sender}/{number}"] = []
                await system.spawn(Watcher, to, told, restart=temporary)
            await system.clock.sleep(chance.choice((0.0, 0.0, 0.01, 0.2)))

    async def ask(self, to: Ref[Any], number: int) -> None:
        self.ledger.asks += 1
        clock = self.systems["a"].clock
        began = clock.monotonic()
        try:
            assert await to.ask(Question(number), timeout=ASK_SECONDS) == number, "an answer to another question"
            self.ledger.answers += 1
        except ActorError:
            pass
        took = clock.monotonic() - began
        assert took <= ASK_SECONDS + SLACK_SECONDS, f"an ask ended after {took} s"

    async def harm(self) -> None:
        chance, clock = self.chance, self.systems["a"].clock
        for _ in range(8):
            await clock.sleep(chance.uniform(0.0, 1.0))
            match chance.randrange(3):
                case 0:
                    one, two = chance.sample(NODES, 2)
                    self.network.partition(one, two)
                    await clock.sleep(chance.choice((0.1, 1.0, 4.0)))
                    self.network.heal()
                case 1:
                    self.network.reset(chance.choice(NODES))
                case 2:
                    self.systems[chance.choice(NODES)].kill("receiver")

    async def end(self) -> None:
        """All is well again, then the receivers go."""
        self.network.heal()
        self.network.loss = 0.0
        clock = self.systems["a"].clock
        await clock.sleep(HEAL_SECONDS)
        for here, system in self.systems.items():
            for there in NODES:
                if there != here:
                    await self.reach(system.ref("receiver", there), here)
        assert self.network.connections() == 3, f"{self.network.connections()} connections of three pairs"
        for system in self.systems.values():
            await system.stop_actor(system.ref("receiver"))
        await clock.sleep(5.0)

    async def reach(self, receiver: Ref[Any], here: str) -> None:
        try:
            answer = await receiver.ask(Question(7), timeout=5.0)
        except ActorError as error:
            raise AssertionError(f"{here} does not reach {receiver.node}: {error}") from error
        assert answer == 7, "an answer to another question"


async def _play(seed: int) -> Ledger:
    scene = Scene(seed)
    a, b, c = scene.systems.values()
    async with a, b, c:
        await scene.start()
        await asyncio.gather(scene.harm(), *map(scene.send, SENDERS))
        await scene.end()
        check(scene)
    remaining = asyncio.all_tasks() - {asyncio.current_task()}
    assert not remaining, f"tasks remain: {remaining}"
    assert scene.network.connections() == 0, "connections remain"
    return scene.ledger


def check(scene: Scene) -> None:
    for (sender, receiver), numbers in scene.ledger.handled.items():
        assert numbers == sorted(set(numbers)), f"{receiver} handled {numbers} of {sender}"
    for watcher, told in scene.ledger.downs.items():
        assert len(told) == 1, f"the watcher {watcher} was told {told}"
    for name, system in scene.systems.items():
        assert system.statistics().asks == 0, f"{name} keeps {system.statistics().asks} asks"
        for peer in system.remoting.statistics().peers:
            waits = (peer.waiting, peer.waiting_bytes, peer.asked, peer.open_asks, peer.watching, peer.watched)
            assert waits == (0,) * 6, f"{name} keeps {peer}"
            assert peer.owed <= LIMITS.window_bytes // 4, f"{name} owes credit to {peer.node}: {peer}"


def explore(seed: int) -> Ledger:
    """One run; raises ``AssertionError`` when something does not hold."""
    return run(_play(seed), seed=seed)
