"""Delete: at once, or by a mark when finalizers or a pod's grace keep the object for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from orchestrator.api.check import check
from orchestrator.api.custom.catalog import is_established
from orchestrator.api.schema import schema
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Encoded, Object, decode_part, encode, encode_part
from orchestrator.apimachinery.meta import parse_time, rfc3339
from orchestrator.apimachinery.metadata import decode_lightly
from orchestrator.apimachinery.quoting import quote
from orchestrator.apiserver.call import Call, Environment, answer, stored
from orchestrator.apiserver.goword import TYPE_META, word_of
from orchestrator.apiserver.storage import encoded_of
from orchestrator.apiserver.verbs.status import rests
from orchestrator.apiserver.write import Write, changed_parts
from orchestrator.client.protocol import Options, Response, Want
from orchestrator.store.protocol import Change, Value

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
DEFAULT_POD_GRACE_SECONDS = 30
PROPAGATION = {"Orphan": ORPHAN, "Foreground": FOREGROUND, "Background": ""}

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""Holds a definition until its objects are gone."""


def prepare_delete(env: Environment, call: Call, current: Value | None) -> Write:
    options = delete_options(call)
    if options.dry_run and not call.options.dry_run:
        # Asked for by the body: from here on the request itself is a dry run.
        call.with_options(options)
    if current is None:
        raise call.not_found()
    obj = _shared(encoded_of(current))
    check_preconditions(call, options, obj)
    return delete_object(env, call, obj, current, options)


def _shared(stands: Encoded) -> Object:
    """The object to look at, not to change: what is neither metadata nor status is shared."""
    obj = {**rests.decode(stands.rest), "metadata": decode_lightly(stands.metadata, stands.revision)}
    if stands.status:
        obj["status"] = _phase(stands.status) if obj["kind"] == "Pod" else stands.decode_status()
    return obj


class _Phase(msgspec.Struct):
    phase: str | None = None


_decode_phase = msgspec.msgpack.Decoder(_Phase).decode


def _phase(status: bytes) -> Object:
    """All that a delete and a quota look at in a pod's status."""
    try:
        return {"phase": _decode_phase(status).phase}
    except msgspec.ValidationError:
        return decode_part(status)  # A custom kind may bear the name.


def delete_options(call: Call) -> Options:
    """The query parameters with what the body says over them. Raises BadRequest or Invalid for nonsense."""
    options = call.options
    body = call.body()
    if body is not None:
        options = with_body(options, checked_options(body))
    if options.propagation_policy and options.propagation_policy not in PROPAGATION:
        supported = 'supported values: "Foreground", "Background", "Orphan", "nil"'
        why = f"Unsupported value: {quote(options.propagation_policy)}: {supported}"
        raise _invalid_options("propagationPolicy", "NotSupported", why)
    return options


def checked_options(body: Any) -> Object:
    """DeleteOptions of right types. Raises BadRequest, or Invalid for what does not go together."""
    if not isinstance(body, dict):
        what = f"json: cannot unmarshal {word_of(body)} into {TYPE_META}"
        raise errors.bad_request(f"couldn't get version/kind; json parse error: {what}")
    kind, version = body.get("kind") or "DeleteOptions", body.get("apiVersion") or "v1"
    if kind != "DeleteOptions":
        where = f'for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
        raise errors.bad_request(f'no kind "{kind}" is registered {where}')
    result = check(body, schema().type("", "v1", "DeleteOptions"))
    if result.errors:
        raise errors.bad_request(result.errors[0])
    options: Object = result.obj
    asked = options.get("dryRun")
    if asked and any(one != "All" for one in asked):
        shown = f"[{' '.join(quote(one) for one in asked)}]"
        raise _invalid_options("dryRun", "NotSupported", f'Unsupported value: {shown}: supported values: "All"')
    if options.get("orphanDependents") is not None and options.get("propagationPolicy"):
        shown = quote(options["propagationPolicy"])
        why = f"Invalid value: {shown}: orphanDependents and deletionPropagation cannot be both set"
        raise _invalid_options("propagationPolicy", "Invalid", why)
    return options


def _invalid_options(field: str, reason: str, message: str) -> errors.StatusError:
    cause = {"reason": f"FieldValue{reason}", "message": message, "field": field}
    details = {"group": "meta.k8s.io", "kind": "DeleteOptions", "causes": [cause]}
    return errors.status(422, "Invalid", f'DeleteOptions.meta.k8s.io "" is invalid: {field}: {message}', details)


def with_body(options: Options, body: Object) -> Options:
    changes: Object = {}
    if body.get("gracePeriodSeconds") is not None:
        changes["grace_period_seconds"] = body["gracePeriodSeconds"]
    if body.get("propagationPolicy"):
        changes["propagation_policy"] = body["propagationPolicy"]
    elif body.get("orphanDependents") is not None:
        changes["propagation_policy"] = "Orphan" if body["orphanDependents"] else "Background"
    if body.get("dryRun"):
        changes["dry_run"] = True
    conditions = body.get("preconditions") or {}
    changes["precondition_uid"] = conditions.get("uid") or options.precondition_uid
    changes["precondition_resource_version"] = (
        conditions.get("resourceVersion") or options.precondition_resource_version
    )
    known = {field: getattr(options, field) for field in options.__struct_fields__}
    return Options(**(known | changes))


