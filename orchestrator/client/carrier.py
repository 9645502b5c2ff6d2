"""Batches of many clients of one process, small ones: those of one turn of the loop are one message.

A thousand kubelets have each a status or two to write at the same moment, each in its own name. As a message each, the
messages cost more than what is in them.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Iterator
from typing import Any

from actors import Ref
from orchestrator.client.exchange import exchange
from orchestrator.client.protocol import MAX_BATCH_REQUESTS, Batch, BatchesReply, BatchesRequest, Response

_Asked = tuple[Batch, "asyncio.Future[list[Response] | None]"]


class Carrier:
    """One for all who share it, made by none of them: it asks ``api`` in no actor's name, and the end of one of them is
    not the others'. Bounded by its callers: each waits for its answers."""

    def __init__(self, api: Ref[Any]) -> None:
        self._api = api
        self._context = contextvars.copy_context()
        self._waiting: list[_Asked] = []
        self._exchanges: set[asyncio.Task[None]] = set()

    async def batch(self, batch: Batch, timeout_seconds: float) -> list[Response] | None:
        """The answers, in order; None: nobody else asks in this turn, so ask alone. Raises what an ask raises.

        The seconds of who asks first are those of all.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[Response] | None] = loop.create_future()
        self._waiting.append((batch, answer))
        if len(self._waiting) == 1:
            loop.call_soon(self._go, timeout_seconds, context=self._context)
        return await answer

    def _go(self, timeout_seconds: float) -> None:
        waiting, self._waiting = self._waiting, []
        for part in _parts(waiting):
            answers = [answer for _, answer in part]
            if len(part) > 1:
                task = asyncio.get_running_loop().create_task(exchange(self._ask(part, timeout_seconds), answers))
                self._exchanges.add(task)
                task.add_done_callback(self._exchanges.discard)
            elif not answers[0].done():  # who asked may be gone
                answers[0].set_result(None)

    async def _ask(self, part: list[_Asked], timeout_seconds: float) -> list[list[Response]]:
        reply: BatchesReply = await self._api.ask(BatchesRequest([batch for batch, _ in part]), timeout=timeout_seconds)
        return reply.replies


def _parts(waiting: list[_Asked]) -> Iterator[list[_Asked]]:
    """In order, of ``MAX_BATCH_REQUESTS`` requests at most."""
    part: list[_Asked] = []
    size = 0
    for asked in waiting:
        more = len(asked[0].requests)
        if part and size + more > MAX_BATCH_REQUESTS:
            yield part
            part, size = [], 0
        part.append(asked)
        size += more
    if part:
        yield part
