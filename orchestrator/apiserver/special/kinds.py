"""Kinds that need more of the server than rules: a table from kind to what happens around a write."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.meta import rfc3339
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.special.ephemeral import check_pod
from orchestrator.apiserver.special.escalation import check_binding, check_role
from orchestrator.apiserver.special.services import reserve_service

Undo = Callable[[], None]

CHECKS: dict[tuple[str, str], Callable[[Environment, Call, Object, Object | None], None]] = {
    ("rbac.authorization.k8s.io", "Role"): check_role,
    ("", "Pod"): check_pod,
    ("rbac.authorization.k8s.io", "ClusterRole"): check_role,
    ("rbac.authorization.k8s.io", "RoleBinding"): check_binding,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): check_binding,
}


def after_admission(env: Environment, call: Call, obj: Object, old: Object | None) -> None:
    """Whatever must hold or be set once the object is as it will be. Raises ``StatusError``."""
    if old is None and call.resource.kind == "PersistentVolume":
        obj["status"] = (obj.get("status") or {}) | {"lastPhaseTransitionTime": rfc3339(call.now)}
    found = CHECKS.get((call.resource.group, call.resource.kind))
    if found is not None and not call.subresource:
        found(env, call, obj, old)


def reserve(env: Environment, call: Call, obj: Object, old: Object | None) -> Undo | None:
    """Take what the object needs exclusively; the returned function gives it back when the write fails."""
    if call.resource.kind == "Service" and not call.resource.group and not call.subresource:
        return reserve_service(env, call, obj, old)
    return None
