"""Events that are equal but for what they are about are decoded, given owners and validated once.

A scheduler says of a thousand pods that each was bound. The first event takes the whole way; each that follows within
the second is read into a struct, whose types are the check, and takes over what came out but for the texts of its own:
its name, the name, uid and revision of its object, and the message. No rule of an event looks at those but the rule of
names, which is asked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from orchestrator.apimachinery.encoded import Encoded, Object
from orchestrator.apimachinery.names import dns_subdomain
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.keys import object_key
from orchestrator.apiserver.write import Write
from orchestrator.client.splice import extend
from orchestrator.store.protocol import Change

MAX_TEMPLATES = 128
"""Kept templates; the table is emptied when it is full."""
KINDS = frozenset((("", "v1", "events"),))
"""Events in the form of the core group: the other has other names for what is an event's own."""

_encode = msgspec.msgpack.Encoder().encode
_NAME, _UID = _encode("name"), _encode("uid")
_ANY = "x"
"""What stands for a text of its own in a key."""


class _Metadata(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    namespace: str = ""


class _About(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    kind: str = ""
    namespace: str = ""
    uid: str = ""
    apiVersion: str = ""
    resourceVersion: str = ""
    fieldPath: str = ""


class _Source(msgspec.Struct, forbid_unknown_fields=True):
    component: str = ""
    host: str = ""


class _Event(msgspec.Struct, forbid_unknown_fields=True):
    """An event as recorders write it; one with more takes the whole way."""

    metadata: _Metadata
    involvedObject: _About
    message: str
    source: _Source
    firstTimestamp: str
    lastTimestamp: str
    apiVersion: str = ""
    kind: str = ""
    reason: str = ""
    type: str = ""
    count: int = 0
    reportingComponent: str = ""
    reportingInstance: str = ""
    action: str = ""


_event = msgspec.msgpack.Decoder(_Event).decode

Key = tuple[str, str, str, bytes]


@dataclass(frozen=True, slots=True)
class _Template:
    """``metadata`` is encoded without name and uid; ``second`` is its creationTimestamp."""

    generation: int
    second: int
    metadata: bytes
    obj: Object
    rest: Object
    warnings: tuple[str, ...]


class EventTemplates:
    """What equal events have in common."""

    def __init__(self) -> None:
        self._known: dict[Key, _Template] = {}

    def write(self, env: Environment, call: Call) -> Write | None:
        """None: it has to go the whole way."""
        event = _read(call)
        if event is None:
            return None
        name, message, about = event.metadata.name, event.message, event.involvedObject
        own = {"name": about.name}
        if about.uid:
            own["uid"] = about.uid
        if about.resourceVersion:
            own["resourceVersion"] = about.resourceVersion
        template = self._known.get(_key(call, event))
        if template is None or template.generation != env.mirror.generation or template.second != int(call.now):
            return None
        metadata = extend(template.metadata, _NAME + _encode(name), _UID + _encode(env.uid()))
        rest = template.rest | {"involvedObject": template.rest["involvedObject"] | own, "message": message}
        encoded = Encoded(metadata, b"", _encode(rest))
        key = object_key(call.resource.group, call.resource.plural, call.namespace, name)
        change = Change(key, encoded.parts(), expect=0, fields={})
        call.warnings.extend(template.warnings)
        return Write(encoded, change, code=201, charge=template.obj, key=key)

    def remember(self, env: Environment, call: Call, write: Write, obj: Object) -> None:
        """Keep what an event came to."""
        event = _read(call)
        if event is None or write.change is None or write.change.fields or "status" in obj:
            return  # An index by something that is an event's own could not be shared.
        if len(self._known) >= MAX_TEMPLATES:
            self._known.clear()
        self._known[_key(call, event)] = _Template(
            env.mirror.generation,
            int(call.now),
            _encode({name: value for name, value in obj["metadata"].items() if name not in ("name", "uid")}),
            obj,
            {name: value for name, value in obj.items() if name != "metadata"},
            tuple(call.warnings),
        )


def _read(call: Call) -> _Event | None:
    """None: it is no event of the common form, or there is something to say about it."""
    if call.request.problems:
        return None
    try:
        event: _Event = _event(call.request.body)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    about = event.involvedObject
    return event if about.name and event.message and not dns_subdomain(event.metadata.name) else None


def _key(call: Call, event: _Event) -> Key:
    """Everything that the outcome depends on; ``event`` is used up."""
    about: Any = event.involvedObject
    event.metadata.name = event.message = about.name = _ANY
    about.uid, about.resourceVersion = about.uid and _ANY, about.resourceVersion and _ANY
    return call.namespace, call.manager, call.options.field_validation, _encode(event)
