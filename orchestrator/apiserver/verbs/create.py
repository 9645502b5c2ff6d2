"""Create: decode, default, admit, validate, and a change that demands that the key does not exist."""

from __future__ import annotations

from orchestrator.api.rules import Rules
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Object, encode
from orchestrator.apimachinery.meta import generate_name, rfc3339
from orchestrator.apiserver.admission.plugins import admit, validate_admission
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.keys import object_key
from orchestrator.apiserver.managed import own_by_update
from orchestrator.apiserver.objects import SYSTEM_METADATA, decode_object, index_fields, rules_of, settle_name
from orchestrator.apiserver.special.kinds import after_admission, reserve
from orchestrator.apiserver.write import Write
from orchestrator.store.protocol import Change, Value


def prepare_create(env: Environment, call: Call, current: Value | None) -> Write:
    """``current`` is looked at by a dry run only: else the store's condition decides."""
    alike = None if call.options.dry_run else env.templates.write(env, call)
    if alike is not None:
        return alike
    obj = decode_object(env, call, call.body())
    metadata = obj["metadata"]
    if metadata.get("resourceVersion"):
        raise errors.bad_request("resourceVersion should not be set on objects to be created")
    settle_name(call, metadata)
    write = create_object(env, call, obj)
    if call.options.dry_run and current is not None and not write.generated:
        raise errors.already_exists(call.resource.group, call.resource.plural, obj["metadata"]["name"])
    env.templates.remember(env, call, write, obj)
    return write


def create_object(env: Environment, call: Call, obj: Object, *, applied: bool = False) -> Write:
    """A write that creates ``obj``, decoded and defaulted; ``applied``: its managed fields are set already."""
    metadata = obj["metadata"]
    for key in SYSTEM_METADATA:
        metadata.pop(key, None)
    its = rules_of(call.resource)
    generated = not metadata.get("name") and bool(metadata.get("generateName"))
    if generated:
        metadata["name"] = generate_name(metadata["generateName"], env.random)
    if not applied:
        metadata.pop("managedFields", None)
        own_by_update(env, call, None, obj)
    admit(env, call, obj, None)
    metadata["uid"] = env.uid()
    metadata["creationTimestamp"] = rfc3339(call.now)
    its.prepare_create(obj)
    after_admission(env, call, obj, None)
    undo = reserve(env, call, obj, None)
    try:
        _validate(call, its, obj)
        validate_admission(env, call, obj, None)
    except errors.StatusError:
        if undo is not None:
            undo()
        raise
    key = object_key(call.resource.group, call.resource.plural, call.namespace, metadata["name"])
    encoded = encode(obj)
    change = Change(key, encoded.parts(), expect=0, fields=index_fields(call.resource, obj))
    return Write(encoded, change, code=201, retry=generated, undo=undo, charge=obj, key=key, generated=generated)


def _validate(call: Call, its: Rules, obj: Object) -> None:
    found = its.validate(obj) if call.served is None else rules_of(call.served).validate(obj)
    if found:
        resource = call.resource
        raise errors.invalid(resource.group, resource.kind, obj["metadata"].get("name", ""), found)
