"""Batches of writes: one seat and one proposal for all of a batch, each write admitted and answered alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, NamedTuple, TypeVar, cast

from actors import Refused
from orchestrator.api.schema import Resource
from orchestrator.apimachinery import errors
from orchestrator.apiserver.call import Call, Environment, failure
from orchestrator.apiserver.chain import admitted, resource_of, whatever_the_name
from orchestrator.apiserver.dispatch import pending_of, preparing, writer_of
from orchestrator.apiserver.fairness import Seat, Seats
from orchestrator.apiserver.special.forms import in_form
from orchestrator.apiserver.write import Pending, Prepare
from orchestrator.client.protocol import (
    MAX_BATCH_REQUESTS,
    ApiRequest,
    Batch,
    BatchesReply,
    BatchesRequest,
    BatchReply,
    BatchRequest,
    Identity,
    Request,
    Response,
    Verb,
)

CARRIED = Identity("system:carried")
"""Who takes the seat of a message with the batches of many: each of them has no more than that one under way."""

R = TypeVar("R")
_Alike = tuple[Resource, Prepare | None]
"""The resource, and what prepares its writes; None: they are no writes of one key."""


class _Looked(NamedTuple):
    """A batch before its writes are made: a response for each request that is refused, None for each that is not."""

    responses: list[Response | None]
    pending: list[Pending]

    def answered(self, answers: Iterator[Response]) -> list[Response]:
        """All responses, with what comes next of ``answers`` for each write."""
        for one, response in zip(self.pending, answers, strict=False):
            self.responses[one.position] = response if response.object is None else in_form(one.call, response)
        return cast("list[Response]", self.responses)


class Batches:
    """``alone`` serves a request that is no write of one key."""

    def __init__(self, env: Environment, seats: Seats, alone: Callable[[ApiRequest], Awaitable[Response]]) -> None:
        self._env = env
        self._seats = seats
        self._alone = alone

    def one(self, message: BatchRequest) -> Coroutine[Any, Any, BatchReply] | asyncio.Future[BatchReply]:
        """Raises ``Refused`` for too many requests."""
        seat = self._seats.taken(message.identity, Verb.UPDATE)
        batch = Batch(message.identity, message.requests)
        return self._reply(seat, [batch], lambda replies: BatchReply(replies[0]))

    def many(self, message: BatchesRequest) -> Coroutine[Any, Any, BatchesReply] | asyncio.Future[BatchesReply]:
        """Raises ``Refused`` for too many requests in all."""
        return self._reply(self._seats.taken(CARRIED, Verb.UPDATE), message.batches, BatchesReply)

    def _reply(
        self, seat: Seat, batches: list[Batch], reply: Callable[[list[list[Response]]], R]
    ) -> Coroutine[Any, Any, R] | asyncio.Future[R]:
        """Without a task where there is a seat and all are writes."""
        requests = sum([len(batch.requests) for batch in batches])
        if requests > MAX_BATCH_REQUESTS:
            raise Refused("too-many", f"expected at most {MAX_BATCH_REQUESTS} requests, found {requests}")
        if seat.taken():
            looked = self._all_writes(batches)
            if looked:

                def replied(answers: list[Response]) -> R:
                    seat.leave()
                    following = iter(answers)
                    return reply([one.answered(following) for one in looked])

                return self._env.writer.order([one for each in looked for one in each.pending], replied)
            seat.leave()
        return self._in_line(seat, batches, reply)

    async def _in_line(self, seat: Seat, batches: list[Batch], reply: Callable[[list[list[Response]]], R]) -> R:
        try:
            async with seat:
                return reply(await asyncio.gather(*(self._serve(batch) for batch in batches)))
        except errors.StatusError as error:
            return reply([[failure(error)] * len(batch.requests) for batch in batches])

    async def _serve(self, batch: Batch) -> list[Response]:
        looked = self._look_into(batch)
        responses = looked.answered(iter(await self._env.writer.write(looked.pending)))
        for position, request in enumerate(batch.requests):
            if responses[position] is None:
                responses[position] = await self._alone(ApiRequest(batch.identity, request))
        return responses

    def _all_writes(self, batches: list[Batch]) -> list[_Looked]:
        """Empty: not every batch has writes, and besides these only what is refused."""
        try:
            looked = [self._look_into(batch) for batch in batches]
        except Exception:
            return []  # The task meets it too, and its end is not this actor's.
        return looked if all(one.pending and len(one.pending) == one.responses.count(None) for one in looked) else []

    def _look_into(self, batch: Batch) -> _Looked:
        responses: list[Response | None] = [None] * len(batch.requests)
        pending: list[Pending] = []
        who, now = batch.identity, self._env.clock.time()
        known: dict[tuple[str, ...], _Alike | None] = {}
        for position, request in enumerate(batch.requests):
            try:
                alike = self._alike(who, request, known)
                if alike is None:
                    one = writer_of(admitted(self._env, who, request))
                else:
                    resource, prepare = alike
                    one = None if prepare is None else pending_of(Call(who, request, resource, now), prepare)
            except errors.StatusError as error:
                responses[position] = failure(error)
                continue
            if one is not None:
                one.position = position
                pending.append(one)
        return _Looked(responses, pending)

    def _alike(self, who: Identity, request: Request, known: dict[tuple[str, ...], _Alike | None]) -> _Alike | None:
        """What a batch asks of again and again; None: each request has to be looked at alone."""
        target = request.target
        key = request.verb, target.group, target.version, target.resource, target.subresource, target.namespace
        if key not in known:
            resource = resource_of(self._env.schema, request)
            alike = resource, preparing(resource, target.subresource, request.verb)
            known[key] = alike if whatever_the_name(self._env, who, request) else None
        return known[key]
