"""Every revision of a run, from the entries of its log: what the observers read, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import msgspec

from orchestrator.apimachinery.encoded import Object, join
from orchestrator.store.commands import CompactTo, decode_command
from orchestrator.store.history import Record
from orchestrator.store.machine import Machine
from orchestrator.store.memory_log import MemoryLog


class Why(msgspec.Struct, frozen=True, array_like=True):
    """The cause of a change as it is stored."""

    actor: str = ""
    key: str = ""
    revision: int = 0


def why(change: Change) -> Why:
    return msgspec.msgpack.decode(change.record.cause, type=Why) if change.record.cause else Why()


OBJECT_PARTS = 3
"""What has another number is no object, but what API servers keep among themselves."""
BEHIND_CHANGES = 20
"""Members end one after another, and heartbeats go on meanwhile."""


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


def forked(logs: Sequence[Sequence[Change]]) -> Iterator[str]:
    """Where the logs of members differ, though all have come to rest."""
    for number, log in enumerate(logs[1:], 2):
        for one, other in zip(logs[0], log, strict=False):
            if (one.revision, one.key, one.record.value.parts) != (other.revision, other.key, other.record.value.parts):
                yield f"forked: at revision {one.revision} member 1 has {one.key}, member {number} {other.key}"
                return
        if abs(len(logs[0]) - len(log)) > BEHIND_CHANGES:
            yield f"forked: member 1 has {len(logs[0])} changes, member {number} {len(log)}"


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
    return [Change(record) for record in machine.history.after(0) if len(record.value.parts) == OBJECT_PARTS]
