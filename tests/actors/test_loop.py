"""The deterministic loop."""

from __future__ import annotations

import asyncio

import pytest

from actors.testing import EPOCH, Deadlock, DeterministicLoop, NotSimulated, run


async def test_time_jumps_to_the_next_timer() -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(86_400.0)
    assert loop.time() == 86_400.0
    assert isinstance(loop, DeterministicLoop)
    assert loop.wall_time() == EPOCH + 86_400.0


def test_a_deadlock_is_an_error_that_names_who_waits() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Deadlock, match="nothing is ready and no timer is set"):
        run(main())


@pytest.mark.parametrize("what", ["run_in_executor", "call_soon_threadsafe"])
async def test_threads_are_refused(what: str) -> None:
    with pytest.raises(NotSimulated, match=what):
        getattr(asyncio.get_running_loop(), what)(None, print)


async def test_sockets_are_refused() -> None:
    with pytest.raises(NotSimulated, match="create_connection"):
        await asyncio.open_connection("localhost", 1)


async def _order() -> list[int]:
    order: list[int] = []

    async def note(number: int) -> None:
        order.append(number)

    await asyncio.gather(*(note(number) for number in range(20)))
    return order


def test_a_seed_repeats_its_order_and_others_differ() -> None:
    assert run(_order(), seed=1) == run(_order(), seed=1)
    assert run(_order(), seed=1) != run(_order(), seed=2)
    assert run(_order(), shuffle=False) == list(range(20))


def test_a_timer_never_fires_before_its_moment() -> None:
    """What waits for a moment and finds it not come would set the same timer again, and time would stand still."""
    from actors.testing import DeterministicLoop

    loop = DeterministicLoop()
    early: list[float] = []

    async def main() -> None:
        await asyncio.sleep(300.1)
        due = loop.time() + 1.0
        loop.call_at(due - 1e-10, lambda: None)
        loop.call_at(due, lambda: early.append(due - loop.time()))
        await asyncio.sleep(2.0)

    loop.run_until_complete(main())
    loop.close()
    assert early == [0.0]
