"""Turns of the loop taken at once: in the loop's order, nothing lost, and a busy neighbour keeps nobody waiting."""

from __future__ import annotations

import asyncio
import selectors

import pytest

from actors.testing.loop import DeterministicLoop
from orchestrator.embedding.turns import MAX_TURNS, quick, run_turns

pytestmark = pytest.mark.real_loop


class Counting(selectors.DefaultSelector):
    asked = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.asked += 1
        return super().select(timeout)


async def turns() -> int:
    loop = asyncio.get_running_loop()
    ready = quick(loop)
    assert ready is not None
    return await run_turns(loop, ready)


async def chain(name: str, steps: int, order: list[str]) -> None:
    for step in range(steps):
        order.append(f"{name}{step}")
        await asyncio.sleep(0)


async def test_tasks_take_turns_as_they_would_on_the_loop() -> None:
    order: list[str] = []
    tasks = [asyncio.ensure_future(chain(name, 3, order)) for name in "ab"]
    await turns()
    assert order == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert all(task.done() for task in tasks)


async def test_what_the_loop_has_counted_already_is_run_once_and_nothing_behind_it_is_lost() -> None:
    """The turns begin in the middle of one of the loop's own, with others before and behind them."""
    loop = asyncio.get_running_loop()
    order: list[int] = []
    for number in range(5):
        loop.call_soon(order.append, number)
    under_way = asyncio.ensure_future(turns())
    await asyncio.sleep(0)  # it has asked for its place, and these come behind it
    for number in range(5, 10):
        loop.call_soon(order.append, number)
    cancelled = loop.call_soon(order.append, -1)
    cancelled.cancel()
    await under_way
    assert order == list(range(10))


async def test_the_system_is_asked_once_for_many_turns() -> None:
    def ask() -> int:
        selector = Counting()
        loop = asyncio.SelectorEventLoop(selector)

        async def main() -> int:
            order: list[str] = []
            task = asyncio.ensure_future(chain("a", 50, order))
            before = selector.asked
            await turns()
            assert task.done()
            return selector.asked - before

        try:
            return loop.run_until_complete(main())
        finally:
            loop.close()

    assert await asyncio.to_thread(ask) <= 3


async def test_who_is_never_done_lets_the_system_be_asked_all_the_same() -> None:
    stop = asyncio.Event()
    count = 0

    async def spin() -> None:
        nonlocal count
        while not stop.is_set():
            count += 1
            await asyncio.sleep(0)

    spinning = asyncio.ensure_future(spin())
    assert await turns() == MAX_TURNS
    assert count <= MAX_TURNS + 2
    stop.set()
    await spinning


async def test_an_error_of_a_callback_goes_to_the_loop_s_handler_and_stops_nobody() -> None:
    loop = asyncio.get_running_loop()
    told: list[str] = []
    loop.set_exception_handler(lambda loop, context: told.append(str(context["exception"])))
    order: list[int] = []
    loop.call_soon(lambda: 1 / 0)
    loop.call_soon(order.append, 1)
    await turns()
    loop.set_exception_handler(None)
    assert (told, order) == (["division by zero"], [1])


def test_a_loop_that_runs_otherwise_or_is_to_be_seen_is_left_to_itself() -> None:
    loop = asyncio.new_event_loop()
    assert quick(loop) is not None
    loop.set_debug(True)
    assert quick(loop) is None
    loop.close()
    deterministic = DeterministicLoop(7)
    assert quick(deterministic) is None
    deterministic.close()
