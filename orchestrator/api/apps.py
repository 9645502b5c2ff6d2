"""The rules of the workloads in ``apps``."""

from __future__ import annotations

from orchestrator.api.core.pod_defaults import default_template
from orchestrator.api.strategy import Rules, spec_changed
from orchestrator.apimachinery.encoded import Object


def default_deployment(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    strategy = spec.setdefault("strategy", {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    default_template(spec.setdefault("template", {}))


def default_replica_set(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    default_template(spec.setdefault("template", {}))


def _deployment_changed(new: Object, old: Object) -> bool:
    return spec_changed(new, old) or new["metadata"].get("annotations") != old["metadata"].get("annotations")


RULES = (
    Rules(
        group="apps",
        kind="Deployment",
        has_status=True,
        counts=_deployment_changed,
        default=default_deployment,
    ),
    Rules(
        group="apps",
        kind="ReplicaSet",
        has_status=True,
        initial_status=lambda _obj: {"replicas": 0},
        counts=spec_changed,
        default=default_replica_set,
    ),
)
