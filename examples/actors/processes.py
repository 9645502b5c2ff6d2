"""Workers in processes of their own: ``python -m examples.actors.processes``.

Each worker process is a node. The workers are placed there, but supervised, named and addressed here, so a router
shares the work out as if they were next door. One process is killed on the way: its jobs are asked for again.
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from actors import AskTimeout, Down, Ref, Refused, Router, System, temporary
from examples.actors.sieve import Pid, Primes, Sieve

WORKERS = 3
BLOCK = 2_000
BLOCKS = 12


async def primes(router: Ref[Any], block: int) -> int:
    """Ask until somebody has counted; a worker that dies is out of the group, so the next one is asked."""
    while True:
        try:
            return await router.ask(Primes(block * BLOCK, (block + 1) * BLOCK), timeout=60.0)
        except (Down, AskTimeout, Refused):
            await asyncio.sleep(0.05)


async def main() -> None:
    async with System("boss") as system:
        workers = []
        for number in range(WORKERS):
            await system.spawn_node(f"worker-{number}", restart=temporary)
            worker = await system.spawn(Sieve, node=f"worker-{number}", name=f"sieve-{number}", restart=temporary)
            system.groups.join("sieves", worker)
            workers.append(worker)
        router = await system.spawn(Router, "sieves", name="router")
        victim = await workers[0].ask(Pid(), timeout=30.0)
        jobs = [asyncio.create_task(primes(router, block)) for block in range(BLOCKS)]
        await asyncio.sleep(0.01)
        os.kill(victim, signal.SIGKILL)
        total = sum(await asyncio.gather(*jobs))
        while workers[0] in system.groups.members("sieves"):  # noqa: ASYNC110  # a quick one had answered all before
            await asyncio.sleep(0.01)
        left = len(system.groups.members("sieves"))
    print(f"{total} primes below {BLOCK * BLOCKS}, {left} of {WORKERS} processes left")


if __name__ == "__main__":
    asyncio.run(main())
