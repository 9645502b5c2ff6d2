"""``pods/binding``: the scheduler's word becomes ``spec.nodeName``, once."""

from __future__ import annotations

from typing import Any

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Encoded, Object, encode_part
from orchestrator.apimachinery.meta import rfc3339
from orchestrator.apiserver.call import Call, Environment, answer
from orchestrator.apiserver.keys import object_key
from orchestrator.apiserver.storage import encoded_of
from orchestrator.apiserver.write import Write
from orchestrator.store.protocol import Change, Value

CREATED = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def prepare_binding(env: Environment, call: Call, current: Value | None) -> Write:
    binding = call.body() or {}
    name = call.name or (binding.get("metadata") or {}).get("name", "")
    if call.name and (binding.get("metadata") or {}).get("name") != call.name:
        raise errors.bad_request("name in URL does not match name in Binding object")
    node = (binding.get("target") or {}).get("name", "")
    if not node:
        raise errors.bad_request("the binding names no node: target.name is required")
    if current is None:
        raise errors.not_found("", "pods", name)
    encoded = encoded_of(current)
    rest = encoded.decode_rest()
    metadata = encoded.decode_metadata()
    _check(binding, metadata, rest, name)
    rest["spec"] = rest["spec"] | {"nodeName": node}
    rest["spec"].pop("schedulingGates", None)
    status = scheduled(encoded.decode_status(), call.now)
    new_metadata = _annotated(metadata, binding.get("metadata") or {}, encoded)
    made = Encoded(new_metadata or encoded.metadata, encode_part(status), encode_part(rest))
    fields = current.fields | {"spec.nodeName": node}
    change = Change(current.key, (new_metadata, made.status, made.rest), current.mod_revision, fields)
    return Write(made, change, retry=True, respond=lambda _: answer(CREATED, 201, call.warnings), key=current.key)


def binding_key(call: Call) -> str:
    """The pod's key: by path for ``pods/binding``, by the body's name for ``bindings``."""
    body: Any = {} if call.name else call.body() or {}
    name = call.name or (body.get("metadata") or {}).get("name", "")
    return object_key("", "pods", call.namespace, name)


def _check(binding: Object, metadata: Object, rest: Object, name: str) -> None:
    uid = (binding.get("metadata") or {}).get("uid")
    if uid and uid != metadata.get("uid"):
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {metadata.get('uid')}"
        raise errors.conflict("", "pods/binding", name, why)
    if metadata.get("deletionTimestamp"):
        raise errors.conflict("", "pods/binding", name, f"pod {name} is being deleted, cannot be assigned to a host")
    bound = rest["spec"].get("nodeName")
    if bound:
        raise errors.conflict("", "pods/binding", name, f'pod {name} is already assigned to node "{bound}"')
    if rest["spec"].get("schedulingGates"):
        raise errors.conflict("", "pods/binding", name, f"pod {name} has non-empty .spec.schedulingGates")


def scheduled(status: Object, now: float) -> Object:
    """The status with PodScheduled true."""
    conditions = [one for one in status.get("conditions") or () if one.get("type") != "PodScheduled"]
    done = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": rfc3339(now)}
    return status | {"conditions": [*conditions, done]}


def _annotated(metadata: Object, given: Object, encoded: Encoded) -> bytes | None:
    annotations, labels = given.get("annotations"), given.get("labels")
    if not annotations and not labels:
        return None
    plain = encoded.decode_metadata()
    plain.pop("resourceVersion", None)
    if annotations:
        plain["annotations"] = (plain.get("annotations") or {}) | annotations
    if labels:
        plain["labels"] = (plain.get("labels") or {}) | labels
    return encode_part(plain)