def check_preconditions(call: Call, options: Options, obj: Object) -> None:
    metadata = obj["metadata"]
    uid, revision = options.precondition_uid, options.precondition_resource_version
    name = metadata["name"]
    if uid and uid != metadata.get("uid"):
        why = (
            f"the UID in the precondition ({uid}) does not match the UID in record ({metadata.get('uid', '')}). "
            "The object might have been deleted and then recreated"
        )
        raise errors.conflict(call.resource.group, call.resource.kind, name, why)
    if revision and revision != metadata.get("resourceVersion"):
        why = (
            f"the ResourceVersion in the precondition ({revision}) does not match the ResourceVersion in record "
            f"({metadata.get('resourceVersion', '')}). The object might have been modified"
        )
        raise errors.conflict(call.resource.group, call.resource.kind, name, why)


def delete_object(env: Environment, call: Call, obj: Object, current: Value, options: Options) -> Write:
    """Marks the object, or removes it when nothing holds it."""
    metadata = dict(obj["metadata"])
    marked = obj | {"metadata": metadata}
    kind = obj["kind"] if call.resource.custom is None else ""
    policy = options.propagation_policy
    if not policy and kind in ORPHANING and not metadata.get("finalizers"):
        policy = "Orphan"
        if kind == "Job":
            call.warnings.append(PRESERVED)
    finalizers = finalizers_after(metadata.get("finalizers") or [], policy)
    if kind == "CustomResourceDefinition" and is_established(obj) and CLEANUP not in finalizers:
        finalizers = [*finalizers, CLEANUP]
    if finalizers:
        metadata["finalizers"] = finalizers
    else:
        metadata.pop("finalizers", None)
    grace = grace_seconds(obj, options) if kind == "Pod" else 0
    held = bool(finalizers) or (kind == "Namespace" and bool((obj.get("spec") or {}).get("finalizers")))
    if not held and grace == 0:
        return _remove(call, obj, current)
    if not mark(marked, metadata, grace, call.now):
        return Write(encoded_of(current), key=current.key)
    if kind == "Namespace":
        metadata.pop("deletionGracePeriodSeconds", None)
        marked["status"] = (obj.get("status") or {}) | {"phase": "Terminating"}
    encoded = _with_metadata(current, metadata)
    if kind == "Namespace":
        encoded = encode(marked)
    parts = changed_parts(encoded, current)
    if all(part is None for part in parts):
        return Write(encoded_of(current), key=current.key)
    change = Change(current.key, parts, current.mod_revision)
    return Write(encoded, change, retry=True, key=current.key)


def finalizers_after(finalizers: list[str], policy: str) -> list[str]:
    """``propagationPolicy`` as finalizers; without one the finalizers that are set decide."""
    if not policy:
        return finalizers
    kept = [name for name in finalizers if name not in (ORPHAN, FOREGROUND)]
    added = PROPAGATION[policy]
    return [*kept, added] if added else kept


def grace_seconds(obj: Object, options: Options) -> int:
    """Of a pod: one that is on no node, or is over, needs none."""
    spec = obj.get("spec") or {}
    if not spec.get("nodeName") or (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    asked = options.grace_period_seconds
    grace = spec.get("terminationGracePeriodSeconds", DEFAULT_POD_GRACE_SECONDS) if asked is None else asked
    return 1 if grace < 0 else int(grace)


def mark(marked: Object, metadata: Object, grace: int, now: float) -> bool:
    """Set the marks of deletion; False: they stand already. A second delete may only shorten the grace."""
    standing = metadata.get("deletionTimestamp")
    if standing:
        before = metadata.get("deletionGracePeriodSeconds") or 0
        if grace >= before:
            return bool(marked["metadata"].get("finalizers"))
        started = parse_time(standing) - before
        metadata["deletionTimestamp"] = rfc3339(max(started + grace, now))
    else:
        metadata["deletionTimestamp"] = rfc3339(now + grace)
        if "generation" in metadata:
            metadata["generation"] += 1
    metadata["deletionGracePeriodSeconds"] = grace
    return True


def _remove(call: Call, obj: Object, current: Value) -> Write:
    change = Change(current.key, None, current.mod_revision)
    encoded = encoded_of(current)
    if call.request.want is Want.REVISION:
        return Write(encoded, change, retry=True, credit=obj, key=current.key)
    if obj["kind"] == "Pod":
        last = obj | {"metadata": dict(obj["metadata"])}
        mark(last, last["metadata"], 0, call.now)
        encoded = _with_metadata(current, last["metadata"])
    return Write(encoded, change, retry=True, respond=_answer_of(call, obj), credit=obj, key=current.key)


def _with_metadata(current: Value, metadata: Object) -> Encoded:
    plain = {key: value for key, value in metadata.items() if key != "resourceVersion"}
    _, status, rest = current.parts
    return Encoded(encode_part(plain), status, rest)


def _answer_of(call: Call, obj: Object) -> Callable[[Encoded], Response]:
    metadata = obj["metadata"]
    if obj["kind"] in RETURNED:
        return lambda encoded: stored(encoded, 200, call.warnings)
    resource = call.served or call.resource
    status = errors.success(resource.group, resource.plural, metadata["name"], metadata.get("uid", ""))
    return lambda encoded: answer(status, 200, call.warnings)


ORPHANING = frozenset(("Job", "ReplicationController"))
"""Kinds whose dependents stay when a delete says nothing."""
PRESERVED = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or "
    "set propagationPolicy=Orphan to suppress this warning"
)
RETURNED = frozenset(
    (
        "CSIDriver",
        "CSINode",
        "DeviceClass",
        "Namespace",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "Pod",
        "PodTemplate",
        "ResourceClaim",
        "ResourceQuota",
        "Service",
        "ServiceAccount",
        "StorageClass",
        "VolumeAttachment",
        "VolumeAttributesClass",
    )
)
"""Kinds whose removal answers with the object (upstream's ``ReturnDeletedObject``) and not with a Status."""
