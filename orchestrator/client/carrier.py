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
            if len(part) == 1:
                _fill(part[0][1], None)
            else:
                exchange = asyncio.get_running_loop().create_task(self._exchange(part, timeout_seconds))
                self._exchanges.add(exchange)
                exchange.add_done_callback(self._exchanges.discard)

    async def _exchange(self, part: list[_Asked], timeout_seconds: float) -> None:
        try:
            message = BatchesRequest([batch for batch, _ in part])
            reply: BatchesReply = await self._api.ask(message, timeout=timeout_seconds)
            if len(reply.replies) != len(part):
                raise ValueError(f"expected {len(part)} replies, found {len(reply.replies)}")
        except asyncio.CancelledError:
            for _, answer in part:
                answer.cancel()
            raise
        except Exception as failure:
            for _, answer in part:
                if not answer.done():
                    answer.set_exception(failure)
            return
        for (_, answer), responses in zip(part, reply.replies, strict=True):
            _fill(answer, responses)


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


def _fill(answer: asyncio.Future[Any], value: list[Response] | None) -> None:
    if not answer.done():  # who asked may be gone
        answer.set_result(value)
