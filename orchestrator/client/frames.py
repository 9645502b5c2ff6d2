"""The events of a watch's frame, decoded once for all in a process that look into it.

The store hands one frame to everybody who watches the same keys. Whoever keeps what a frame held, or looks something up
by its bytes, does so with the objects that the others have already, whose hashes are known.
"""

from __future__ import annotations

from functools import partial
from weakref import ref

from orchestrator.store.protocol import Changes, Event

_decoded: dict[int, tuple[ref[memoryview], list[Event]]] = {}
# By the frame's identity; gone with the frame, when the last who was sent it has looked.


def events_of(frame: Changes) -> list[Event]:
    """``frame.events``, for those whose frames go to others too. The list is shared: never write to it."""
    encoded = frame.encoded
    number = id(encoded)
    found = _decoded.get(number)
    if found is not None:
        return found[1]
    events = frame.events
    _decoded[number] = ref(encoded, partial(_drop, number)), events
    return events


def _drop(number: int, _: object) -> None:
    _decoded.pop(number, None)
