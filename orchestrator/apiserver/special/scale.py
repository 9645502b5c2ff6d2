"""``scale``: the replicas of a workload seen as an ``autoscaling/v1`` Scale, read and written."""

from __future__ import annotations

from typing import Any

import orjson

from orchestrator.api.check import check
from orchestrator.api.custom.definition import ScalePaths
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.copying import deep
from orchestrator.apimachinery.encoded import Encoded, Object
from orchestrator.apimachinery.field import Path, invalid
from orchestrator.apimachinery.selectors import selector_text
from orchestrator.apiserver.call import Call, Environment, answer
from orchestrator.apiserver.objects import check_kind
from orchestrator.apiserver.storage import encoded_of
from orchestrator.apiserver.verbs.patch import patch_document, unfit
from orchestrator.apiserver.verbs.update import update_object
from orchestrator.apiserver.write import Write
from orchestrator.client.protocol import Response, Verb
from orchestrator.store.protocol import Value

SCALE = ("autoscaling", "v1", "Scale")
KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(obj: Object, paths: ScalePaths | None = None) -> Object:
    """``paths``: where a custom kind keeps what is shown."""
    metadata, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    if paths is not None:
        spec = {"replicas": at(obj, paths.replicas) or 0}
        status = {"replicas": at(obj, paths.status_replicas) or 0}
    scale: Object = {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: metadata[key] for key in KEPT if key in metadata},
        "spec": {"replicas": spec.get("replicas", 0)},
        "status": {"replicas": status.get("replicas", 0)},
    }
    text = _selector(spec.get("selector")) if paths is None else at(obj, paths.selector) or ""
    if text:
        scale["status"]["selector"] = text
    return scale


def at(obj: Object, path: str) -> Any:
    """What stands at a plain path as ``.spec.replicas``; None: nothing."""
    value: Any = obj
    for name in path.strip(".").split(".") if path else ("",):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def put_at(obj: Object, path: str, value: Any) -> None:
    """Set it, making what is not there on the way."""
    *above, last = path.strip(".").split(".")
    for name in above:
        obj = obj.setdefault(name, {})
    obj[last] = value


def _paths(call: Call) -> ScalePaths | None:
    custom = call.resource.custom
    return None if custom is None else custom.scale


def _selector(selector: Object | None) -> str:
    if selector is None:
        return ""
    if "matchLabels" in selector or "matchExpressions" in selector:
        return selector_text(selector)
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))


async def get_scale(env: Environment, call: Call) -> Response:
    value = (await env.storage.get([call.key])).values[0]
    if value is None:
        raise call.not_found()
    return answer(scale_of(encoded_of(value).decode(), _paths(call)))


def prepare_scale(env: Environment, call: Call, current: Value | None) -> Write:
    """An update or patch of the Scale is an update of ``spec.replicas``."""
    if current is None:
        raise call.not_found()
    old = encoded_of(current).decode()
    paths = _paths(call)
    before = scale_of(old, paths)
    body = call.body()
    if call.verb == Verb.PATCH:
        body = patch_document(env, call, before, body, SCALE)
    if not isinstance(body, dict):
        raise errors.bad_request("the body of the request is no Scale")
    check_kind(env.schema, "autoscaling/v1", "Scale", body)
    asked = (body.get("metadata") or {}).get("resourceVersion") or ""
    if asked and asked != str(current.mod_revision):
        raise call.conflict()
    replicas = _replicas(call, _checked(env, call, body))
    obj = deep(old)
    put_at(obj, paths.replicas if paths is not None else "spec.replicas", replicas)
    expect = current.mod_revision if asked and call.verb != Verb.PATCH else 0
    write = update_object(env, call, obj, current, expect, patched=not expect)
    write.respond = lambda encoded: _respond(encoded, call)
    return write


def _checked(env: Environment, call: Call, body: Object) -> Object:
    result = check(body, env.schema.type(*SCALE))
    scale: Object = result.obj
    if result.errors and call.verb == Verb.PATCH:
        raise unfit(orjson.dumps(body).decode(), result.errors[0])
    if result.errors:
        raise errors.bad_request(f'Scale in version "v1" cannot be handled as a Scale: {result.errors[0]}')
    return scale


def _replicas(call: Call, scale: Object) -> int:
    replicas: int = (scale.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        wrong = invalid(Path("spec").child("replicas"), replicas, "must be greater than or equal to 0")
        raise errors.invalid("autoscaling", "Scale", call.name, [wrong])
    return replicas


def _respond(encoded: Encoded, call: Call) -> Response:
    return answer(scale_of(encoded.decode(), _paths(call)), 200, call.warnings)
