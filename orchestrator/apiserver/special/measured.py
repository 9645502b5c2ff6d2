"""``metrics.k8s.io``: what pods and nodes use, measured when somebody asks and never stored.

What is listed are the stored pods and nodes that the request selects, as far as they were measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from orchestrator.api.usage import Measured, node_metrics, pod_metrics
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Encoded, Object, encode
from orchestrator.apiserver.call import Call, Environment, stored
from orchestrator.apiserver.verbs.get import get
from orchestrator.apiserver.verbs.list import list_objects
from orchestrator.client.protocol import Response, Verb

METRICS_GROUP = "metrics.k8s.io"

_FORMS: dict[str, Callable[[Mapping[str, Any], Measured], Object]] = {"pods": pod_metrics, "nodes": node_metrics}


async def measured(env: Environment, call: Call) -> Response:
    """Get or list."""
    if env.measure is None:
        raise errors.service_unavailable("nothing measures this cluster")
    about = _about_stored(env, call)
    if call.verb == Verb.GET:
        return await _one(env, call, about)
    response = await list_objects(env, about)
    found = await _figures(env, call)
    items = [one for one in (_metrics(call, item, found) for item in response.items or ()) if one is not None]
    return msgspec.structs.replace(response, items=items)


async def _one(env: Environment, call: Call, about: Call) -> Response:
    try:
        held = (await get(env, about)).object
    except errors.StatusError as refusal:
        raise (call.not_found() if refusal.code == 404 else refusal) from refusal
    found = None if held is None else _metrics(call, held, await _figures(env, call))
    if found is None:
        raise call.not_found()
    return stored(found)


async def _figures(env: Environment, call: Call) -> Mapping[str, Measured]:
    assert env.measure is not None
    usage = await env.measure()
    return usage.pods if call.resource.plural == "pods" else usage.nodes


def _about_stored(env: Environment, call: Call) -> Call:
    """The same question about the pods or nodes themselves."""
    resource = env.schema.resource("", "v1", call.resource.plural)
    assert resource is not None
    target = msgspec.structs.replace(call.request.target, group="", version="v1")
    return call.about(resource, msgspec.structs.replace(call.request, target=target), call.served)


def _metrics(call: Call, item: Encoded, found: Mapping[str, Measured]) -> Encoded | None:
    metadata = item.decode_metadata()
    name, namespace = metadata["name"], metadata.get("namespace")
    figures = found.get(f"{namespace}/{name}" if namespace else name)
    return None if figures is None else encode(_FORMS[call.resource.plural](metadata, figures), 0)
