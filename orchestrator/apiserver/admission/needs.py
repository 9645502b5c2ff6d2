"""The keys that admission will look up and the mirror does not have yet: they are read with the write's own key."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.keys import object_key
from orchestrator.client.protocol import PatchType, Verb


class _PodSpec(msgspec.Struct):
    serviceAccountName: str = ""
    priorityClassName: str = ""


class _Pod(msgspec.Struct):
    spec: _PodSpec | None = None


_pod = msgspec.msgpack.Decoder(_Pod).decode


Need = tuple[str, bytes]
"""A namespace and the body of a pod ("": what is made is none): calls of one need look up the same keys."""


def need_of(call: Call) -> Need | None:
    """None: the call needs no keys."""
    request = call.request
    if not call.namespace or not (request.verb == Verb.CREATE or request.patch_type is PatchType.APPLY):
        return None
    return call.namespace, request.body if call.resource.kind == "Pod" and not call.subresource else b""


def keys_needed(env: Environment, need: Need) -> Iterator[str]:
    """Keys of the namespace, and of a new pod's service account and priority class, as far as they are not mirrored."""
    namespace, body = need
    yield from _missing(env, object_key("", "namespaces", "", namespace))
    if body:
        spec = _spec_of(body)
        account = spec.serviceAccountName or "default"
        yield from _missing(env, object_key("", "serviceaccounts", namespace, account))
        if spec.priorityClassName:
            yield from _missing(env, object_key("scheduling.k8s.io", "priorityclasses", "", spec.priorityClassName))


def _spec_of(body: bytes) -> _PodSpec:
    try:
        return _pod(body).spec or _PodSpec()
    except (msgspec.DecodeError, msgspec.ValidationError):
        return _PodSpec()  # The handler's own decoding says what is wrong with it.


def _missing(env: Environment, key: str) -> Iterator[str]:
    if env.mirror.get(key) is None:
        yield key
