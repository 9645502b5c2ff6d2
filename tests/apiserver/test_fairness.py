"""Seats: one user's flood waits, then is turned away, and others sit meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.apimachinery.errors import StatusError
from orchestrator.apiserver.fairness import MAX_RUNNING, MAX_RUNNING_PER_USER, MAX_WAITING_PER_USER, Seats
from orchestrator.client.protocol import Identity, Verb

JANE, JOE = Identity("jane"), Identity("joe")


class Room:
    """Requests that sit until the door opens."""

    def __init__(self) -> None:
        self.seats = Seats()
        self.sitting: list[str] = []
        self.open = asyncio.Event()

    async def ask(self, who: Identity) -> None:
        async with self.seats.taken(who, Verb.GET):
            self.sitting.append(who.user)
            await self.open.wait()

    async def flood(self, who: Identity, requests: int) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self.ask(who)) for _ in range(requests)]
        await asyncio.sleep(0)
        return tasks


async def test_a_flood_of_one_user_leaves_seats_for_others_and_all_are_served() -> None:
    room = Room()
    tasks = await room.flood(JANE, MAX_RUNNING_PER_USER + 50)
    tasks += await room.flood(JOE, 1)
    assert room.sitting == ["jane"] * MAX_RUNNING_PER_USER + ["joe"]
    room.open.set()
    await asyncio.gather(*tasks)
    assert room.sitting.count("jane") == MAX_RUNNING_PER_USER + 50


async def test_who_finds_the_line_full_is_turned_away_and_superusers_are_not() -> None:
    room = Room()
    tasks = await room.flood(JANE, MAX_RUNNING_PER_USER + MAX_WAITING_PER_USER)
    with pytest.raises(StatusError) as refused:
        await room.ask(JANE)
    assert refused.value.code == 429
    async with room.seats.taken(Identity("jane", ("system:masters",)), Verb.GET):
        pass
    room.open.set()
    await asyncio.gather(*tasks)


async def test_who_gives_up_in_the_line_leaves_no_seat_taken() -> None:
    room = Room()
    tasks = await room.flood(JANE, MAX_RUNNING_PER_USER + 10)
    for task in tasks[MAX_RUNNING_PER_USER:]:
        task.cancel()
    room.open.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    again = await room.flood(JANE, MAX_RUNNING_PER_USER)
    await asyncio.gather(*again)
    assert room.sitting.count("jane") == 2 * MAX_RUNNING_PER_USER


async def test_nobody_sits_down_without_waiting_where_others_wait() -> None:
    room = Room()
    tasks = await room.flood(JANE, MAX_RUNNING_PER_USER + 1)
    assert not room.seats.taken(JANE, Verb.GET).taken()
    seat = room.seats.taken(JOE, Verb.GET)
    assert seat.taken()
    seat.leave()
    room.open.set()
    await asyncio.gather(*tasks)
    assert room.seats.taken(JANE, Verb.GET).taken()


async def test_who_leaves_while_it_is_given_a_seat_passes_it_on() -> None:
    room = Room()
    assert all(room.seats.sit_nowait("jane") for _ in range(MAX_RUNNING_PER_USER))
    first, second = await room.flood(JANE, 2)
    room.seats.rise("jane")
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await asyncio.sleep(0)
    assert first.cancelled()
    assert room.sitting == ["jane"]
    room.open.set()
    await second


async def test_seats_of_all_users_are_bound_together() -> None:
    room = Room()
    users = [Identity(f"user-{number}") for number in range(4)]
    tasks = [task for who in users[:3] for task in await room.flood(who, MAX_RUNNING_PER_USER)]
    assert len(room.sitting) == MAX_RUNNING
    seat = room.seats.taken(users[3], Verb.GET)
    assert not seat.taken()
    room.open.set()
    await asyncio.gather(*tasks)
    assert seat.taken()
