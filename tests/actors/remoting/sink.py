"""A node in a process of its own that takes what it is sent: ``python -m tests.actors.remoting.sink NAME PORT``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from actors import Actor, Ask, Down, Ref, System, Tell
from tests.actors.remoting.nodes import SECRET

PAGE_BYTES = 4096


class Item(Tell):
    number: int
    filler: str = ""


class Books(Ask[dict[str, int]]):
    """Of one life of the process: first, last and count of what came, how often out of order; bytes in memory."""


class WatchMe(Ask[None]):
    who: Ref[Any]


class Ledger(Actor):
    def __init__(self) -> None:
        self.first = self.last = -1
        self.count = self.wrong = self.downs = 0

    async def receive(self, message: Any) -> Any:
        match message:
            case Item(number):
                if self.count == 0:
                    self.first = number
                elif number <= self.last:
                    self.wrong += 1
                self.last = number
                self.count += 1
            case Books():
                return {
                    "first": self.first,
                    "last": self.last,
                    "count": self.count,
                    "wrong": self.wrong,
                    "downs": self.downs,
                    "resident": resident(),
                }
            case WatchMe(who):
                self.context.watch(who)
            case Down():
                self.downs += 1
        return None


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


async def serve(name: str, port: int) -> None:
    async with System(name) as system:
        await system.spawn(Ledger, name="ledger")
        print(await system.listen(f"tcp://127.0.0.1:{port}", SECRET), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    from tests.actors.remoting.sink import serve as run

    asyncio.run(run(sys.argv[1], int(sys.argv[2])))
