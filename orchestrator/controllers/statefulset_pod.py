"""The identity of a StatefulSet's pod: its name, its labels, its claims. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.selectors import Selector, from_label_selector
from orchestrator.client.view import View
from orchestrator.controllers.controller_history import HASH_LABEL
from orchestrator.controllers.template import pod_object

NAME_LABEL = "statefulset.kubernetes.io/pod-name"
INDEX_LABEL = "apps.kubernetes.io/pod-index"


class SetFacts(msgspec.Struct, frozen=True):
    """What the spec of a StatefulSet says, with its defaults."""

    selector: Selector
    replicas: int
    start: int
    ordered: bool
    rolling: bool
    partition: int
    max_unavailable: int
    min_ready_seconds: int
    delete_when_deleted: bool
    delete_when_scaled: bool

    @property
    def ordinals(self) -> range:
        return range(self.start, self.start + self.replicas)


def facts(view: View) -> SetFacts:
    spec = view.spec
    strategy = spec.get("updateStrategy") or {}
    rolling = strategy.get("rollingUpdate") or {}
    retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    replicas = spec.get("replicas", 1)
    return SetFacts(
        from_label_selector(spec.get("selector")),
        replicas,
        (spec.get("ordinals") or {}).get("start", 0),
        spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady",
        strategy.get("type", "RollingUpdate") == "RollingUpdate",
        rolling.get("partition", 0),
        max_unavailable(rolling.get("maxUnavailable", 1), replicas),
        spec.get("minReadySeconds", 0),
        retention.get("whenDeleted") == "Delete",
        retention.get("whenScaled") == "Delete",
    )


def max_unavailable(stated: int | str, replicas: int) -> int:
    """A percentage is rounded up; at least one."""
    if isinstance(stated, str):
        stated = -(-int(stated.rstrip("%")) * replicas // 100)
    return max(1, stated)


def set_selector(view: View) -> Selector:
    return view.facts(facts).selector


def ordinal(owner_name: str, pod_name: str) -> int | None:
    """The ordinal in a pod's name; None when the name is not one of the set's."""
    parent, _, digits = pod_name.rpartition("-")
    return int(digits) if parent == owner_name and digits.isascii() and digits.isdigit() else None


def claim_templates(owner: View) -> Sequence[Object]:
    found: Sequence[Object] = owner.spec.get("volumeClaimTemplates") or ()
    return found


def claim_name(template: Object, owner_name: str, number: int) -> str:
    return f"{template['metadata']['name']}-{owner_name}-{number}"


def make_pod(owner: View, template: Object, revision: str, number: int, reference: Object) -> Object:
    """The pod of one ordinal as ``revision`` describes it."""
    name = f"{owner.name}-{number}"
    made = pod_object(template, owner.namespace, reference, name=name)
    made["metadata"]["labels"] = {
        **made["metadata"].get("labels", {}),
        NAME_LABEL: name,
        INDEX_LABEL: str(number),
        HASH_LABEL: revision,
    }
    spec = {**made["spec"], "hostname": name}
    if owner.spec.get("serviceName"):
        spec["subdomain"] = owner.spec["serviceName"]
    templates = claim_templates(owner)
    if templates:
        spec["volumes"] = _volumes(owner.name, templates, number, spec.get("volumes") or ())
    return {**made, "spec": spec}


def _volumes(owner_name: str, templates: Sequence[Object], number: int, stated: Sequence[Object]) -> list[Object]:
    """The claims take the place of volumes of the same names."""
    claimed = {template["metadata"]["name"]: claim_name(template, owner_name, number) for template in templates}
    made = [{"name": name, "persistentVolumeClaim": {"claimName": claim}} for name, claim in claimed.items()]
    return made + [volume for volume in stated if volume.get("name") not in claimed]


def make_claim(owner: View, template: Object, number: int, references: list[Object]) -> Object:
    stated = template.get("metadata") or {}
    selected = (owner.spec.get("selector") or {}).get("matchLabels") or {}
    metadata: Object = {
        "name": claim_name(template, owner.name, number),
        "namespace": owner.namespace,
        "labels": {**(stated.get("labels") or {}), **selected},
    }
    if stated.get("annotations"):
        metadata["annotations"] = stated["annotations"]
    if references:
        metadata["ownerReferences"] = references
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata,
        "spec": template.get("spec") or {},
    }


def claim_references(wanted: SetFacts, owner: View, pod: View | None, *, condemned: bool) -> list[Object]:
    """Who a claim goes with: with the set when that is deleted, with the pod when the set shrinks."""
    if wanted.delete_when_scaled and condemned and pod is not None:
        return [{"apiVersion": "v1", "kind": "Pod", "name": pod.name, "uid": pod.uid}]
    if wanted.delete_when_deleted:
        return [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": owner.name, "uid": owner.uid}]
    return []
