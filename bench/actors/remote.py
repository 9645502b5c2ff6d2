"""What it costs to reach an actor of another process: over TCP on loopback, both sides proved by a shared secret.

``python -m bench.actors.remote [--runs N] [--loop uvloop]`` prints rates by the wall clock, and the CPU seconds of both
processes for each message. ``CASES`` is what ``bench.actors`` runs beside the peers.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from actors import Actor, Ask, Ref, Secret, System, Tell
from bench.actors.peers.measure import MESSAGE

SECRET = Secret(b"known to both processes of the bench")
TELLS = 100_000
ASKS = 5_000
ASKS_AT_ONCE = 20_000
FLIGHT = 64
"""Asks under way at once."""
TARGETS = {"remote_tell": 80_000, "remote_ask": 8_000, "remote_ask_64": 40_000}


class Parcel(Tell):
    body: dict[str, Any]


class Place(Ask[dict[str, Any]]):
    body: dict[str, Any]


class Count(Ask[int]):
    pass


class CpuSeconds(Ask[float]):
    pass


class Clerk(Actor):
    """Counts what it is told, answers with what it is asked."""

    def __init__(self) -> None:
        self.count = 0

    async def receive(self, message: Any) -> Any:
        match message:
            case Parcel():
                self.count += 1
            case Place(body):
                return body
            case Count():
                return self.count
            case CpuSeconds():
                return time.process_time()
        return None


@asynccontextmanager
async def clerk() -> AsyncIterator[Ref[Any]]:
    """A clerk in another process that runs on the same kind of loop."""
    loop = "uvloop" if "uvloop" in type(asyncio.get_running_loop()).__module__ else "asyncio"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.actors.remote", "--serve", "--loop", loop),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        address = (await process.stdout.readline()).decode().strip()
        async with System("bench") as system:
            await system.connect(address, SECRET)
            yield system.ref("clerk", "clerk")
    finally:
        process.stdin.close()
        await process.wait()


async def serve() -> None:
    """Play the other process until standard input ends."""
    async with System("clerk") as system:
        await system.spawn(Clerk, name="clerk")
        print(await system.listen("tcp://127.0.0.1:0", SECRET), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def tell_many(ref: Ref[Any]) -> int:
    message = Parcel(MESSAGE)
    before = await ref.ask(Count())
    for _ in range(TELLS):
        await ref.tell(message)
    assert await ref.ask(Count(), timeout=60.0) - before == TELLS
    return TELLS


async def ask_in_turn(ref: Ref[Any]) -> int:
    message = Place(MESSAGE)
    for _ in range(ASKS):
        await ref.ask(message)
    return ASKS


async def ask_at_once(ref: Ref[Any]) -> int:
    message = Place(MESSAGE)

    async def one(share: int) -> None:
        for _ in range(share):
            await ref.ask(message)

    await asyncio.gather(*(one(ASKS_AT_ONCE // FLIGHT) for _ in range(FLIGHT)))
    return ASKS_AT_ONCE // FLIGHT * FLIGHT


WORK: dict[str, tuple[Callable[[Ref[Any]], Awaitable[int]], int]] = {
    "remote_tell": (tell_many, TELLS),
    "remote_ask": (ask_in_turn, ASKS),
    "remote_ask_64": (ask_at_once, ASKS_AT_ONCE // FLIGHT * FLIGHT),
}


def _case(name: str) -> Callable[[Any], Awaitable[None]]:
    work, count = WORK[name]

    async def case(watch: Any) -> None:
        async with clerk() as ref:
            await work(ref)  # once to be warm
            with watch(count):
                await work(ref)

    return case


CASES = {name: _case(name) for name in WORK}
"""For ``bench.actors``: each takes a watch."""


async def measure(runs: int) -> None:
    print(f"{'case':<15}{'median/s':>10}{'low':>10}{'high':>10}{'target':>9}{'CPU us here':>13}{'there':>8}")
    async with clerk() as ref:
        for name, (work, _) in WORK.items():
            await work(ref)
            rates, here, there = [], [], []
            for _ in range(runs):
                cpu, theirs = time.process_time(), await ref.ask(CpuSeconds())
                begun = time.perf_counter()
                count = await work(ref)
                rates.append(count / (time.perf_counter() - begun))
                here.append((time.process_time() - cpu) / count * 1e6)
                there.append((await ref.ask(CpuSeconds()) - theirs) / count * 1e6)
            low, middle, high = min(rates), statistics.median(rates), max(rates)
            cpus = f"{statistics.median(here):>13.1f}{statistics.median(there):>8.1f}"
            print(f"{name:<15}{middle:>10,.0f}{low:>10,.0f}{high:>10,.0f}{TARGETS[name]:>9,}{cpus}")
    print(f"largest resident size here: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.actors.remote", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio")
    parser.add_argument("--serve", action="store_true", help="be the other process")
    options = parser.parse_args()
    factory = None
    if options.loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve() if options.serve else measure(options.runs))
    return 0


if __name__ == "__main__":
    from bench.actors.remote import main as run  # under its own name: message types bear the module's

    sys.exit(run())
