"""TaintNodesByCondition: a new node takes no pods until somebody finds it ready."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.admission.subject import creates
from orchestrator.apiserver.call import Call, Environment

NOT_READY: Object = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


def taint_node(env: Environment, call: Call, obj: Object, old: Object | None) -> None:
    if not creates(call, "Node", old):
        return
    spec = obj["spec"] = dict(obj.get("spec") or {})
    taints = spec.get("taints") or []
    if not any(all(taint.get(key) == value for key, value in NOT_READY.items()) for taint in taints):
        spec["taints"] = [*taints, dict(NOT_READY)]
