"""The work queue: each key once, causes, delays, back-off."""

from __future__ import annotations

from actors.testing import SimulatedClock
from orchestrator.client.workqueue import MAX_CAUSES, WorkQueue


def queue(clock: SimulatedClock | None = None, capacity: int = 100) -> tuple[WorkQueue, list[None]]:
    woken: list[None] = []
    return WorkQueue(clock or SimulatedClock(), lambda: woken.append(None), capacity=capacity), woken


def test_a_key_that_is_added_twice_is_popped_once_with_all_causes() -> None:
    held, woken = queue()
    held.add("a", [1])
    held.add("a", [2, 3])
    item = held.pop()
    assert item is not None
    assert (item.key, item.causes) == ("a", (1, 2, 3))
    assert held.pop() is None
    assert len(woken) == 1


def test_at_most_eight_causes_are_kept_the_first_ones() -> None:
    held, _ = queue()
    for number in range(20):
        held.add("a", [number])
    item = held.pop()
    assert item is not None
    assert item.causes == tuple(range(MAX_CAUSES))


def test_a_key_in_work_is_not_popped_again_until_it_is_done() -> None:
    held, _ = queue()
    held.add("a")
    held.pop()
    held.add("a")
    assert held.pop() is None
    held.done("a")
    item = held.pop()
    assert item is not None
    assert item.key == "a"


async def test_of_two_delays_the_shorter_holds() -> None:
    clock = SimulatedClock()
    held, _ = queue(clock)
    held.add_after("a", 10.0)
    held.add_after("a", 1.0)
    held.add_after("a", 5.0)
    await clock.advance(1.0)
    assert held.pop() is not None
    held.done("a")
    await clock.advance(20.0)
    assert held.pop() is None


async def test_failures_double_the_delay_and_success_forgets_them() -> None:
    held, _ = queue()
    assert [held.retry("a") for _ in range(4)] == [0.005, 0.01, 0.02, 0.04]
    for _ in range(60):
        last = held.retry("a")
    assert last == 1000.0
    held.forget("a")
    assert held.retry("a") == 0.005


def test_a_full_queue_refuses_and_counts() -> None:
    held, _ = queue(capacity=1)
    assert held.add("a")
    assert not held.add("b")
    assert held.add("a")
    assert held.statistics().refused == 1
