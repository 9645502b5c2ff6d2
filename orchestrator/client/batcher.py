"""Writes of many workers become batches: what is asked in one turn of the loop goes together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from actors import current
from orchestrator.client.client import Client
from orchestrator.client.protocol import MAX_BATCH_REQUESTS, Request, Response
from orchestrator.client.requests import because

Start = Callable[[Coroutine[Any, Any, None], str], "asyncio.Task[Any]"]
"""``context.task`` of the actor."""


class Batcher:
    """Belongs to one actor, whose ``start`` owns the sending task. Bounded by its callers: each waits for one."""

    def __init__(self, client: Client, start: Start) -> None:
        self._client = client
        self._start = start
        self._waiting: deque[tuple[Request, asyncio.Future[Response]]] = deque()
        self._sending: asyncio.Task[Any] | None = None

    async def submit(self, request: Request) -> Response:
        """The answer to one write. Raises ``TransportError`` when its batch got none."""
        cause = current.current_cause()
        if cause is not None and request.cause is None:
            request = because(request, cause.key, cause.revision)  # the batch has the trace of its first request
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        if self._sending is None:
            self._sending = self._start(self._send(), "batch")
        return await answer

    async def _send(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(0)
                count = min(len(self._waiting), MAX_BATCH_REQUESTS)
                await self._exchange([self._waiting.popleft() for _ in range(count)])
        finally:
            self._sending = None

    async def _exchange(self, pairs: list[tuple[Request, asyncio.Future[Response]]]) -> None:
        try:
            responses = await self._client.batch([request for request, _ in pairs])
        except asyncio.CancelledError:
            for _, answer in pairs:
                answer.cancel()
            raise
        except Exception as failure:
            for _, answer in pairs:
                if not answer.done():
                    answer.set_exception(failure)
            return
        for (_, answer), response in zip(pairs, responses, strict=True):
            if not answer.done():
                answer.set_result(response)


class Gatherer:
    """For batches themselves, small ones of many workers. Nothing waits for the answer to what was sent before."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._waiting: list[tuple[list[Request], asyncio.Future[list[Response]]]] = []

    async def submit(self, requests: list[Request], start: Start) -> list[Response]:
        """The answers, in order. ``start`` owns the sending. Raises what ``Client.batch`` raises."""
        cause = current.current_cause()
        if cause is not None:
            requests = [one if one.cause is not None else because(one, cause.key, cause.revision) for one in requests]
        answer: asyncio.Future[list[Response]] = asyncio.get_running_loop().create_future()
        self._waiting.append((requests, answer))
        if len(self._waiting) == 1:
            start(self._send(start), "batch")
        return await answer

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
                start(self._exchange(part), "batch")
            else:
                await self._exchange(part)

    async def _exchange(self, part: list[tuple[list[Request], asyncio.Future[list[Response]]]]) -> None:
        try:
            responses = await self._client.batch([one for requests, _ in part for one in requests])
        except asyncio.CancelledError:
            for _, answer in part:
                answer.cancel()
            raise
        except Exception as failure:
            for _, answer in part:
                if not answer.done():
                    answer.set_exception(failure)
            return
        for requests, answer in part:
            own, responses = responses[: len(requests)], responses[len(requests) :]
            if not answer.done():
                answer.set_result(own)
