"""Writes of many workers become batches: what is asked in one turn of the loop goes together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from itertools import islice
from typing import Any

from actors import current
from orchestrator.client.client import Client
from orchestrator.client.exchange import exchange
from orchestrator.client.protocol import MAX_BATCH_REQUESTS, Request, Response
from orchestrator.client.requests import because

Start = Callable[[Coroutine[Any, Any, None], str], "asyncio.Task[Any]"]
"""``context.task`` of the actor."""
Asked = tuple[list[Request], "asyncio.Future[list[Response]]"]
"""What goes together, and the slot of its answers."""


class Batcher:
    """Belongs to one actor, whose ``start`` owns the sending task. Bounded by its callers: each waits for one."""

    def __init__(self, client: Client, start: Start) -> None:
        self._client = client
        self._start = start
        self._waiting: deque[Asked] = deque()
        self._sending: asyncio.Task[Any] | None = None

    async def submit(self, request: Request) -> Response:
        """The answer to one write. Raises ``TransportError`` when its batch got none."""
        asked = _asked([request])
        self._waiting.append(asked)
        if self._sending is None:
            self._sending = self._start(self._send(), "batch")
        return (await asked[1])[0]

    async def _send(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(0)
                count = min(len(self._waiting), MAX_BATCH_REQUESTS)
                await _exchange(self._client, [self._waiting.popleft() for _ in range(count)])
        finally:
            self._sending = None


class Gatherer:
    """For batches themselves, small ones of many workers. Nothing waits for the answer to what was sent before."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._waiting: list[Asked] = []

    async def submit(self, requests: list[Request], start: Start) -> list[Response]:
        """The answers, in order. ``start`` owns the sending. Raises what ``Client.batch`` raises."""
        asked = _asked(requests)
        self._waiting.append(asked)
        if len(self._waiting) == 1:
            start(self._send(start), "batch")
        return await asked[1]

    async def _send(self, start: Start) -> None:
        await asyncio.sleep(0)
        waiting, self._waiting = self._waiting, []
        while waiting:
            together, size = 1, len(waiting[0][0])
            while together < len(waiting) and size + len(waiting[together][0]) <= MAX_BATCH_REQUESTS:
                size += len(waiting[together][0])
                together += 1
            part, waiting = waiting[:together], waiting[together:]
            if waiting:
                start(_exchange(self._client, part), "batch")
            else:
                await _exchange(self._client, part)


def _asked(requests: list[Request]) -> Asked:
    """The requests with the cause of who asks: their batch has the trace of its first."""
    cause = current.current_cause()
    if cause is not None:
        requests = [one if one.cause is not None else because(one, cause.key, cause.revision) for one in requests]
    return requests, asyncio.get_running_loop().create_future()


async def _exchange(client: Client, part: list[Asked]) -> None:
    """Send what was asked as one batch, and give each its answers."""
    await exchange(_answers(client, part), [answer for _, answer in part])


async def _answers(client: Client, part: list[Asked]) -> list[list[Response]]:
    together = [one for requests, _ in part for one in requests]
    responses = await client.batch(together)
    if len(responses) != len(together):
        raise ValueError(f"expected {len(together)} answers, found {len(responses)}")
    following = iter(responses)
    return [list(islice(following, len(requests))) for requests, _ in part]
