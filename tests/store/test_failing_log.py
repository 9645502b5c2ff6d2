from __future__ import annotations

import pytest

from actors import Down, System, child
from orchestrator.raft.entry import Entry, HardState
from orchestrator.store.errors import LogFailed
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.protocol import Batch, Change, Get
from orchestrator.store.store import Store


class FullLog(MemoryLog):
    """A disk that takes no more once ``full`` is set."""

    full = False

    async def append(self, state: HardState, entries: list[Entry]) -> None:
        if self.full:
            raise LogFailed("the log", "append", "disk is full")
        await super().append(state, entries)


async def test_nothing_is_acknowledged_when_the_log_fails() -> None:
    log = FullLog()
    async with System() as system:
        store = await system.spawn(child(Store, log, name="store"))
        await store.ask(Batch([Change("a/1", (b"kept",))]))
        log.full = True
        with pytest.raises(Down, match="disk is full"):
            await store.ask(Batch([Change("a/2", (b"lost",))]))
    log.full = False
    async with System() as system:
        store = await system.spawn(child(Store, log, name="store"))
        reply = await store.ask(Get(["a/1", "a/2"]))
    assert [value and value.parts for value in reply.values] == [(b"kept",), None]
