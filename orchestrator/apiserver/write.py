"""What a write handler hands to the writer: one change of one key, and what to answer when it is done."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from orchestrator.apimachinery.encoded import Encoded, Object
from orchestrator.apiserver.call import Call, Environment
from orchestrator.client.protocol import Response
from orchestrator.store.protocol import Change, Value


class Write(msgspec.Struct):
    """The outcome of a handler's preparation.

    ``change`` None: nothing to write (a dry run, an update that changes nothing). ``retry``: a conflict is not the
    caller's, so prepare again from what stands now. ``respond`` makes the answer from the object as written; the
    default answers with the object. ``undo``: the write takes an address or a port, and this gives it back when the
    change is not done; ``view`` says which Services the server knew then. ``charge`` is what counts
    against quotas, the new object or one that is equal but for what is its own, ``credit`` the one before it.
    """

    encoded: Encoded | None
    change: Change | None = None
    code: int = 200
    retry: bool = False
    respond: Callable[[Encoded], Response] | None = None
    undo: Callable[[], None] | None = None
    view: int = 0
    charge: Object | None = None
    credit: Object | None = None
    key: str = ""
    generated: bool = False


Prepare = Callable[[Environment, Call, Value | None], Write]
"""A write handler: pure but for what it reserves. Raises ``StatusError``."""


class Pending(msgspec.Struct):
    """One write of a batch on its way, and its answer."""

    call: Call
    prepare: Prepare
    key: str
    position: int
    attempts: int = 0
    remembered: bool = False
    """Prepared from what the server remembers, not from a read of the store."""
    response: Response | None = None
    write: Write | None = None


def changed_parts(new: Encoded, old: Value | None) -> tuple[bytes | None, ...]:
    """The three parts, None for each that stands already in ``old``."""
    if old is None:
        return new.parts()
    return tuple(None if part == before else part for part, before in zip(new.parts(), old.parts, strict=True))
