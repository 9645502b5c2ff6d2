"""Credit: a peer or an actor that takes its time delays who sends to it, nobody else, and costs bounded memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors import Actor, AskTimeout, Limits, Mailbox, System, drop_newest, fail, wait
from actors.mailbox import Overflow
from actors.remoting.errors import FrameTooLarge
from actors.testing import MemoryNetwork
from tests.actors.remoting.nodes import ADDRESS, SECRET, Echo, Note, Server, two_nodes

LIMITS = Limits(window_bytes=4000, outbox_frames=10, outbox_bytes=100_000, frame_bytes=20_000)


class Slow(Actor):
    """A second for each note."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    async def receive(self, message: Any) -> None:
        await asyncio.sleep(1.0)
        if isinstance(message, Note):
            self.taken.append(message.number)


async def send(ref: Any, count: int, sent: list[int]) -> None:
    for number in range(count):
        await ref.tell(Note(number))
        sent.append(number)


async def test_a_slow_actor_slows_its_sender_down_and_gets_everything_in_order() -> None:
    """SEMANTICS 15.12"""
    async with two_nodes(limits=LIMITS) as (a, b):
        slow = Slow()
        await b.spawn(lambda: slow, name="slow", mailbox=Mailbox(4, wait))
        sent: list[int] = []
        task = asyncio.create_task(send(a.ref("slow", "b"), 200, sent))
        await asyncio.sleep(1.5)
        under_way = LIMITS.window_bytes // 60 + LIMITS.outbox_frames + 4
        assert 20 < len(sent) < under_way
        await asyncio.sleep(300.0)
        assert task.done()
        assert slow.taken == list(range(200))
        assert not a.statistics().dead_letters
        assert not b.statistics().dead_letters


async def test_a_node_that_takes_nothing_delays_no_other() -> None:
    """SEMANTICS 15.12"""
    network = MemoryNetwork()
    async with (
        two_nodes(network, LIMITS) as (a, b),
        System("c", network=network.host("c"), limits=LIMITS) as c,
    ):
        await c.listen("tcp://c:1", SECRET)
        await a.connect("tcp://c:1", SECRET)
        for node in (b, c):
            await node.spawn(Server, name="server")
        network.partition("a", "b")
        stuck: list[int] = []
        task = asyncio.create_task(send(a.ref("server", "b"), 1000, stuck))
        await asyncio.sleep(0.1)
        assert not task.done()
        assert not a.ref("server", "b").tell_nowait(Note(0))
        assert a.statistics().dead_letters == {"full": 1}
        for number in range(500):
            await a.ref("server", "c").tell(Note(number))
        assert await a.ref("server", "c").ask(Echo("there"), timeout=0.5) == "there"
        task.cancel()


@pytest.mark.parametrize(("policy", "reason"), [(drop_newest, "dropped"), (fail, "full")])
async def test_what_a_mailbox_does_not_take_is_a_dead_letter_there(policy: Overflow, reason: str) -> None:
    async with two_nodes(limits=LIMITS) as (a, b):
        slow = Slow()
        await b.spawn(lambda: slow, name="slow", mailbox=Mailbox(4, policy))
        sent: list[int] = []
        await send(a.ref("slow", "b"), 300, sent)
        await asyncio.sleep(20.0)
        assert sent == list(range(300))
        assert b.statistics().dead_letters == {reason: 300 - len(slow.taken)}


async def test_a_frame_above_the_limit_is_refused_in_the_sender_and_a_reply_in_the_asker() -> None:
    async with two_nodes(limits=LIMITS) as (a, b):
        await b.spawn(Server, name="server")
        server = a.ref("server", "b")
        with pytest.raises(FrameTooLarge, match="expected at most 20000"):
            await server.tell(Note(1, "x" * 20_000))
        with pytest.raises(FrameTooLarge):
            await server.ask(Echo("x" * 20_000))
        assert await server.ask(Echo("x" * 19_000)) == "x" * 19_000
        assert a.statistics().asks == 0


async def test_credit_comes_back_for_all_that_is_sent() -> None:
    async with two_nodes(limits=LIMITS) as (a, b):
        await b.spawn(Server, name="server")
        sent: list[int] = []
        await send(a.ref("server", "b"), 1000, sent)
        await send(a.ref("nobody", "b"), 1000, sent)
        assert await a.ref("server", "b").ask(Echo("done")) == "done"


async def test_asks_that_are_given_up_in_line_give_their_credit_back() -> None:
    async with two_nodes(limits=LIMITS) as (a, b):
        slow = Slow()
        await b.spawn(lambda: slow, name="slow", mailbox=Mailbox(2, wait))
        await b.spawn(Server, name="server")
        for _ in range(3):
            asks = [a.ref("slow", "b").ask(Echo("x" * 60), timeout=0.2) for _ in range(20)]
            answers = await asyncio.gather(*asks, return_exceptions=True)
            assert all(isinstance(answer, AskTimeout) for answer in answers)
            await asyncio.sleep(30.0)
        [peer] = b.remoting.statistics().peers
        assert (peer.open_asks, peer.owed < LIMITS.window_bytes / 4) == (0, True)
        assert await a.ref("server", "b").ask(Echo("here")) == "here"


async def test_a_sender_that_gives_up_leaves_nothing_behind() -> None:
    network = MemoryNetwork()
    async with two_nodes(network, LIMITS) as (a, b):
        server = Server()
        await b.spawn(lambda: server, name="server")
        network.partition("a", "b")
        sent: list[int] = []
        task = asyncio.create_task(send(a.ref("server", "b"), 1000, sent))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.sleep(0)
        network.heal()
        await asyncio.sleep(5.0)
        assert [note.number for note in server.notes] == sent
        await a.ref("server", "b").tell(Note(-1))
        await asyncio.sleep(1.0)
        assert server.notes[-1].number == -1


async def test_a_peer_that_reads_no_replies_is_cut_off() -> None:
    limits = Limits(unread_bytes=50_000, silence_seconds=1000.0)
    network = MemoryNetwork()
    async with System("b", network=network.host("b"), limits=limits) as b, System("a", network=network.host("a")) as a:
        await b.listen(ADDRESS, SECRET)
        await b.spawn(Server, name="server")
        await a.connect(ADDRESS, SECRET)
        asks = [asyncio.create_task(a.ref("server", "b").ask(Echo("x" * 1000))) for _ in range(100)]
        await asyncio.sleep(0)
        network.delay = (1.0, 1.0)
        await asyncio.gather(*asks, return_exceptions=True)
        assert b.remoting.refusals["slow"] == 1
