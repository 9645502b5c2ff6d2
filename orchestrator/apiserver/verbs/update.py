"""Update: the object as the caller wants it, over what stands; the same for a patch once it is applied."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.api.rules import Rules
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Object, encode
from orchestrator.apimachinery.field import FieldError, Path, invalid
from orchestrator.apiserver.admission.plugins import admit, validate_admission
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.managed import own_by_update
from orchestrator.apiserver.objects import decode_object, index_fields, revision_in, rules_of, settle_name
from orchestrator.apiserver.special.ephemeral import only_ephemeral, validate_ephemeral
from orchestrator.apiserver.special.kinds import after_admission, reserve
from orchestrator.apiserver.storage import encoded_of
from orchestrator.apiserver.verbs.create import create_object
from orchestrator.apiserver.write import Write, changed_parts
from orchestrator.store.protocol import Change, Value

Undo = Callable[[], None] | None

SERVER_METADATA = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")


def prepare_update(env: Environment, call: Call, current: Value | None) -> Write:
    obj = decode_object(env, call, call.body())
    settle_name(call, obj["metadata"])
    if current is None:
        return _create_instead(env, call, obj)
    return update_object(env, call, obj, current, revision_in(obj["metadata"], call))


def _create_instead(env: Environment, call: Call, obj: Object) -> Write:
    if call.subresource or not rules_of(call.resource).create_on_update:
        raise call.not_found()
    if obj["metadata"].pop("resourceVersion", None):
        raise call.conflict()
    return create_object(env, call, obj)


def update_object(
    env: Environment,
    call: Call,
    obj: Object,
    current: Value,
    expect: int,
    *,
    applied: bool = False,
    patched: bool = False,
) -> Write:
    """A write of ``obj`` over ``current``. ``expect`` 0: whatever stands, again and again until it is done."""
    old = encoded_of(current).decode()
    sent_uid = obj["metadata"].get("uid") if patched else None
    if not patched:
        check_preconditions(call, obj, old, current, expect)
    if not expect and not patched and not rules_of(call.resource).unconditional_update:
        raise unversioned(call)
    metadata = obj["metadata"] = obj["metadata"] | {"resourceVersion": str(current.mod_revision)}
    for key in SERVER_METADATA:
        if key in old["metadata"]:
            metadata[key] = old["metadata"][key]
        else:
            metadata.pop(key, None)
    if sent_uid and not applied:
        metadata["uid"] = sent_uid  # A patch may not change it, which validation says.
    its = rules_of(call.resource)
    if not applied:
        own_by_update(env, call, old, obj)
    admit(env, call, obj, old)
    if call.subresource == "status":
        its.prepare_status(obj, old)
    else:
        if call.subresource == "ephemeralcontainers":
            only_ephemeral(obj, old)
        its.prepare_update(obj, old)
    after_admission(env, call, obj, old)
    undo = reserve(env, call, obj, old)
    try:
        found = validator_of(call, its)(obj, old)
        if found:
            raise errors.invalid(call.resource.group, call.resource.kind, call.name, found)
        validate_admission(env, call, obj, old)
    except errors.StatusError:
        if undo is not None:
            undo()
        raise
    return finish_update(call, obj, old, current, expect, undo)


def validator_of(call: Call, its: Rules) -> Callable[[Object, Object], list[FieldError]]:
    match call.subresource:
        case "status":
            return its.validate_status
        case "ephemeralcontainers":
            return validate_ephemeral
    return its.validate_update


def check_preconditions(call: Call, obj: Object, old: Object, current: Value, expect: int) -> None:
    if expect and expect != current.mod_revision:
        raise call.conflict()
    uid, stands = obj["metadata"].get("uid"), old["metadata"].get("uid")
    if uid and uid != stands:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {stands}"
        raise errors.conflict(call.resource.group, call.resource.plural, call.name, why)


def unversioned(call: Call) -> errors.StatusError:
    """An update of a kind that is never overwritten unseen."""
    resource = call.resource
    wrong = invalid(Path("metadata").child("resourceVersion"), 0, "must be specified for an update")
    return errors.invalid(resource.group, resource.kind, call.name, [wrong])


def finish_update(call: Call, obj: Object, old: Object, current: Value, expect: int, undo: Undo = None) -> Write:
    """The change itself: a delete when the last finalizer went, nothing when nothing changed."""
    encoded = encode(obj)
    if is_released(obj):
        change = Change(current.key, None, expect=current.mod_revision)
        return Write(encoded, change, retry=not expect, key=current.key, credit=old)
    if same_but_times(obj, old):
        return Write(encoded_of(current), None, key=current.key, undo=undo)
    change = Change(
        current.key, changed_parts(encoded, current), current.mod_revision, index_fields(call.resource, obj)
    )
    return Write(
        encoded,
        change,
        retry=not expect,
        undo=undo,
        charge=obj,
        credit=old,
        key=current.key,
    )


def is_released(obj: Object) -> bool:
    """Marked for deletion, held by no finalizer, and its grace is over."""
    metadata = obj["metadata"]
    if not metadata.get("deletionTimestamp") or metadata.get("finalizers"):
        return False
    if metadata.get("deletionGracePeriodSeconds"):
        return False
    return not (obj.get("kind") == "Namespace" and (obj.get("spec") or {}).get("finalizers"))


def same_but_times(new: Object, old: Object) -> bool:
    """Whether a write would change nothing but the times of managed fields."""
    if new == old:
        return True
    for key in new.keys() | old.keys():
        if key != "metadata" and new.get(key) != old.get(key):
            return False
    left, right = new["metadata"], old["metadata"]
    for key in left.keys() | right.keys():
        if key not in ("managedFields", "resourceVersion") and left.get(key) != right.get(key):
            return False
    return _timeless(left.get("managedFields")) == _timeless(right.get("managedFields"))


def _timeless(entries: list[Object] | None) -> list[Object]:
    return [{key: value for key, value in entry.items() if key != "time"} for entry in entries or ()]
