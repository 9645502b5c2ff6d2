"""Real sockets on the loopback address, short."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import cast

import pytest

from orchestrator.proxy.plan import plan
from orchestrator.proxy.portals import Endpoint, Front, Portal
from orchestrator.proxy.userspace import UserspaceDataplane

pytestmark = pytest.mark.real_loop


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def front(protocol: str = "TCP") -> Front:
    kind = socket.SOCK_STREAM if protocol == "TCP" else socket.SOCK_DGRAM
    return Front(protocol, "127.0.0.1", free_port(kind))


async def lead(one: UserspaceDataplane, where: Front, *endpoints: Endpoint) -> list[str]:
    return await apply(one, [Portal(where, "default/web", endpoints)])


async def apply(one: UserspaceDataplane, portals: Iterable[Portal]) -> list[str]:
    failures = await one.apply(plan({portal.front: portal for portal in portals}, one.observed()))
    return [failure.reason for failure in failures]


@asynccontextmanager
async def dataplane() -> AsyncIterator[UserspaceDataplane]:
    one = UserspaceDataplane(random.Random(1), asyncio.get_running_loop().time)
    try:
        yield one
    finally:
        await one.close()
        await asyncio.sleep(0)


@asynccontextmanager
async def server(word: bytes) -> AsyncIterator[Endpoint]:
    """Answers every connection with its word and what it was told, once it was told all."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(word + await reader.read())
        await writer.drain()
        writer.close()

    one = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Endpoint("127.0.0.1", one.sockets[0].getsockname()[1])
    finally:
        one.close()


async def ask(where: Front, data: bytes = b"") -> bytes:
    reader, writer = await asyncio.open_connection(where.address, where.port)
    writer.write(data)
    writer.write_eof()
    try:
        return await reader.read()
    finally:
        writer.close()


async def connected(one: UserspaceDataplane) -> None:
    for _ in range(1000):
        if one.statistics().accepted:
            return
        await asyncio.sleep(0)
    raise AssertionError("the connection was not accepted")


async def test_a_connection_is_carried_both_ways_to_the_last_byte_and_half_closed() -> None:
    async with dataplane() as one, server(b"a") as endpoint:
        where = front()
        assert await lead(one, where, endpoint) == []
        data = b"x" * 1_000_000
        assert await ask(where, data) == b"a" + data


async def test_an_endpoint_that_refuses_is_passed_over() -> None:
    async with dataplane() as one, server(b"a") as endpoint:
        where = front()
        await lead(one, where, Endpoint("127.0.0.1", free_port()), endpoint)
        assert [await ask(where) for _ in range(4)] == [b"a"] * 4


async def test_without_an_endpoint_the_connection_is_ended() -> None:
    async with dataplane() as one:
        where = front()
        await lead(one, where)
        with pytest.raises(ConnectionError):
            await ask(where)
        assert one.statistics().refused == 1


async def test_new_connections_follow_the_endpoints() -> None:
    async with dataplane() as one, server(b"a") as first, server(b"b") as second:
        where = front()
        await lead(one, where, first)
        assert await ask(where) == b"a"
        await lead(one, where, second)
        assert await ask(where) == b"b"


async def test_an_open_connection_outlives_its_endpoint_and_its_listener() -> None:
    async with dataplane() as one, server(b"a") as endpoint:
        where = front()
        await lead(one, where, endpoint)
        reader, writer = await asyncio.open_connection(where.address, where.port)
        await connected(one)
        await apply(one, [])
        writer.write_eof()
        assert await reader.read() == b"a"
        writer.close()
        with pytest.raises(OSError, match="Connect call failed"):
            await ask(where)


async def test_a_port_that_is_taken_is_said_and_the_others_are_opened() -> None:
    async with dataplane() as one, server(b"other") as taken, server(b"a") as endpoint:
        where, blocked = front(), Front("TCP", "127.0.0.1", taken.port)
        portals = [Portal(each, "default/web", (endpoint,)) for each in (where, blocked)]
        (reason,) = await apply(one, portals)
        assert "in use" in reason
        assert await ask(where) == b"a"
        assert set(one.observed()) == {where}


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(b"echo " + data, addr)


class Client(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.got: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.got.put_nowait(data)


async def test_datagrams_go_there_and_back_in_one_session() -> None:
    loop = asyncio.get_running_loop()
    echo, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    async with dataplane() as one:
        where = front("UDP")
        await lead(one, where, Endpoint("127.0.0.1", echo.get_extra_info("sockname")[1]))
        sender, client = await loop.create_datagram_endpoint(Client, remote_addr=(where.address, where.port))
        for word in (b"one", b"two"):
            sender.sendto(word)
            assert await asyncio.wait_for(client.got.get(), 5) == b"echo " + word
        assert one.statistics().accepted == 1
        sender.close()
    echo.close()
    await asyncio.sleep(0)
