"""Two nodes on a network in memory, and actors for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from actors import Actor, Ask, Down, Ref, System, Tell
from actors.remoting.limits import Limits
from actors.remoting.security import Secret
from actors.testing import MemoryNetwork

SECRET = Secret(b"a secret of the tests")
ADDRESS = "tcp://b:1"


class Note(Tell):
    number: int
    text: str = ""


class Echo(Ask[str]):
    text: str


class WhoAmI(Ask[Ref[Any]]):
    pass


class Greet(Tell):
    """Tell ``back`` a note."""

    back: Ref[Any]
    number: int


class Die(Tell):
    pass


class Look(Tell):
    at: Ref[Any]


class Server(Actor):
    """Answers, remembers, dies when told to."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    async def receive(self, message: Any) -> Any:
        match message:
            case Note():
                self.notes.append(message)
            case Echo(text):
                return text
            case WhoAmI():
                return self.context.ref
            case Greet(back, number):
                await back.tell(Note(number))
            case Die():
                raise RuntimeError("told to die")
        return None


class Watcher(Actor):
    """Keeps the ends of what it was told to watch."""

    def __init__(self, downs: list[Down]) -> None:
        self.downs = downs

    async def receive(self, message: Any) -> Any:
        match message:
            case Look(at):
                self.context.watch(at)
            case Down():
                self.downs.append(message)


@asynccontextmanager
async def two_nodes(
    network: MemoryNetwork | None = None, limits: Limits | None = None, connection: bool = True
) -> AsyncIterator[tuple[System, System]]:
    """``a`` and ``b``, which listens, connected."""
    network = network or MemoryNetwork()
    async with (
        System("b", seed=2, network=network.host("b"), limits=limits) as b,
        System("a", seed=1, network=network.host("a"), limits=limits) as a,
    ):
        await b.listen(ADDRESS, SECRET)
        if connection:
            await a.connect(ADDRESS, SECRET)
        yield a, b
