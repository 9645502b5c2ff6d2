"""A seeded workload of supervised actors with crashes, kills, timers and watches, and what must hold in every order.

``explore(seed)`` runs it on a deterministic loop with shuffled callbacks and raises ``AssertionError`` naming the seed.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

from actors import (
    Actor,
    Backoff,
    Down,
    Exit,
    Intensity,
    Ref,
    Strategy,
    Supervisor,
    System,
    Tell,
    child,
)
from actors.testing import run

WORKERS = 4
SENDERS = 3
STEPS = 40


class Step(Tell):
    sender: int
    number: int
    fatal: bool


class Look(Tell):
    at: Ref[Any]


class Ledger:
    """What the actors did, kept outside of them."""

    def __init__(self) -> None:
        self.handled: list[tuple[str, int, int]] = []
        self.sent: dict[tuple[str, int], list[int]] = {}
        self.watches = 0
        self.downs = 0
        self.starts: dict[str, int] = {}
        self.stops: dict[str, int] = {}


class Labourer(Actor):
    def __init__(self, name: str, ledger: Ledger) -> None:
        self.name = name
        self.ledger = ledger

    async def start(self) -> None:
        self.ledger.starts[self.name] = self.ledger.starts.get(self.name, 0) + 1
        self.context.send_after(self.context.random.uniform(0.0, 3.0), Step(-1, 0, False))

    async def receive(self, message: Any) -> None:
        if isinstance(message, Step) and message.sender >= 0:
            self.ledger.handled.append((self.name, message.sender, message.number))
            if message.fatal:
                raise RuntimeError("as the seed wants it")
            await self.context.clock.sleep(self.context.random.choice((0.0, 0.0, 0.01)))

    async def stop(self, exit: Exit) -> None:
        self.ledger.stops[self.name] = self.ledger.stops.get(self.name, 0) + 1


class Watcher(Actor):
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    async def receive(self, message: Any) -> None:
        match message:
            case Look(at):
                self.ledger.watches += 1
                self.context.watch(at)
            case Down(ref, _):
                self.ledger.downs += 1
                assert self.ledger.downs <= self.ledger.watches, f"{ref.path} was reported twice"


def explore(seed: int) -> Ledger:
    """One run; the invariants are checked at its end."""
    try:
        return run(_workload(seed), seed=seed)
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}; replay: explore({seed})") from error


async def _workload(seed: int) -> Ledger:
    source = random.Random(seed)
    ledger = Ledger()
    names = [f"w{number}" for number in range(WORKERS)]
    tree = Supervisor(
        source.choice(list(Strategy)),
        Intensity(1000, 10.0),
        [child(Labourer, name, ledger, name=name, backoff=Backoff(0.01, 0.1)) for name in names],
    )
    async with System(seed=seed) as system:
        await system.spawn(tree, name="top")
        watcher = await system.spawn(Watcher, ledger, name="watcher")
        refs = [system.ref(f"top/{name}") for name in names]
        await asyncio.gather(*(_send(index, refs, ledger, random.Random(seed + index)) for index in range(SENDERS)))
        for _ in range(5):
            ref = source.choice(refs)
            await watcher.tell(Look(ref))
            await system.idle()
            while not system.kill(ref.path):  # it may be waiting for its restart
                await system.clock.sleep(0.01)
            await system.clock.sleep(source.uniform(0.0, 1.0))
        await system.clock.sleep(60.0)
        await system.idle()
        alive = [ref.path for ref in refs if system.whereis(ref.path) is not None]
        assert alive == [ref.path for ref in refs], f"actors were lost: {alive} live"
        dead_letters = system.statistics().dead_letters
    _check(ledger, dead_letters)
    remaining = asyncio.all_tasks() - {asyncio.current_task()}
    assert not remaining, f"tasks remain: {remaining}"
    return ledger


async def _send(index: int, refs: list[Ref[Any]], ledger: Ledger, source: random.Random) -> None:
    for number in range(STEPS):
        ref = source.choice(refs)
        ledger.sent.setdefault((ref.path.split("/")[-1], index), []).append(number)
        await ref.tell(Step(index, number, source.random() < 0.05))
        await asyncio.sleep(source.choice((0.0, 0.0, 0.02)))


def _check(ledger: Ledger, dead_letters: dict[str, int]) -> None:
    assert len(set(ledger.handled)) == len(ledger.handled), "a message was handled twice"
    for (name, sender), sent in ledger.sent.items():
        got = [number for worker, by, number in ledger.handled if (worker, by) == (name, sender)]
        assert got == sent, f"{name} got {got} of {sent} from sender {sender}"
    assert ledger.downs == ledger.watches, f"{ledger.watches} watches were told {ledger.downs} times"
    assert ledger.starts == ledger.stops, f"started {ledger.starts}, stopped {ledger.stops}"
    assert not dead_letters, f"nothing should be undeliverable: {dead_letters}"
