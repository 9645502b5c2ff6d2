"""A chat between nodes: ``python -m examples.actors.chat``, or by hand, each in a terminal of its own:

    python -m examples.actors.chat serve tcp://127.0.0.1:7000
    python -m examples.actors.chat join tcp://127.0.0.1:7000 ann

The room is a topic on the server's node. A member subscribes with the ref of an actor on its own node, so what is said
comes to it over the connection, at its own pace: who reads slowly loses old lines and delays nobody.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from actors import Actor, Down, Policy, Ref, Secret, Subscribe, Subscription, Subscriptions, System, Tell, Topic

KEY = Secret(os.environ.get("CHAT_SECRET", "a chat of the examples").encode())


class Said(Tell):
    who: str
    text: str


Room = Said | Subscribe | Subscriptions
"""What the room takes."""


class Member(Actor):
    """Hears the room and shows what is said; takes its subscription up again when it lost the room."""

    def __init__(self, room: Ref[Room], show: Callable[[str], object]) -> None:
        self.room, self.show = room, show

    async def start(self) -> None:
        await self.room.ask(Subscribe(self.context.ref, capacity=100, overflow=Policy.DROP_OLDEST))
        self.context.watch(self.room)

    async def receive(self, message: Said | Down) -> None:
        match message:
            case Said(who, text):
                self.show(f"{who}: {text}")
            case Down(_, reason):
                raise ConnectionError(f"the room is gone: {reason}")  # start subscribes again, after the back-off


async def open_room(system: System, address: str) -> str:
    await system.spawn(Topic, name="room")
    return await system.listen(address, KEY)


async def join(system: System, address: str, show: Callable[[str], object]) -> Ref[Room]:
    dialer = await system.connect(address, KEY)
    room: Ref[Room] = system.ref("room", dialer.node)
    await system.spawn(Member, room, show, name="member")
    return room


async def serve(address: str) -> None:
    async with System("chat") as system:
        print(f"the room is open at {await open_room(system, address)}")
        await asyncio.Event().wait()


async def talk(address: str, name: str) -> None:
    async with System(name) as system:
        room = await join(system, address, print)
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            await room.tell(Said(name, line))


async def main() -> None:
    """A server and two members, over a Unix socket."""
    ann: list[str] = []
    bob: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix://{Path(folder) / 'chat'}"
        async with System("chat") as server, System("ann") as one, System("bob") as two:
            await open_room(server, address)
            room = await join(one, address, ann.append)
            await join(two, address, bob.append)
            subscriptions: list[Subscription] = await room.ask(Subscriptions())
            assert [one.subscriber.path for one in subscriptions] == ["member", "member"]
            await room.tell(Said("ann", "is anybody there?"))
            await two.ref("room", "chat").tell(Said("bob", "I am"))
            async with asyncio.timeout(5.0):
                while min(len(ann), len(bob)) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
    print(f"ann and bob heard: {' | '.join(sorted(ann))}" if sorted(ann) == sorted(bob) else f"{ann} {bob}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", address]:
            asyncio.run(serve(address))
        case ["join", address, name]:
            asyncio.run(talk(address, name))
        case _:
            asyncio.run(main())
