"""One member's copy of the state machine behind its log: proposals go in, applied commands come out, durable first.

A group commit is one call of ``commit``: all commands that wait become entries of one append, one fsync. What is to be
written and when it counts the consensus core says; this module does it, in the core's order.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.raft.core import Raft
from orchestrator.raft.entry import Entry, Mark
from orchestrator.raft.ready import Ready
from orchestrator.raft.settings import Settings
from orchestrator.store.commands import Command, decode_command, encode_command
from orchestrator.store.log import Log
from orchestrator.store.machine import Applied, Machine
from orchestrator.store.snapshot import Loading, dump

SNAPSHOT_ENTRIES = 100_000
"""Entries in the log after which a snapshot is due: replaying them takes a second at most."""
SNAPSHOT_BYTES = 64 << 20
"""Bytes in the log after which a snapshot is due, or the last snapshot's if that is more: a byte is written twice."""


class Replica:
    """A group of one member: it leads itself, and what is on its disk is committed."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.machine = Machine()
        self.cut = ""
        """What the log lost off its end when it was opened; nothing in it was acknowledged."""
        self._raft: Raft | None = None
        self._proposed: dict[int, Command] = {}
        # What this member proposed itself, by index: it need not be decoded again.
        self._snapshot_bytes = 0

    @property
    def raft(self) -> Raft:
        assert self._raft is not None, "the replica is open"
        return self._raft

    async def open(self) -> None:
        """Read what the log has, bring the machine up to it, and lead. Raises the ``LogError`` of the log."""
        recovered = await self.log.open()
        self.cut = recovered.cut
        if recovered.snapshot.index:
            await self._load()
        settings = Settings(member=1, voters=(1,), jitter=_no_jitter)
        self._raft = Raft(settings, recovered.state, recovered.snapshot, recovered.entries)
        self._raft.campaign()
        await self._run()

    async def commit(self, commands: list[Command]) -> list[Applied]:
        """Make the commands durable, apply them in order. Raises ``LogFailed``: their outcome is unknown then."""
        first = self.raft.propose([encode_command(command) for command in commands])
        self._proposed.update(enumerate(commands, first))
        applied = await self._run()
        return [applied[first + offset] for offset in range(len(commands))]

    @property
    def snapshot_due(self) -> bool:
        log = self.log.statistics()
        return log.entries >= SNAPSHOT_ENTRIES or log.bytes >= max(SNAPSHOT_BYTES, self._snapshot_bytes)

    async def snapshot(self) -> None:
        """Write the state as it is now, then forget the entries that led to it. Commits go on meanwhile."""
        log = self.raft.log
        term = log.term(log.applied)
        assert term is not None, "what is applied last is never forgotten"
        mark = Mark(log.applied, term)
        chunks = dump(self.machine)
        size = 0

        def measured() -> Iterator[bytes]:
            nonlocal size
            for chunk in chunks:
                size += len(chunk)
                yield chunk

        await self.log.save_snapshot(mark, measured())
        await self.log.truncate(mark.index)
        self._snapshot_bytes = size

    async def close(self) -> None:
        await self.log.close()

    async def _load(self) -> None:
        loading = Loading()
        async for chunk in self.log.read_snapshot():
            self._snapshot_bytes += len(chunk)
            loading.add(chunk)
        self.machine = loading.finish()

    async def _run(self) -> dict[int, Applied]:
        """Do what the core wants until it wants nothing; what was applied, by index."""
        applied: dict[int, Applied] = {}
        while (ready := self.raft.ready()) is not None:
            await self._write(ready)
            for entry in ready.committed:
                if entry.payload:
                    applied[entry.index] = self._apply(entry)
            self.raft.advance(ready)
        # One member has nobody to send older entries to.
        self.raft.log.forget(self.raft.log.applied)
        return applied

    async def _write(self, ready: Ready) -> None:
        if ready.must_write:
            await self.log.append(ready.state, ready.entries)

    def _apply(self, entry: Entry) -> Applied:
        command = self._proposed.pop(entry.index, None)
        return self.machine.apply(decode_command(entry.payload) if command is None else command)


def _no_jitter(ticks: int) -> int:
    """A single member competes with nobody."""
    return 0
