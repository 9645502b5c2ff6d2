"""Every revision of a run, from the entries of its log: what the observers read, and nothing else."""

from __future__ import annotations

from functools import cached_property

from orchestrator.apimachinery.encoded import Object, join
from orchestrator.store.commands import CompactTo, decode_command
from orchestrator.store.history import Record
from orchestrator.store.machine import Machine
from orchestrator.store.memory_log import MemoryLog


class Change:
    """One committed change. ``at`` is seconds of the cluster's wall clock."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.revision = record.revision
        self.key = record.value.key
        self.deleted = record.deleted
        self.at = record.at / 1000.0
        self.created = record.previous is None and not record.deleted
        self.resource = self.key.split("/")[1]

    @cached_property
    def whole(self) -> Object:
        metadata, status, rest = self.record.value.parts
        return join(metadata, status, rest, self.revision)

    def object(self) -> Object:
        return self.whole

    @property
    def namespace(self) -> str:
        return str(self.whole["metadata"].get("namespace", ""))

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]


async def changes(log: MemoryLog) -> list[Change]:
    """All changes in order. What was compacted is in the log all the same."""
    recovered = await log.open()
    assert recovered.snapshot.index == 0, "a run is shorter than what makes a snapshot"
    machine = Machine()
    for entry in recovered.entries:
        if entry.payload:
            command = decode_command(entry.payload)
            if not isinstance(command, CompactTo):
                machine.apply(command)
    return [Change(record) for record in machine.history.after(0)]
