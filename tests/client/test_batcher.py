"""Writes of many workers: what goes together, and who gets which answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from orchestrator.client.batcher import Gatherer
from orchestrator.client.errors import TransportError
from orchestrator.client.kinds import CONFIGMAPS
from orchestrator.client.protocol import MAX_BATCH_REQUESTS, Request, Response
from orchestrator.client.requests import delete


class Recorder:
    """In the place of a client: the sizes of the batches; each answer's revision is the number of its request."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.answering = asyncio.Event()
        self.answering.set()

    async def batch(self, requests: list[Request]) -> list[Response]:
        self.sizes.append(len(requests))
        await self.answering.wait()
        if any(request.target.name == "lost" for request in requests):
            raise TransportError("batch", "no answer")
        return [Response(201, int(request.target.name)) for request in requests]


def writes(*names: Any) -> list[Request]:
    return [delete(CONFIGMAPS, str(name), "default") for name in names]


def gatherer() -> tuple[Callable[[list[Request]], Awaitable[list[Response]]], Recorder]:
    recorder = Recorder()
    tasks: set[asyncio.Task[Any]] = set()

    def start(work: Any, name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        tasks.add(task)
        return task

    made = Gatherer(recorder)  # type: ignore[arg-type]
    return partial(made.submit, start=start), recorder


async def test_what_is_asked_in_one_turn_is_one_batch_and_each_gets_its_own_answers() -> None:
    gathered, recorder = gatherer()
    answers = await asyncio.gather(*(gathered(writes(*range(n, 2 * n))) for n in (1, 2, 3)))
    assert [[one.revision for one in held] for held in answers] == [[1], [2, 3], [3, 4, 5]]
    assert recorder.sizes == [6]


async def test_nothing_waits_for_what_was_sent_before() -> None:
    gathered, recorder = gatherer()
    recorder.answering.clear()
    first = asyncio.ensure_future(gathered(writes(1)))
    await asyncio.sleep(0.001)
    second = asyncio.ensure_future(gathered(writes(2)))
    await asyncio.sleep(0.001)
    assert recorder.sizes == [1, 1]
    recorder.answering.set()
    assert [one.revision for held in await asyncio.gather(first, second) for one in held] == [1, 2]


async def test_no_batch_is_larger_than_a_server_takes() -> None:
    gathered, recorder = gatherer()
    each = MAX_BATCH_REQUESTS // 2 + 1
    answers = await asyncio.gather(*(gathered(writes(*range(each))) for _ in range(3)))
    assert recorder.sizes == [each] * 3
    assert all([one.revision for one in held] == list(range(each)) for held in answers)


async def test_a_batch_without_an_answer_fails_all_of_its_askers() -> None:
    gathered, _ = gatherer()
    answers = await asyncio.gather(gathered(writes(1)), gathered(writes("lost")), return_exceptions=True)
    assert [type(one) for one in answers] == [TransportError, TransportError]
    assert [one.revision for one in await gathered(writes(3))] == [3]


async def test_an_asker_that_is_gone_does_not_hold_the_others_up() -> None:
    gathered, recorder = gatherer()
    recorder.answering.clear()
    gone, stays = (asyncio.ensure_future(gathered(writes(number))) for number in (1, 2))
    await asyncio.sleep(0.001)
    gone.cancel()
    recorder.answering.set()
    assert [one.revision for one in await stays] == [2]
    with pytest.raises(asyncio.CancelledError):
        await gone
