"""``pods/binding``: the scheduler's word becomes ``spec.nodeName``, once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Encoded, Object, decode_part, encode_part
from orchestrator.apimachinery.meta import rfc3339
from orchestrator.apiserver.call import Call, Environment, answer
from orchestrator.apiserver.keys import object_key
from orchestrator.apiserver.objects import typed_body
from orchestrator.apiserver.storage import encoded_of
from orchestrator.apiserver.verbs.status import rests
from orchestrator.apiserver.write import Write
from orchestrator.store.protocol import Change, Value

MAX_BOUND = 2048
"""Parts of bound pods that are kept by what they were made of."""
CREATED = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def prepare_binding(env: Environment, call: Call, current: Value | None) -> Write:
    binding = call.body() or {}
    if not _is_binding(binding):
        binding = typed_body(env, call, ("", "v1", "Binding"))
    name = call.name or (binding.get("metadata") or {}).get("name", "")
    if call.name and (binding.get("metadata") or {}).get("name") != call.name:
        raise errors.bad_request("name in URL does not match name in Binding object")
    node = (binding.get("target") or {}).get("name", "")
    if not node:
        raise errors.bad_request("target.name: Required value")
    if current is None:
        raise errors.not_found("", "pods", name)
    encoded = encoded_of(current)
    _check(binding, _marks(encoded.metadata), rests.decode(encoded.rest), name)
    new_metadata = _annotated(binding.get("metadata") or {}, encoded)
    status = _scheduled(encoded.status, rfc3339(call.now))
    made = Encoded(new_metadata or encoded.metadata, status, _bound(encoded.rest, node))
    fields = current.fields | {"spec.nodeName": node}
    change = Change(current.key, (new_metadata, made.status, made.rest), current.mod_revision, fields)
    return Write(made, change, retry=True, respond=lambda _: answer(CREATED, 201, call.warnings), key=current.key)


def _is_binding(body: Any) -> bool:
    """Whether the parts that are looked at are of their types: cheaper than asking the schema for each of thousands."""
    if not isinstance(body, dict):
        return False
    metadata, target = body.get("metadata") or {}, body.get("target") or {}
    if not isinstance(metadata, dict) or not isinstance(target, dict):
        return False
    return isinstance(metadata.get("name", ""), str) and isinstance(target.get("name", ""), str)


def binding_key(call: Call) -> str:
    """The pod's key: by path for ``pods/binding``, by the body's name for ``bindings``."""
    if call.name:
        return object_key("", "pods", call.namespace, call.name)
    body: Any = call.body() or {}
    name = (body.get("metadata") or {}).get("name", "") if _is_binding(body) else ""
    return object_key("", "pods", call.namespace, name)


class _Marks(msgspec.Struct):
    """What of a pod's metadata stands against a binding."""

    uid: str | None = None
    deletionTimestamp: str | None = None


_marks = msgspec.msgpack.Decoder(_Marks).decode


@lru_cache(MAX_BOUND)
def _bound(rest: bytes, node: str) -> bytes:
    """Replicas that go to one node share their bytes from then on."""
    body = rests.decode(rest)
    spec = {key: value for key, value in body["spec"].items() if key != "schedulingGates"}
    return encode_part({**body, "spec": spec | {"nodeName": node}})


@lru_cache(MAX_BOUND)
def _scheduled(status: bytes, now: str) -> bytes:
    return encode_part(scheduled(decode_part(status), now))


def _check(binding: Object, marks: _Marks, rest: Object, name: str) -> None:
    uid = (binding.get("metadata") or {}).get("uid")
    if uid and uid != marks.uid:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {marks.uid}"
        raise errors.conflict("", "pods/binding", name, why)
    if marks.deletionTimestamp:
        raise errors.conflict("", "pods/binding", name, f"pod {name} is being deleted, cannot be assigned to a host")
    bound = rest["spec"].get("nodeName")
    if bound:
        raise errors.conflict("", "pods/binding", name, f'pod {name} is already assigned to node "{bound}"')
    if rest["spec"].get("schedulingGates"):
        raise errors.conflict("", "pods/binding", name, f"pod {name} has non-empty .spec.schedulingGates")


def scheduled(status: Object, now: str) -> Object:
    """The status with PodScheduled true."""
    conditions = [one for one in status.get("conditions") or () if one.get("type") != "PodScheduled"]
    done = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
    return status | {"conditions": [*conditions, done]}


def _annotated(given: Object, encoded: Encoded) -> bytes | None:
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
