"""The chain of causes behind a revision, read from the history. Pure."""

from __future__ import annotations

import msgspec

from orchestrator.store.machine import Machine
from orchestrator.store.protocol import Parts, Step

MAX_STEPS = 32
"""An apply reaches a ready address in seven; a longer chain is cut."""


class _Cause(msgspec.Struct, frozen=True, array_like=True):
    """A cause as it is stored: who, because of which key, at which revision."""

    actor: str
    key: str
    revision: int


_decode = msgspec.msgpack.Decoder(_Cause).decode


def causes(machine: Machine, revision: int) -> list[Step]:
    """The write at ``revision``, then what caused it, back to the beginning or to the end of what is kept."""
    found: list[Step] = []
    while revision and len(found) < MAX_STEPS:
        record = machine.history.record(revision)
        if record is None:
            break
        cause = _decode(record.cause) if record.cause else _Cause("", "", 0)
        found.append(Step(record.revision, record.value.key, cause.actor, cause.revision, record.deleted))
        revision = cause.revision
    return found


def changed(machine: Machine, key: str, limit: int) -> list[tuple[int, Parts]]:
    """The newest values of ``key``, oldest first, with the revision of each."""
    values = machine.history.values(key)
    live = machine.live.get(key)
    if live is not None:
        values.append(live)
    return [(value.mod_revision, value.parts) for value in values[-limit:]]
