"""What is done to a log until the power goes, and what it must hold afterwards: all that was acknowledged.

The operation under way at the cut may have happened or not, but whole.
"""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.raft.entry import Entry, HardState, Mark
from orchestrator.store.errors import LogFailed
from orchestrator.store.log import Recovered
from orchestrator.store.sqlite_log import SqliteLog
from tests.store.older import write_log

OPERATIONS = 14
"""Of one life; some of them are several statements."""


class Violation(Exception):
    """Something acknowledged is lost or damaged."""


@dataclass
class Content:
    """What the log holds, as far as a reader can tell."""

    state: HardState = field(default_factory=HardState)
    mark: Mark = field(default_factory=Mark)
    chunks: list[bytes] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    """Those after the mark."""


class Workload:
    """``sure`` is what was acknowledged; ``perhaps`` the same with the operation under way."""

    def __init__(self, random: random.Random) -> None:
        self._random = random
        self.sure = Content()
        self.perhaps = Content()
        self.acknowledged = 0

    def begin_older(self, path: str) -> None:
        """The log begins as an older version left it."""
        dice = self._random
        entries = [Entry(n, 1, dice.randbytes(dice.choice((0, 40, 5_000)))) for n in range(1, dice.randint(2, 40))]
        cuts = sorted(dice.randrange(len(entries)) for _ in range(dice.randint(0, 3)))
        ends = [*cuts, len(entries)]
        appends = [(HardState(1, 1, 0), entries[start:end]) for start, end in zip([0, *cuts], ends, strict=True)]
        chunk = dice.randbytes(3_000)
        snapshot = (1, 1, [chunk]) if dice.random() < 0.5 else None
        write_log(Path(path), dice.choice((1, 2)), appends, snapshot)
        kept = entries if snapshot is None else entries[1:]
        mark, chunks = (Mark(), list[bytes]()) if snapshot is None else (Mark(1, 1), [chunk])
        self.sure = Content(HardState(1, 1, 0), mark, chunks, kept)
        self.perhaps = deepcopy(self.sure)

    async def run(self, log: SqliteLog) -> None:
        """Until the power goes."""
        for _ in range(OPERATIONS):
            self.perhaps = deepcopy(self.sure)
            try:
                await self._step(log)
            except LogFailed:
                return
            self.sure = self.perhaps

    async def verify(self, log: SqliteLog, found: Recovered) -> None:
        """Raises ``Violation``, or takes what was found as what is sure from now on."""
        chunks = [chunk async for chunk in log.read_snapshot()]
        after = [entry for entry in found.entries if entry.index > found.snapshot.index]
        content = Content(found.state, found.snapshot, chunks, after)
        if content not in (self.sure, self.perhaps):
            raise Violation(
                f"acknowledged {_facts(self.sure)}, under way {_facts(self.perhaps)}, found {_facts(content)}"
            )
        self.sure = content

    async def _step(self, log: SqliteLog) -> None:
        dice = self._random.random()
        if dice < 0.75 or not self.perhaps.entries:
            await self._append(log)
        elif dice < 0.85:
            await self._snapshot(log)
        else:
            await log.tidy()

    async def _append(self, log: SqliteLog) -> None:
        content, dice = self.perhaps, self._random
        last = content.entries[-1].index if content.entries else content.mark.index
        term, first = content.state.term or 1, last + 1
        if content.entries and dice.random() < 0.1:
            # A leader of a later term replaces what was not committed.
            term, first = term + 1, dice.randint(content.entries[0].index, last)
        size = dice.choice((0, 40, 900, 5_000, 30_000))
        new = [Entry(first + n, term, dice.randbytes(size)) for n in range(dice.randint(0, 3))]
        content.state = HardState(term, dice.randint(0, 3), content.mark.index)
        if new:
            content.entries = [entry for entry in content.entries if entry.index < first] + new
        await log.append(content.state, new)
        self.acknowledged += 1

    async def _snapshot(self, log: SqliteLog) -> None:
        content, dice = self.perhaps, self._random
        at = dice.choice(content.entries)
        content.mark = Mark(at.index, at.term)
        content.chunks = [dice.randbytes(dice.choice((10, 3_000, 40_000))) for _ in range(dice.randint(1, 3))]
        content.entries = [entry for entry in content.entries if entry.index > at.index]
        await log.save_snapshot(content.mark, content.chunks)
        # Durable from here on, whatever becomes of the entries that it covers.
        self.sure = deepcopy(content)
        await log.truncate(content.mark.index)


def _facts(content: Content) -> str:
    entries = [f"{entry.index}@{entry.term}:{len(entry.payload)}" for entry in content.entries]
    return f"[{content.state} after {content.mark}, {len(content.chunks)} chunks, {' '.join(entries)}]"
