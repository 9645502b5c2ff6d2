"""Why a write happened, as it is kept beside its revision."""

from __future__ import annotations

import msgspec

from actors import Trace

_encode = msgspec.msgpack.Encoder().encode


def cause_of(trace: Trace | None, actor: str) -> bytes:
    """MessagePack of ``[actor, key, parent revision]``; ``actor`` stands in where the trace names none."""
    if trace is None:
        return b""
    return _encode([trace.actor or actor, trace.key, trace.revision])
