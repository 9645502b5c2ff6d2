"""Why a write happened, as it is kept beside its revision."""

from __future__ import annotations

import msgspec

from actors import Trace
from orchestrator.client.protocol import Cause

_encode = msgspec.msgpack.Encoder().encode


def cause_of(trace: Trace | None, actor: str, own: Cause | None = None) -> bytes:
    """MessagePack of ``[actor, key, parent revision]``.

    ``actor``, the user who asks, stands in where the trace names none; a request's ``own`` cause goes before the
    trace's. Revision 0: it began here, with a request of that user or a timer of that actor.
    """
    if own is not None:
        return _encode([(trace and trace.actor) or actor, own.key, own.revision])
    if trace is None:
        return _encode([actor, "", 0])
    return _encode([trace.actor or actor, trace.key, trace.revision])
