"""A log on a disk that may lose, keep or tear what was not synced when its machine went down.

The rows are the bytes of the product's own batches, in its format or in the one before. Only the write that is under
way is at risk: each call returns after its sync.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Generator, Iterable
from typing import NamedTuple

from orchestrator.raft.entry import Entry, HardState, Mark
from orchestrator.store.batch import Damaged, decode_batch, encode_batch
from orchestrator.store.errors import LogCorrupt, UnknownFormat
from orchestrator.store.log import LogStatistics, Recovered
from orchestrator.store.schema import FORMAT
from orchestrator.store.upgrade import decode_batch_2, rewrite
from tests.store.older import encode_batch_2
from tests.store.simulation.tally import Tally


class Wait:
    """Awaited by a log: whoever drives the coroutine resumes it when so many milliseconds have passed."""

    __slots__ = ("milliseconds",)

    def __init__(self, milliseconds: float) -> None:
        self.milliseconds = milliseconds

    def __await__(self) -> Generator[Wait, None, None]:
        yield self


class _Row(NamedTuple):
    last: int
    """Index of its last entry, of the last before it when it has none."""
    entries: int
    data: bytes


class SimulatedLog:
    """The product's ``Log``."""

    def __init__(self, draw: random.Random, tally: Tally, software: int) -> None:
        """``software``: the format that the version knows which is to open it."""
        self._draw = draw
        self._tally = tally
        self.software = self.format = software
        self.slow = draw.choice([1.0, 4.0, 15.0])
        """The longest usual sync in milliseconds."""
        self._rows: list[_Row] = []
        self._mark = Mark()
        self._chunks: list[bytes] = []
        self._seal: int | None = None
        self._pending: _Row | None = None
        self._pending_snapshot: tuple[Mark, list[bytes]] | None = None
        self._pending_upgrade: list[_Row] | None = None

    async def open(self) -> Recovered:
        if self.format > self.software:
            raise UnknownFormat("the simulated log", self.format, self.software)
        state, entries, cut = HardState(), list[Entry](), ""
        self._seal = None
        for number, row in enumerate(self._rows):
            try:
                state, found = self._read(row.data)
            except Damaged as error:
                if number + 1 < len(self._rows):
                    raise LogCorrupt("the simulated log", error.where, error.expected, error.found) from error
                cut = str(error)
                del self._rows[number:]
                break
            if found:
                if entries and found[0].index > entries[-1].index + 1:
                    entries.clear()
                if entries:
                    del entries[found[0].index - entries[0].index :]
                entries += found
        if self.format < self.software:
            await self._upgrade()
        return Recovered(state, self._mark, entries, cut)

    def _read(self, data: bytes) -> tuple[HardState, list[Entry]]:
        if self.format < FORMAT:
            return decode_batch_2(data)
        batch = decode_batch(data, self._seal)
        self._seal = batch.seal
        return batch.state, batch.entries

    async def _upgrade(self) -> None:
        """As the product does: all rows in one transaction."""
        upgraded, seal = [], 0
        for last, count, data in self._rows:
            data, seal = rewrite(data, seal)
            upgraded.append(_Row(last, count, data))
        self._pending_upgrade = upgraded
        await Wait(1.0 + self._draw.random() * 4 * self.slow)
        self._take_upgrade(upgraded)
        self._seal = seal
        self._tally.happened("log upgraded")

    def _take_upgrade(self, upgraded: list[_Row]) -> None:
        self._rows, self.format, self._pending_upgrade = upgraded, FORMAT, None

    async def append(self, state: HardState, entries: list[Entry]) -> None:
        last = entries[-1].index if entries else (self._rows[-1].last if self._rows else 0)
        if self.format < FORMAT:
            data, seal = encode_batch_2(state, entries), None
        else:
            data, seal = encode_batch(state, entries, self._seal or 0)
        row = self._pending = _Row(last, len(entries), data)
        await Wait(0.2 + self._draw.random() * self.slow)
        self._pending, self._seal = None, seal
        self._rows.append(row)

    async def save_snapshot(self, mark: Mark, chunks: Iterable[bytes]) -> None:
        self._pending_snapshot = (mark, list(chunks))
        await Wait(1.0 + self._draw.random() * 4 * self.slow)
        self._mark, self._chunks = self._pending_snapshot
        self._pending_snapshot = None
        self._tally.happened("snapshot written")

    async def read_snapshot(self) -> AsyncIterator[bytes]:
        for chunk in list(self._chunks):
            yield chunk

    async def truncate(self, through: int) -> None:
        await Wait(0.2 + self._draw.random())
        while len(self._rows) > 1 and self._rows[0].last <= through:
            del self._rows[0]

    async def tidy(self) -> None:
        return None

    @property
    def untidy(self) -> bool:
        return False

    async def close(self) -> None:
        return None

    def statistics(self) -> LogStatistics:
        return LogStatistics(sum(row.entries for row in self._rows), 0, 0)

    def crash(self) -> None:
        """The power goes: what was under way is lost, kept, or there in part. A transaction is whole or not there."""
        row, self._pending = self._pending, None
        if row is not None:
            self._half_write(row)
        snapshot, self._pending_snapshot = self._pending_snapshot, None
        if snapshot is not None and self._survives("unsynced snapshot kept", "unsynced snapshot lost"):
            self._mark, self._chunks = snapshot
        upgraded, self._pending_upgrade = self._pending_upgrade, None
        if upgraded is not None and self._survives(
            "log upgraded when the power went", "log not upgraded when the power went"
        ):
            self._take_upgrade(upgraded)

    def _survives(self, kept: str, lost: str) -> bool:
        survives = self._draw.random() < 0.5
        self._tally.happened(kept if survives else lost)
        return survives

    def _half_write(self, row: _Row) -> None:
        data, fate = row.data, self._draw.random()
        if fate < 0.3:
            self._tally.happened("unsynced write kept")
        elif fate < 0.6:
            data = data[: self._draw.randrange(len(data))]
            self._tally.happened("unsynced write in part")
        elif fate < 0.7:
            torn = bytearray(data)
            torn[self._draw.randrange(len(data))] ^= 1 << self._draw.randrange(8)
            data = bytes(torn)
            self._tally.happened("unsynced write torn")
        else:
            self._tally.happened("unsynced write lost")
            return
        self._rows.append(row._replace(data=data))
