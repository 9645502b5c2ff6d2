"""One member's copy of the state machine behind its log: proposals go in, applied commands come out, durable first.

A group commit is one call of ``commit``: all commands that wait become entries of one append, one fsync.
"""

from __future__ import annotations

from orchestrator.raft.entry import Entry, HardState
from orchestrator.store.commands import Command, decode_command, encode_command
from orchestrator.store.log import Log
from orchestrator.store.machine import Applied, Machine


class Replica:
    """A group of one member: it leads itself, and what is on its disk is committed."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.machine = Machine()
        self.term = 0
        self.index = 0
        self.cut = ""

    async def open(self) -> None:
        """Read what the log has and bring the machine up to it."""
        recovered = await self.log.open()
        self.cut = recovered.cut
        self.index = recovered.snapshot.index
        for entry in recovered.entries:
            if entry.index > self.index:
                self.index = entry.index
                if entry.payload:
                    self.machine.apply(decode_command(entry.payload))
        self.term = recovered.state.term + 1
        self.index += 1
        await self.log.append(HardState(self.term, 1, self.index), [Entry(self.index, self.term)])

    async def commit(self, commands: list[Command]) -> list[Applied]:
        """Make the commands durable, apply them in order. Raises ``LogFailed``: their outcome is unknown then."""
        first = self.index + 1
        entries = [Entry(first + i, self.term, encode_command(command)) for i, command in enumerate(commands)]
        await self.log.append(HardState(self.term, 1, self.index), entries)
        self.index += len(entries)
        return [self.machine.apply(command) for command in commands]

    async def close(self) -> None:
        await self.log.close()
