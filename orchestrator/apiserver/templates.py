"""Creates that are equal but for their generated name are decoded, defaulted, admitted and validated once.

A ReplicaSet's pods are hundreds of equal bodies. The first takes the whole way; what came out of it is kept, and each
that follows gets a name and a uid of its own, spliced into encoded metadata. A template holds only as long as nothing
changed that admission looks at (``Mirror.generation``) and for the second in which it was made, which is in its bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from orchestrator.apimachinery.encoded import Encoded, Object
from orchestrator.apimachinery.meta import generate_name
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.event_templates import KINDS, EventTemplates
from orchestrator.apiserver.keys import object_key
from orchestrator.apiserver.write import Write
from orchestrator.client.splice import extend
from orchestrator.store.protocol import Change

MAX_TEMPLATES = 128
"""Kept templates; the table is emptied when it is full."""

_encode = msgspec.msgpack.Encoder().encode
_NAME, _UID = _encode("name"), _encode("uid")
UNIQUE = frozenset(("Job", "Service"))
"""Kinds of which each object has something of its own: an address, its uid in a selector."""


@dataclass(frozen=True, slots=True)
class Template:
    """``metadata`` is encoded without name and uid; ``second`` is its creationTimestamp."""

    generation: int
    second: int
    base: str
    metadata: bytes
    status: bytes
    rest: bytes
    fields: dict[str, str] | None
    obj: Object
    warnings: tuple[str, ...]


Key = tuple[str, str, str, str, str, bytes]


class Templates:
    """What equal creates have in common."""

    def __init__(self) -> None:
        self._known: dict[Key, Template] = {}
        self._events = EventTemplates()

    def write(self, env: Environment, call: Call) -> Write | None:
        """The write of a create whose like was made before; None: it has to go the whole way."""
        if _is_event(call):
            return self._events.write(env, call)
        template = self._known.get(key_of(call))
        if template is None or template.generation != env.mirror.generation or template.second != int(call.now):
            return None
        name = generate_name(template.base, env.random)
        metadata = extend(template.metadata, _NAME + _encode(name), _UID + _encode(env.uid()))
        encoded = Encoded(metadata, template.status, template.rest)
        key = object_key(call.resource.group, call.resource.plural, call.namespace, name)
        change = Change(key, encoded.parts(), expect=0, fields=template.fields)
        call.warnings.extend(template.warnings)
        return Write(encoded, change, code=201, retry=True, charge=template.obj, key=key, generated=True)

    def remember(self, env: Environment, call: Call, write: Write, obj: Object) -> None:
        """Keep what a create by generated name, or of an event, came to."""
        if _is_event(call):
            self._events.remember(env, call, write, obj)
            return
        if not write.generated or write.encoded is None or write.change is None or call.resource.kind in UNIQUE:
            return
        if len(self._known) >= MAX_TEMPLATES:
            self._known.clear()
        metadata = {name: value for name, value in obj["metadata"].items() if name not in ("name", "uid")}
        self._known[key_of(call)] = Template(
            env.mirror.generation,
            int(call.now),
            obj["metadata"]["generateName"],
            _encode(metadata),
            write.encoded.status,
            write.encoded.rest,
            write.change.fields,
            obj,
            tuple(call.warnings),
        )


def _is_event(call: Call) -> bool:
    resource = call.resource
    return (resource.group, resource.version, resource.plural) in KINDS and call.served is None


def key_of(call: Call) -> Key:
    """Everything that the outcome of a create depends on, but for the state of the cluster and the time."""
    options = call.options
    return (
        call.resource.api_version,
        call.resource.plural,
        call.namespace,
        call.manager,
        options.field_validation,
        call.request.body,
    )
