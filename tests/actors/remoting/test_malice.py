"""A peer that means harm, on real sockets: it is refused, logged once, and nothing grows."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from actors import Actor, Limits, Mailbox, System
from actors.remoting import wire
from actors.remoting.limits import MAX_HANDSHAKES
from actors.remoting.security import SecretProver
from tests.actors.cast import Add, Counter, Total
from tests.actors.remoting.nodes import SECRET

pytestmark = [pytest.mark.real_loop, pytest.mark.slow]

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PAGE_BYTES = 4096


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


class Stuck(Actor):
    """Never done with its first message."""

    async def receive(self, message: Any) -> None:
        await asyncio.sleep(3600.0)


@asynccontextmanager
async def victim(limits: Limits | None = None) -> AsyncIterator[tuple[System, int]]:
    """A node, and its port. In the end it still serves an honest peer."""
    async with System("victim", limits=limits) as system, System("honest") as honest:
        address = await system.listen("tcp://127.0.0.1:0", SECRET)
        await system.spawn(Counter, name="counter")
        yield system, int(address.rpartition(":")[2])
        await honest.connect(address, SECRET)
        counter = honest.ref("counter", "victim")
        await counter.tell(Add(1))
        assert await counter.ask(Total()) == 1


async def dial(port: int) -> Stream:
    return await asyncio.open_connection("127.0.0.1", port)


async def ended(stream: Stream) -> bytes:
    """What the victim said until it hung up."""
    reader, writer = stream
    said = b""
    async with asyncio.timeout(10.0):
        try:
            while piece := await reader.read(65_536):
                said += piece
        except ConnectionResetError:
            pass
    writer.close()
    return said


def refusal(said: bytes) -> str:
    """The code of the last frame, a refusal."""
    code: str = msgspec.msgpack.decode(said[5:])[0]
    assert said[4] == wire.REFUSE
    return code


async def enter(port: int, name: str, system: System) -> Stream:
    """Be a peer that knows the secret, up to the end of the handshake."""
    reader, writer = await dial(port)
    own = msgspec.structs.replace(system.remoting.new_hello("secret"), node=name)
    packed = msgspec.msgpack.encode(own)
    writer.write(wire.frame(wire.HELLO, packed))
    theirs = (await _frame(reader))[1:]
    transcript = len(packed).to_bytes(4) + len(theirs).to_bytes(4) + packed + theirs
    writer.write(wire.frame(wire.PROOF, SecretProver(SECRET).prove(b"dialer", transcript)))
    assert (await _frame(reader))[0] == wire.PROOF
    return reader, writer


async def _frame(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(int.from_bytes(await reader.readexactly(4)))


async def test_a_frame_of_four_gigabytes_is_refused_at_its_length() -> None:
    """SEMANTICS 15.15"""
    async with victim() as (system, port):
        stream = await dial(port)
        stream[1].write(b"\xff\xff\xff\xff" + b"x" * 1000)
        assert refusal(await ended(stream)) == "frame"
        known = await enter(port, "known", system)
        known[1].write(b"\xff\xff\xff\xff" + b"x" * 1000)
        said = await ended(known)
        assert said[4] == wire.GOODBYE


async def test_random_bytes_on_a_socket_are_refused_logged_once_and_forgotten() -> None:
    """SEMANTICS 15.15"""
    with capture_logs() as logs:
        async with victim() as (system, port):
            source = random.Random(1)
            before = resident()
            for _ in range(300):
                stream = await dial(port)
                stream[1].write(source.randbytes(source.randint(5, 3000)))
                stream[1].write_eof()
                await ended(stream)
            assert sum(system.remoting.refusals.values()) >= 290
            assert resident() - before < 8_000_000
            assert system.remoting.statistics().connections == 0
    refused = [line for line in logs if line["event"] == "connection refused"]
    assert 1 <= len(refused) <= 3, "one line for each kind of refusal within the window"


async def test_a_known_peer_that_sends_nonsense_is_cut_off_and_harms_no_actor() -> None:
    """SEMANTICS 15.15"""
    source = random.Random(2)
    async with victim() as (system, port):
        for number in range(200):
            stream = await enter(port, f"known-{number}", system)
            nonsense = wire.tell(False, b"counter", source.randbytes(20), b"", source.randbytes(20))
            if number % 2:
                envelope = system.codec.envelope(Add, None)
                nonsense = wire.tell(False, b"counter", envelope, source.randbytes(number % 5), source.randbytes(9))
            stream[1].write(nonsense * 3)
            stream[1].write_eof()
            await ended(stream)
        assert system.crashes == 0
        assert system.cells["counter"].restarts == 0
        await asyncio.sleep(0.05)
        assert not system.remoting.peers


async def test_a_handshake_that_drips_is_over_at_its_deadline() -> None:
    """SEMANTICS 15.15"""
    async with victim(Limits(handshake_seconds=0.5)) as (_, port):
        stream = await dial(port)
        began = time.monotonic()

        async def drip() -> None:
            while True:
                stream[1].write(b"\0")
                await asyncio.sleep(0.1)

        dripping = asyncio.create_task(drip())
        stream[1].write(b"\0\0\x0f")
        said = await ended(stream)
        dripping.cancel()
        assert time.monotonic() - began < 2.0
        assert refusal(said) == "late"


async def test_strangers_that_say_nothing_take_a_bounded_number_of_places() -> None:
    """SEMANTICS 15.15"""
    async with victim(Limits(handshake_seconds=0.5)) as (system, port):
        streams = [await dial(port) for _ in range(MAX_HANDSHAKES + 40)]
        await asyncio.sleep(0.1)
        assert system.remoting.statistics().handshakes == MAX_HANDSHAKES
        assert system.remoting.refusals["busy"] == 40
        for stream in streams:
            await ended(stream)
        assert system.remoting.statistics().handshakes == 0


async def test_a_known_peer_that_sends_without_credit_is_cut_off() -> None:
    """SEMANTICS 15.12"""
    async with victim(Limits(window_bytes=10_000)) as (system, port):
        await system.spawn(Stuck, name="stuck", mailbox=Mailbox(2), stop_seconds=0.1)
        _, writer = stream = await enter(port, "known", system)
        envelope = system.codec.envelope(Add, None)
        body = system.codec.encode(Add(1))
        writer.write(wire.tell(False, b"stuck", envelope, b"", body) * 5000)
        said = await ended(stream)
        assert said[4] == wire.GOODBYE
        assert b"credit" in said
