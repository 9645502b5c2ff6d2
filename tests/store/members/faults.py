"""What goes wrong in a run: one fault, drawn from the seed, and how long it lasts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.store.members.trio import NUMBERS, Trio

Fault = Callable[[Trio, int, random.Random], Awaitable[None]]
"""Is given the member that it strikes; returns when it is over, not when everything is healed."""
SHORTEST_SECONDS, LONGEST_SECONDS = 0.3, 2.5


@dataclass(frozen=True, slots=True)
class Kind:
    """``leader``: whether it strikes the leader or another. ``weight``: how often it is drawn."""

    name: str
    fault: Fault
    leader: bool
    weight: int = 1
    disk: bool = False
    """Whether it needs a disk of the member's own."""


def _lasting(draw: random.Random) -> float:
    return draw.uniform(SHORTEST_SECONDS, LONGEST_SECONDS)


async def _kill(trio: Trio, number: int, draw: random.Random) -> None:
    trio.kill(number)
    await asyncio.sleep(_lasting(draw))


async def _kill_all(trio: Trio, number: int, draw: random.Random) -> None:
    for one in draw.sample(NUMBERS, len(NUMBERS)):
        trio.kill(one)
    await asyncio.sleep(0.1)


async def _stop(trio: Trio, number: int, draw: random.Random) -> None:
    trio.stop(number)
    await asyncio.sleep(_lasting(draw))


async def _cut(trio: Trio, number: int, draw: random.Random) -> None:
    trio.hold(number)
    await asyncio.sleep(_lasting(draw))


async def _cut_outward(trio: Trio, number: int, draw: random.Random) -> None:
    trio.hold(number, inward=False)
    await asyncio.sleep(_lasting(draw))


async def _cut_inward(trio: Trio, number: int, draw: random.Random) -> None:
    trio.hold(number, outward=False)
    await asyncio.sleep(_lasting(draw))


async def _cut_one_link(trio: Trio, number: int, draw: random.Random) -> None:
    draw.choice(trio.links_of(number)).hold(forth=True, back=True)
    await asyncio.sleep(_lasting(draw))


async def _break_off(trio: Trio, number: int, draw: random.Random) -> None:
    for link in trio.links_of(number):
        link.break_off()
    await asyncio.sleep(_lasting(draw))


async def _break_one_link(trio: Trio, number: int, draw: random.Random) -> None:
    draw.choice(trio.links_of(number)).break_off()
    await asyncio.sleep(_lasting(draw))


async def _slow_disk(trio: Trio, number: int, draw: random.Random) -> None:
    """Every write waits for up to 0.3 s, again and again; now and then for more than a second."""
    loop, volume = asyncio.get_running_loop(), trio.volumes[number]
    end = loop.time() + _lasting(draw)
    while loop.time() < end:
        await loop.run_in_executor(None, volume.freeze)
        await asyncio.sleep(draw.choice([draw.uniform(0.02, 0.3), draw.uniform(0.02, 0.3), 1.2]))
        volume.thaw()
        await asyncio.sleep(0.02)


async def _full_disk(trio: Trio, number: int, draw: random.Random) -> None:
    trio.volumes[number].fill()
    await asyncio.sleep(_lasting(draw))


KINDS = (
    Kind("kill-leader", _kill, leader=True, weight=8),
    Kind("kill-follower", _kill, leader=False, weight=2),
    Kind("kill-all", _kill_all, leader=True, weight=2),
    Kind("stop-leader", _stop, leader=True, weight=3),
    Kind("stop-follower", _stop, leader=False),
    Kind("cut-leader", _cut, leader=True, weight=2),
    Kind("cut-follower", _cut, leader=False),
    Kind("cut-outward", _cut_outward, leader=True),
    Kind("cut-inward", _cut_inward, leader=True),
    Kind("cut-one-link", _cut_one_link, leader=True),
    Kind("break-off-leader", _break_off, leader=True, weight=2),
    Kind("break-off-follower", _break_off, leader=False),
    Kind("break-one-link", _break_one_link, leader=True),
    Kind("slow-disk-of-leader", _slow_disk, leader=True, weight=3, disk=True),
    Kind("slow-disk-of-follower", _slow_disk, leader=False, disk=True),
    Kind("full-disk-of-leader", _full_disk, leader=True, weight=3, disk=True),
    Kind("full-disk-of-follower", _full_disk, leader=False, disk=True),
)


def drawn(draw: random.Random, *, disks: bool, only: str = "") -> Kind:
    """Without disks of their own another kind takes the place of theirs."""
    kinds = [kind for kind in KINDS if (disks or not kind.disk) and kind.name.startswith(only)]
    return draw.choices(kinds, [kind.weight for kind in kinds])[0]
