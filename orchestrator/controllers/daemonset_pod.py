"""The pod of a DaemonSet on one node: tied to it by affinity, tolerating what ails nodes. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.selectors import Selector, from_label_selector
from orchestrator.client.view import View
from orchestrator.controllers.controller_history import HASH_LABEL
from orchestrator.controllers.node_fit import NAME_FIELD, required_terms
from orchestrator.controllers.pods import pod
from orchestrator.controllers.taints import BY_CONDITION, NO_EXECUTE, NO_SCHEDULE, NOT_READY, UNREACHABLE, UNSCHEDULABLE
from orchestrator.controllers.template import pod_object

GENERATION_ANNOTATION = "deprecated.daemonset.template.generation"
GENERATION_LABEL = "pod-template-generation"
_TOLERATED = (
    (NOT_READY, NO_EXECUTE),
    (UNREACHABLE, NO_EXECUTE),
    (BY_CONDITION["DiskPressure"], NO_SCHEDULE),
    (BY_CONDITION["MemoryPressure"], NO_SCHEDULE),
    (BY_CONDITION["PIDPressure"], NO_SCHEDULE),
    (UNSCHEDULABLE, NO_SCHEDULE),
)
_TOLERATED_ON_HOST = (BY_CONDITION["NetworkUnavailable"], NO_SCHEDULE)


class DaemonFacts(msgspec.Struct, frozen=True):
    selector: Selector
    spec: Object
    """Of the template."""
    tolerations: list[Object]
    rolling: bool
    max_unavailable: int | str
    max_surge: int | str
    min_ready_seconds: int


def facts(view: View) -> DaemonFacts:
    spec = view.spec
    strategy = spec.get("updateStrategy") or {}
    rolling = strategy.get("rollingUpdate") or {}
    template_spec = (spec.get("template") or {}).get("spec") or {}
    return DaemonFacts(
        from_label_selector(spec.get("selector")),
        template_spec,
        tolerations(template_spec),
        strategy.get("type", "RollingUpdate") == "RollingUpdate",
        rolling.get("maxUnavailable", 1),
        rolling.get("maxSurge", 0),
        spec.get("minReadySeconds", 0),
    )


def daemon_selector(view: View) -> Selector:
    return view.facts(facts).selector


def scaled(stated: int | str, total: int) -> int:
    """A number, or a percentage of ``total`` rounded up."""
    return -(-int(stated.rstrip("%")) * total // 100) if isinstance(stated, str) else stated


def tolerations(spec: Object) -> list[Object]:
    """The stated ones and those of every daemon."""
    added = [*_TOLERATED, _TOLERATED_ON_HOST] if spec.get("hostNetwork") else list(_TOLERATED)
    made = list(spec.get("tolerations") or ())
    for key, effect in added:
        one = {"key": key, "operator": "Exists", "effect": effect}
        if one not in made:
            made.append(one)
    return made


def make_pod(owner: View, suffix: str, node: str, reference: Object) -> Object:
    """The pod for ``node``; the scheduler binds it, nothing but the node's name decides where."""
    wanted = owner.facts(facts)
    made = pod_object(owner.spec.get("template") or {}, owner.namespace, reference, generate_name=f"{owner.name}-")
    labels = {**made["metadata"].get("labels", {}), HASH_LABEL: suffix}
    generation = owner.annotations.get(GENERATION_ANNOTATION)
    if generation:
        labels[GENERATION_LABEL] = generation
    made["metadata"]["labels"] = labels
    spec = {**wanted.spec, "tolerations": wanted.tolerations, "affinity": _tied(wanted.spec, node)}
    return {**made, "spec": spec}


def _tied(spec: Object, node: str) -> Object:
    affinity: dict[str, Any] = spec.get("affinity") or {}
    term = {"matchFields": [{"key": NAME_FIELD, "operator": "In", "values": [node]}]}
    required = {"nodeSelectorTerms": [term]}
    placed = {**(affinity.get("nodeAffinity") or {}), "requiredDuringSchedulingIgnoredDuringExecution": required}
    return {**affinity, "nodeAffinity": placed}


def node_of(view: View) -> str:
    """The node that a pod runs on, or is meant for."""
    bound = pod(view).node
    if bound:
        return bound
    for term in required_terms(view.spec) or ():
        for field in term.get("matchFields") or ():
            if field.get("key") == NAME_FIELD and field.get("operator") == "In" and len(field["values"]) == 1:
                return str(field["values"][0])
    return ""
