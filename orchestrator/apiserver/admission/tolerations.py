"""DefaultTolerationSeconds: a pod stays five minutes on a node that is lost, unless it says otherwise."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.admission.subject import creates
from orchestrator.apiserver.call import Call, Environment

TOLERATION_SECONDS = 300
TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def tolerate(env: Environment, call: Call, obj: Object, old: Object | None) -> None:
    if not creates(call, "Pod", old):
        return
    spec = obj["spec"]
    tolerations = spec.get("tolerations") or []
    added = [_toleration(taint) for taint in TAINTS if not any(_covers(one, taint) for one in tolerations)]
    if added:
        spec["tolerations"] = [*tolerations, *added]


def _covers(toleration: Object, taint: str) -> bool:
    return toleration.get("key", "") in ("", taint) and toleration.get("effect", "") in ("", "NoExecute")


def _toleration(taint: str) -> Object:
    return {"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATION_SECONDS}
