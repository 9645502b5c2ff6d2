"""A log on a disk that may lose, keep or tear what was not synced when its machine went down.

The rows are the bytes of the product's own batches. Only the write that is under way is at risk: each call returns
after its sync.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Generator, Iterable

from orchestrator.raft.entry import Entry, HardState, Mark
from orchestrator.store.batch import Damaged, decode_batch, encode_batch
from orchestrator.store.errors import LogCorrupt
from orchestrator.store.log import LogStatistics, Recovered


class Wait:
    """Awaited by a log: whoever drives the coroutine resumes it when so many milliseconds have passed."""

    __slots__ = ("milliseconds",)

    def __init__(self, milliseconds: float) -> None:
        self.milliseconds = milliseconds

    def __await__(self) -> Generator[Wait, None, None]:
        yield self


class SimulatedLog:
    """The product's ``Log``."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self.slow = draw.choice([1.0, 4.0, 15.0])
        """The longest usual sync in milliseconds."""
        self._rows: list[tuple[int, int, bytes]] = []
        # Of each: index of its last entry (of the last before it, when it has none), entries, bytes.
        self._mark = Mark()
        self._chunks: list[bytes] = []
        self._seal: int | None = None
        self._pending: tuple[int, int, bytes] | None = None
        self._pending_snapshot: tuple[Mark, list[bytes]] | None = None

    async def open(self) -> Recovered:
        state, entries, cut = HardState(), list[Entry](), ""
        self._seal = None
        for number, (_, _, data) in enumerate(self._rows):
            try:
                batch = decode_batch(data, self._seal)
            except Damaged as error:
                if number + 1 < len(self._rows):
                    raise LogCorrupt("the simulated log", error.where, error.expected, error.found) from error
                cut = str(error)
                del self._rows[number:]
                break
            state, self._seal = batch.state, batch.seal
            if batch.entries:
                if entries and batch.first > entries[-1].index + 1:
                    entries.clear()
                if entries:
                    del entries[batch.first - entries[0].index :]
                entries += batch.entries
        return Recovered(state, self._mark, entries, cut)

    async def append(self, state: HardState, entries: list[Entry]) -> None:
        last = entries[-1].index if entries else (self._rows[-1][0] if self._rows else 0)
        data, seal = encode_batch(state, entries, self._seal or 0)
        row = self._pending = (last, len(entries), data)
        await Wait(0.2 + self._draw.random() * self.slow)
        self._pending, self._seal = None, seal
        self._rows.append(row)

    async def save_snapshot(self, mark: Mark, chunks: Iterable[bytes]) -> None:
        self._pending_snapshot = (mark, list(chunks))
        await Wait(1.0 + self._draw.random() * 4 * self.slow)
        self._mark, self._chunks = self._pending_snapshot
        self._pending_snapshot = None

    async def read_snapshot(self) -> AsyncIterator[bytes]:
        for chunk in list(self._chunks):
            yield chunk

    async def truncate(self, through: int) -> None:
        await Wait(0.2 + self._draw.random())
        while len(self._rows) > 1 and self._rows[0][0] <= through:
            del self._rows[0]

    async def tidy(self) -> None:
        return None

    @property
    def untidy(self) -> bool:
        return False

    async def close(self) -> None:
        return None

    def statistics(self) -> LogStatistics:
        return LogStatistics(sum(row[1] for row in self._rows), 0, 0)

    def crash(self) -> None:
        """The power goes: what was under way is lost, kept, or there in part."""
        row, self._pending = self._pending, None
        if row is not None:
            last, count, data = row
            fate = self._draw.random()
            if fate < 0.3:
                self._rows.append(row)
            elif fate < 0.6:
                self._rows.append((last, count, data[: self._draw.randrange(len(data))]))
            elif fate < 0.7:
                torn = bytearray(data)
                torn[self._draw.randrange(len(data))] ^= 1 << self._draw.randrange(8)
                self._rows.append((last, count, bytes(torn)))
        snapshot, self._pending_snapshot = self._pending_snapshot, None
        if snapshot is not None and self._draw.random() < 0.5:
            self._mark, self._chunks = snapshot
