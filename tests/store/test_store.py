"""The conformance suite on the stores that exist, and what only the actor itself promises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from actors import System, child
from orchestrator.store.group import FromMember
from orchestrator.store.log import Log
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.protocol import Batch, Change, Outcome
from orchestrator.store.sqlite_log import SqliteLog
from orchestrator.store.store import Store
from tests.store.conformance import PROMISES, Made

Promise = Callable[[Made], Awaitable[None]]
every_promise = pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)


async def keep(promise: Promise, log: Log) -> None:
    async with System() as system:
        made = Made(system, await system.spawn(child(Store, log, name="store")), restart=lambda: restart())

        async def restart() -> None:
            await system.stop_actor(made.store)
            made.store = await system.spawn(child(Store, log, name="store"))

        await promise(made)


@every_promise
async def test_a_store_in_memory_keeps_its_promise(promise: Promise) -> None:
    await keep(promise, MemoryLog())


@pytest.mark.real_loop
@every_promise
async def test_a_store_of_one_member_keeps_its_promise(promise: Promise, tmp_path: Path) -> None:
    await keep(promise, SqliteLog(tmp_path / "store.db"))


@pytest.mark.parametrize("frame", [b"", b"\xc1", b"\x92\xcc\xff\x01", b"\x92\xa1\xff\x01"])
async def test_words_that_no_member_knows_are_passed_over(frame: bytes) -> None:
    async with System() as system:
        store = await system.spawn(child(Store, MemoryLog(), name="store"))
        await store.tell(FromMember(frame))
        reply = await store.ask(Batch([Change("a/1", (b"m",))]))
        assert reply.results[0].outcome is Outcome.DONE
        statistics = system.statistics_of(store)
        assert statistics is not None
        assert statistics.restarts == 0
