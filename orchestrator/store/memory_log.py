"""A log that lives as long as its object: durable across restarts of the store actor, not of the process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from orchestrator.raft.entry import Entry, HardState, Mark
from orchestrator.store.log import LogStatistics, Recovered


class MemoryLog:
    """The simplest log there is: what it was told last is what it has."""

    def __init__(self) -> None:
        self._state = HardState()
        self._mark = Mark()
        self._chunks: list[bytes] = []
        self._entries: list[Entry] = []
        self._bytes = 0
        self._appends = 0

    async def open(self) -> Recovered:
        self._appends = 0
        return Recovered(self._state, self._mark, list(self._entries))

    async def append(self, state: HardState, entries: list[Entry]) -> None:
        self._state = state
        self._appends += 1
        if not entries:
            return
        while self._entries and self._entries[-1].index >= entries[0].index:
            self._bytes -= len(self._entries.pop().payload)
        self._entries.extend(entries)
        self._bytes += sum(len(entry.payload) for entry in entries)

    async def save_snapshot(self, mark: Mark, chunks: Iterable[bytes]) -> None:
        self._chunks = list(chunks)
        self._mark = mark

    async def read_snapshot(self) -> AsyncIterator[bytes]:
        for chunk in list(self._chunks):
            yield chunk

    async def truncate(self, through: int) -> None:
        kept = [entry for entry in self._entries if entry.index > through]
        self._bytes -= sum(len(entry.payload) for entry in self._entries) - sum(len(entry.payload) for entry in kept)
        self._entries = kept

    async def tidy(self) -> None:
        return None

    @property
    def untidy(self) -> bool:
        return False

    async def close(self) -> None:
        return None

    def statistics(self) -> LogStatistics:
        return LogStatistics(len(self._entries), self._bytes, self._appends)
