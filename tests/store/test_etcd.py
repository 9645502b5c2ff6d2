"""The conformance suite over etcd: a real one, and our own gateway in its place."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgpack
import pytest

from actors import Mailbox, Ref, Refused, System, child
from orchestrator.store.etcd.store import EtcdStore
from orchestrator.store.gateway.door import Gateway, Listening
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.protocol import Batch, Causes, Change, Changed, Compare, Range, Relation, Target, Txn
from orchestrator.store.store import Store
from tests.store import etcd
from tests.store.conformance import PROMISES, Made, a_watch_sees_every_change_once_in_order, keys, put, write

Promise = Callable[[Made], Awaitable[None]]
every_promise = pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
a_real_etcd = pytest.mark.skipif(etcd.binary() is None, reason="no etcd here")
FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None


@asynccontextmanager
async def over(url: str, system: System) -> AsyncIterator[Made]:
    def spec() -> Any:
        return child(lambda: EtcdStore([url]), name="over-etcd", mailbox=Mailbox(8192), later=8192)

    made = Made(system, await system.spawn(spec()), restart=lambda: restart())

    async def restart() -> None:
        await system.stop_actor(made.store)
        made.store = await system.spawn(spec())

    yield made


@asynccontextmanager
async def over_gateway() -> AsyncIterator[Made]:
    async with System() as system:
        store = await system.spawn(child(Store, MemoryLog(), name="store", mailbox=Mailbox(8192), later=8192))
        door: Ref[Any] = await system.spawn(child(lambda: Gateway(store), name="gateway"))
        async with over(await door.ask(Listening()), system) as made:
            yield made


@asynccontextmanager
async def over_etcd() -> AsyncIterator[Made]:
    with tempfile.TemporaryDirectory(dir=FAST) as folder, etcd.running(Path(folder) / "etcd") as url:
        async with System() as system, over(url, system) as made:
            yield made


@pytest.mark.real_loop
@pytest.mark.slow
@every_promise
async def test_a_store_over_our_gateway_keeps_its_promise(promise: Promise) -> None:
    async with over_gateway() as made:
        await promise(made)


@pytest.mark.e2e
@a_real_etcd
@every_promise
async def test_a_store_over_etcd_keeps_its_promise(promise: Promise) -> None:
    async with over_etcd() as made:
        await promise(made)


@pytest.mark.real_loop
async def test_two_stores_over_one_etcd_see_each_others_writes() -> None:
    async with over_gateway() as made:
        other = Made(made.system, made.store, made.restart)
        first = made.store
        url = await made.system.ref("gateway").ask(Listening())
        other.store = await made.system.spawn(child(lambda: EtcdStore([url]), name="second"))
        await write(made, put("a/1"))
        assert await keys(other) == ["a/1"]
        await write(other, put("a/1", None, b"theirs", None))
        made.store = first
        reply = await made.store.ask(Range(""))
        assert reply.values[0].parts == (b"meta", b"theirs", b"rest")


@pytest.mark.real_loop
async def test_keys_of_others_are_not_ours() -> None:
    async with over_gateway() as made:
        await made.system.ref("store").ask(Batch([Change("somebody/else", (b"x",))]))
        await write(made, put("a/1"))
        assert await keys(made) == ["a/1"]


@pytest.mark.real_loop
async def test_a_history_that_etcd_forgot_begins_where_etcds_does() -> None:
    async with over_gateway() as made:
        await write(made, *[put(f"a/{number}", b"%d" % number) for number in range(4)])
        from orchestrator.store.protocol import Compact

        await made.store.ask(Compact(3))
        await made.restart()
        assert await keys(made, revision=3) == ["a/0", "a/1", "a/2"]
        with pytest.raises(Refused, match="compacted"):
            await keys(made, revision=2)


@pytest.mark.real_loop
async def test_causes_and_earlier_values_come_from_the_mirror() -> None:
    async with over_gateway() as made:
        await write(made, put("a/1", b"old", cause=msgpack.packb(["me", "a/1", 0])))
        reply = await write(made, put("a/1", b"new", cause=msgpack.packb(["you", "a/1", 1])))
        steps = await made.store.ask(Causes(reply.revision))
        assert [(step.revision, step.actor) for step in steps] == [(2, "you"), (1, "me")]
        assert [parts for _, parts in await made.store.ask(Changed("a/1"))] == [(b"old",), (b"new",)]


@pytest.mark.real_loop
async def test_a_transaction_compares_values_and_is_retried_safely() -> None:
    async with over_gateway() as made:
        await write(made, put("a/1", b"one"))
        right = Compare("a/1", Target.VALUE, Relation.EQUAL, b"one")
        first = await made.store.ask(Txn([right], [put("a/2"), put("a/1", b"two")], request_id="r"))
        assert first.succeeded
        assert await made.store.ask(Txn([right], [put("a/2"), put("a/1", b"two")], request_id="r")) == first
        second = await made.store.ask(Txn([right], [put("a/3")], [Change("a/2", None)]))
        assert not second.succeeded
        assert await keys(made) == ["a/1"]


@pytest.mark.real_loop
async def test_an_etcd_that_is_not_there_is_said_to_be_unavailable() -> None:
    async with over_gateway() as made:
        await a_watch_sees_every_change_once_in_order(made)
        await made.system.stop_actor(made.system.ref("gateway"))
        with pytest.raises(Refused) as caught:
            await made.store.ask(Batch([put("a/1")]), timeout=30)
        assert caught.value.code == "unavailable"
