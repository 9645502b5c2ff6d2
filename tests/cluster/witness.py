"""What the log of a cluster says happened: every revision, and why."""

from __future__ import annotations

import msgspec

from orchestrator.embedding import Cluster
from orchestrator.store.commands import decode_command
from orchestrator.store.history import Record
from orchestrator.store.machine import Machine


class Why(msgspec.Struct, frozen=True, array_like=True):
    """The cause as it is stored."""

    actor: str
    key: str
    revision: int


async def records(cluster: Cluster) -> list[Record]:
    """All revisions in order, from the entries of the log in memory."""
    assert cluster.memory is not None, "the cluster keeps its log in memory"
    recovered = await cluster.memory.open()
    machine = Machine()
    for entry in recovered.entries:
        if entry.payload:
            machine.apply(decode_command(entry.payload))
    return machine.history.after(0)


def why(record: Record) -> Why:
    return msgspec.msgpack.decode(record.cause, type=Why)


def chain(found: dict[int, Record], revision: int) -> list[tuple[str, Why]]:
    """(key, cause) from this revision back to where it all began."""
    steps = []
    while revision:
        cause = why(found[revision])
        steps.append((found[revision].value.key, cause))
        assert cause.revision < revision, "a cause is older than its effect"
        revision = cause.revision
    return steps
