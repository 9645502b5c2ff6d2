"""Batches of many clients as one message: what goes together, in whose name, and who is told what of a failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from actors import Actor, Ref, System
from orchestrator.client.carrier import Carrier
from orchestrator.client.errors import TransportError
from orchestrator.client.kinds import CONFIGMAPS
from orchestrator.client.mailbox import MailboxTransport
from orchestrator.client.protocol import (
    MAX_BATCH_REQUESTS,
    BatchesReply,
    BatchesRequest,
    BatchReply,
    BatchRequest,
    Identity,
    Request,
    Response,
)
from orchestrator.client.requests import delete


class Server(Actor):
    """Notes who asked for how much, message by message; each answer's revision is the number of its request."""

    def __init__(self, seen: list[list[tuple[str, int]]]) -> None:
        self.seen = seen

    async def receive(self, message: Any) -> Any:
        match message:
            case BatchesRequest(batches=batches):
                self.seen.append([(batch.identity.user, len(batch.requests)) for batch in batches])
                if any(request.target.name == "crash" for batch in batches for request in batch.requests):
                    raise RuntimeError("it was asked to")
                return BatchesReply([_answers(batch.requests) for batch in batches])
            case BatchRequest(identity=identity, requests=requests):
                self.seen.append([(identity.user, len(requests))])
                return BatchReply(_answers(requests))


def _answers(requests: list[Request]) -> list[Response]:
    return [Response(200, int(request.target.name)) for request in requests]


def writes(*names: Any) -> list[Request]:
    return [delete(CONFIGMAPS, str(name), "default") for name in names]


Seen = list[list[tuple[str, int]]]


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Ref[Any], Seen]]:
    seen: Seen = []
    async with System("carrier") as system:
        yield await system.spawn(Server, seen, name="server"), seen


def clients(api: Ref[Any], count: int) -> list[MailboxTransport]:
    carrier = Carrier(api)
    return [MailboxTransport(api, Identity(f"node-{number}"), carrier) for number in range(count)]


async def test_what_many_ask_in_one_turn_is_one_message_with_a_name_each() -> None:
    async with served() as (api, seen):
        asked = [client.batch(writes(*range(number + 1))) for number, client in enumerate(clients(api, 3))]
        answers = await asyncio.gather(*asked)
    assert seen == [[("node-0", 1), ("node-1", 2), ("node-2", 3)]]
    assert [[one.revision for one in held] for held in answers] == [[0], [0, 1], [0, 1, 2]]


async def test_who_asks_alone_asks_by_itself() -> None:
    async with served() as (api, seen):
        first, second = clients(api, 2)
        assert [one.revision for one in await first.batch(writes(1))] == [1]
        assert [one.revision for one in await second.batch(writes(2))] == [2]
    assert seen == [[("node-0", 1)], [("node-1", 1)]]


async def test_no_message_holds_more_requests_than_a_server_takes() -> None:
    each = MAX_BATCH_REQUESTS // 2
    async with served() as (api, seen):
        answers = await asyncio.gather(*(client.batch(writes(*range(each))) for client in clients(api, 5)))
    assert [len(message) for message in seen] == [2, 2, 1]
    assert all([one.revision for one in held] == list(range(each)) for held in answers)


async def test_all_hear_that_their_server_ended_before_it_answered() -> None:
    async with served() as (api, _):
        first, second = clients(api, 2)
        asked = first.batch(writes("crash")), second.batch(writes(2))
        failures = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(failure) for failure in failures] == [TransportError, TransportError]
    assert "it was asked to" in str(failures[1])


async def test_the_end_of_one_that_asked_is_not_the_others() -> None:
    async with served() as (api, seen):
        first, second = clients(api, 2)
        gone, stays = asyncio.ensure_future(first.batch(writes(1))), asyncio.ensure_future(second.batch(writes(2)))
        await asyncio.sleep(0)
        gone.cancel()
        assert [one.revision for one in await stays] == [2]
        with pytest.raises(asyncio.CancelledError):
            await gone
    assert seen == [[("node-0", 1), ("node-1", 1)]]
