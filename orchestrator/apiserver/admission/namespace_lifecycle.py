"""NamespaceLifecycle: nothing is made in a namespace that is not there or goes, and the first namespaces stay."""

from __future__ import annotations

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.keys import object_key

IMMORTAL = frozenset(("default", "kube-system", "kube-public"))


def check_namespace(env: Environment, call: Call, obj: Object, old: Object | None) -> None:
    if old is not None or not call.resource.namespaced:
        return
    check_live(env, call, (obj.get("metadata") or {}).get("name", ""))


def check_live(env: Environment, call: Call, name: str) -> None:
    """Raises NotFound, or Forbidden with the cause that controllers look for."""
    namespace = env.mirror.get(object_key("", "namespaces", "", call.namespace))
    if namespace is None:
        raise errors.not_found("", "namespaces", call.namespace)
    if not namespace["metadata"].get("deletionTimestamp"):
        return
    text = f"namespace {call.namespace} is being terminated"
    error = call.forbidden(
        f"unable to create new content in namespace {call.namespace} because it is being terminated", name
    )
    cause = {"reason": "NamespaceTerminating", "message": text, "field": "metadata.namespace"}
    error.status["details"]["causes"] = [cause]
    raise error


def check_deletable(call: Call) -> None:
    """Raises Forbidden for a delete of one of the first namespaces."""
    if call.resource.kind == "Namespace" and call.name in IMMORTAL:
        raise call.forbidden("this namespace may not be deleted")
