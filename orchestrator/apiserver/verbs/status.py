"""Updates of the status subresource: the rest of the object is neither decoded from the body nor encoded again.

A node writes hundreds of statuses a second whose specs it only sends along. Only metadata and status are read from the
body; the rest is that of the object which stands, decoded once for all that share its bytes.
"""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Encoded, Object, decode_part, encode_part
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.managed import own_by_update
from orchestrator.apiserver.moulds import Cast, Moulds, cast_of
from orchestrator.apiserver.objects import check_kind, checked, index_fields, revision_in, rules_of, settle_name
from orchestrator.apiserver.storage import encoded_of
from orchestrator.apiserver.verbs.update import SERVER_METADATA, check_preconditions, is_released, same_but_times
from orchestrator.apiserver.write import Write, changed_parts
from orchestrator.client.splice import with_revision
from orchestrator.store.protocol import Change, Value

encode_value = msgspec.msgpack.Encoder().encode
decode_value = msgspec.msgpack.Decoder().decode

MAX_RESTS = 2048
"""Decoded rests that are kept, the least recently used go first. Pods of one template and node share one."""


_NULL = msgspec.Raw(encode_value(None))


class _Body(msgspec.Struct):
    """The parts stay bytes: metadata that is sent back as it was read is not looked into."""

    apiVersion: str = ""
    kind: str = ""
    metadata: msgspec.Raw = _NULL
    status: msgspec.Raw = _NULL


_body = msgspec.msgpack.Decoder(_Body).decode


class Rests:
    """Rests by their bytes. What is kept is published: nobody may change it."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Object] = OrderedDict()

    def decode(self, rest: bytes) -> Object:
        found = self._known.get(rest)
        if found is None:
            found = self._known[rest] = decode_part(rest)
            if len(self._known) > MAX_RESTS:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(rest)
        return found


rests = Rests()
moulds: Moulds[Cast] = Moulds()


def prepare_status(env: Environment, call: Call, current: Value | None) -> Write:
    """An update of the status by its whole object, as clients send it."""
    body = _read(call)
    if current is None or bytes(body.metadata) != with_revision(current.parts[0], current.mod_revision):
        return _prepare(env, call, current, body, as_read=False)
    check_kind(env.schema, call.resource.api_version, call.resource.kind, _named(body))
    cast = cast_of(rules_of(call.resource), call, current, bytes(body.status))
    known = None if cast is None else moulds.write(cast)
    if known is not None:
        return known
    write = _prepare(env, call, current, body, as_read=True)
    if cast is not None:
        moulds.remember(cast, write)
    return write


def _prepare(env: Environment, call: Call, current: Value | None, body: _Body, *, as_read: bool) -> Write:
    """``as_read``: its metadata is that which stands."""
    sent = _sent(env, call, body, as_read)
    if current is None:
        raise call.not_found()
    stands = encoded_of(current)
    rest = rests.decode(stands.rest)
    old = {**rest, "metadata": stands.decode_metadata()}
    if stands.status:
        old["status"] = stands.decode_status()
    if as_read:
        expect, metadata = current.mod_revision, dict(old["metadata"])
    else:
        expect = revision_in(sent["metadata"], call)
        check_preconditions(call, sent, old, current, expect)
        metadata = _metadata(sent["metadata"], old["metadata"])
    new = {**rest, "metadata": metadata}
    if sent.get("status") is not None:
        new["status"] = sent["status"]
    its = rules_of(call.resource)
    _own(env, call, old, new, as_read)
    its.prepare_status(new, old)
    # Metadata as it was read was good when it was written; the manager's name came with this request.
    named = bool(call.options.field_manager)
    found = its.check_status(new, old) if as_read and not named else its.validate_status(new, old)
    if found:
        raise errors.invalid(call.resource.group, call.resource.kind, call.name, found)
    return _write(call, current, stands, old, new, expect)


def _read(call: Call) -> _Body:
    try:
        return _body(call.request.body)
    except (msgspec.DecodeError, msgspec.ValidationError) as wrong:
        raise errors.bad_request(f"the body of the request is no object: {wrong}") from wrong


def _named(body: _Body) -> Object:
    return {"apiVersion": body.apiVersion, "kind": body.kind}


def _sent(env: Environment, call: Call, body: _Body, as_read: bool) -> Object:
    """Metadata and status of the body, with the right types; metadata only when it is not what was read."""
    resource = call.resource
    check_kind(env.schema, resource.api_version, resource.kind, _named(body))
    status = decode_value(body.status)
    parts: Object = {} if as_read else {"metadata": decode_value(body.metadata) or {}}
    if status is not None:
        parts["status"] = status
    sent = checked(env, call, parts, resource)
    if not as_read:
        sent.setdefault("metadata", {})
        settle_name(call, sent["metadata"])
    return sent


def _metadata(sent: Object, old: Object) -> Object:
    metadata = sent | {"resourceVersion": old["resourceVersion"]}
    for key in SERVER_METADATA:
        if key in old:
            metadata[key] = old[key]
        else:
            metadata.pop(key, None)
    return metadata


def _own(env: Environment, call: Call, old: Object, new: Object, as_read: bool) -> None:
    """Managed fields by metadata and status alone, or by status alone: nothing else can have changed."""
    before, after = _changing(old, as_read), _changing(new, as_read)
    own_by_update(env, call, before, after)
    if as_read:
        entries = after["metadata"].get("managedFields")
        if entries:
            new["metadata"]["managedFields"] = entries
        else:
            new["metadata"].pop("managedFields", None)


def _changing(obj: Object, as_read: bool) -> Object:
    metadata = obj["metadata"]
    if as_read:
        metadata = {"managedFields": metadata["managedFields"]} if "managedFields" in metadata else {}
    return {"metadata": metadata, "status": obj["status"]} if "status" in obj else {"metadata": metadata}


def _write(call: Call, current: Value, stands: Encoded, old: Object, new: Object, expect: int) -> Write:
    if is_released(new):
        return Write(stands, Change(current.key, None, current.mod_revision), retry=not expect, key=current.key)
    if same_but_times(new, old):
        return Write(stands, key=current.key)
    metadata = {key: value for key, value in new["metadata"].items() if key != "resourceVersion"}
    encoded = Encoded(encode_part(metadata), encode_part(new.get("status")), stands.rest)
    change = Change(current.key, changed_parts(encoded, current), current.mod_revision, _fields(call, new))
    return Write(encoded, change, retry=not expect, key=current.key)


def _fields(call: Call, new: Object) -> dict[str, str] | None:
    """None, as they stand, unless the store indexes the kind by something in its status."""
    if any(name.startswith("status.") for name in rules_of(call.resource).index):
        return index_fields(call.resource, new)
    return None
