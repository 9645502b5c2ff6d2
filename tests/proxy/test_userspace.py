from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from actors import LoopClock
from orchestrator.daemon import free_port
from orchestrator.proxy.rules import Backend, Frontend, Listen
from orchestrator.proxy.userspace import UserspaceDataplane

pytestmark = pytest.mark.real_loop


def listen(protocol: str = "TCP") -> Listen:
    return Listen(protocol, "127.0.0.1", free_port())


def frontend(where: Listen, *backends: Backend) -> dict[Listen, Frontend]:
    return {where: Frontend(where, "default/web", backends)}


@asynccontextmanager
async def dataplane() -> AsyncIterator[UserspaceDataplane]:
    one = UserspaceDataplane(LoopClock(asyncio.get_running_loop()), random.Random(1))
    try:
        yield one
    finally:
        await one.close()
        await asyncio.sleep(0)


@asynccontextmanager
async def server(word: bytes) -> AsyncIterator[Backend]:
    """Answers every connection with its word and what it was told until the end."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(word + await reader.read())
        await writer.drain()
        writer.close()

    one = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Backend("127.0.0.1", one.sockets[0].getsockname()[1])
    finally:
        one.close()


async def connected(one: UserspaceDataplane) -> None:
    for _ in range(1000):
        if one.statistics().connections:
            return
        await asyncio.sleep(0)
    raise AssertionError("the connection was not accepted")


async def ask(where: Listen, data: bytes = b"") -> bytes:
    reader, writer = await asyncio.open_connection(where.address, where.port)
    writer.write(data)
    writer.write_eof()
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_a_connection_is_carried_both_ways_to_the_last_byte() -> None:
    async with dataplane() as one, server(b"a") as backend:
        where = listen()
        assert await one.apply(frontend(where, backend)) == []
        data = b"x" * 1_000_000
        assert await ask(where, data) == b"a" + data


async def test_an_endpoint_that_refuses_is_passed_over() -> None:
    async with dataplane() as one, server(b"a") as backend:
        where = listen()
        await one.apply(frontend(where, Backend("127.0.0.1", free_port()), backend))
        assert [await ask(where) for _ in range(4)] == [b"a"] * 4


async def test_new_connections_follow_the_endpoints() -> None:
    async with dataplane() as one, server(b"a") as first, server(b"b") as second:
        where = listen()
        await one.apply(frontend(where, first))
        assert await ask(where) == b"a"
        await one.apply(frontend(where, second))
        assert await ask(where) == b"b"


async def test_an_open_connection_outlives_its_endpoint_and_its_listener() -> None:
    async with dataplane() as one, server(b"a") as backend:
        where = listen()
        await one.apply(frontend(where, backend))
        reader, writer = await asyncio.open_connection(where.address, where.port)
        await connected(one)
        await one.apply({})
        writer.write_eof()
        assert await reader.read() == b"a"
        writer.close()
        with pytest.raises(OSError, match="Connect call failed"):
            await ask(where)


async def test_a_port_that_is_taken_is_said_and_tried_again() -> None:
    async with dataplane() as one, server(b"other") as taken, server(b"a") as backend:
        where = Listen("TCP", "127.0.0.1", taken.port)
        (refused,) = await one.apply(frontend(where, backend))
        assert "cannot listen on TCP 127.0.0.1" in refused.reason
    async with dataplane() as one, server(b"a") as backend:
        assert await one.apply(frontend(where, backend)) == []


async def test_datagrams_go_there_and_back() -> None:
    loop = asyncio.get_running_loop()

    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.DatagramTransport, transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.transport.sendto(b"echo " + data, addr)

    class Client(asyncio.DatagramProtocol):
        def __init__(self) -> None:
            self.got: asyncio.Future[bytes] = loop.create_future()

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.got.set_result(data)

    echo, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    async with dataplane() as one:
        where = listen("UDP")
        await one.apply(frontend(where, Backend("127.0.0.1", echo.get_extra_info("sockname")[1])))
        sender, client = await loop.create_datagram_endpoint(Client, remote_addr=(where.address, where.port))
        sender.sendto(b"hello")
        assert await asyncio.wait_for(client.got, 5) == b"echo hello"
        sender.close()
    echo.close()
