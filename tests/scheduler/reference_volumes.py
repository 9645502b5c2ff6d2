"""The volume rules of the slow, obvious scheduler."""

from __future__ import annotations

from typing import Any

from orchestrator.apimachinery.quantity import Quantity
from tests.scheduler.reference import World, labels, node_term, selector_matches

Object = dict[str, Any]
SELECTED = "volume.kubernetes.io/selected-node"
COMPLETED = "pv.kubernetes.io/bind-completed"
ZONES = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region": "topology.kubernetes.io/region",
}


def claim_names(pod: Object) -> list[tuple[str, bool]]:
    names = []
    for volume in pod["spec"].get("volumes", []):
        if "persistentVolumeClaim" in volume:
            names.append((volume["persistentVolumeClaim"]["claimName"], False))
        if "ephemeral" in volume:
            names.append((f"{pod['metadata']['name']}-{volume['name']}", True))
    return names


def claim_of(world: World, pod: Object, name: str) -> Object | None:
    for claim in world.claims:
        if (claim["metadata"]["namespace"], claim["metadata"]["name"]) == (pod["metadata"]["namespace"], name):
            return claim
    return None


def held_class(world: World, claim: Object) -> Object | None:
    name = claim["spec"].get("storageClassName", "")
    return next((each for each in world.classes if each["metadata"]["name"] == name), None)


def is_bound(claim: Object) -> bool:
    return bool(claim["spec"].get("volumeName")) and COMPLETED in claim["metadata"].get("annotations", {})


def outright(world: World, pod: Object) -> str:
    """Why no node at all can take the pod."""
    for name, ephemeral in claim_names(pod):
        if not ephemeral and claim_of(world, pod, name) is None:
            return f'persistentvolumeclaim "{name}" not found'
    unready = False
    for name, _ in claim_names(pod):
        claim = claim_of(world, pod, name)
        if claim is None:
            return f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
        if "deletionTimestamp" in claim["metadata"]:
            return f'persistentvolumeclaim "{name}" is being deleted'
        if is_bound(claim):
            continue
        held = held_class(world, claim)
        if claim["spec"].get("storageClassName") and held is None:
            return f'storageclass.storage.k8s.io "{claim["spec"]["storageClassName"]}" not found'
        if held is None or held["volumeBindingMode"] != "WaitForFirstConsumer" or claim["spec"].get("volumeName"):
            unready = True
    return "pod has unbound immediate PersistentVolumeClaims" if unready else ""


def my_claims(world: World, pod: Object) -> list[Object]:
    return [claim for name, _ in claim_names(pod) if (claim := claim_of(world, pod, name)) is not None]


def volume_of(world: World, claim: Object) -> Object | None:
    name = claim["spec"].get("volumeName")
    return next((each for each in world.volumes if each["metadata"]["name"] == name), None)


def restricted(world: World, pod: Object, node: Object) -> list[str]:
    for volume in pod["spec"].get("volumes", []):
        disk = volume.get("gcePersistentDisk")
        for other in world.on(node):
            for theirs in [each.get("gcePersistentDisk") for each in other["spec"].get("volumes", [])]:
                readers = disk and theirs and disk.get("readOnly") and theirs.get("readOnly")
                if disk and theirs and disk["pdName"] == theirs["pdName"] and not readers:
                    return ["node(s) had no available disk"]
    for name, ephemeral in claim_names(pod):
        claim = claim_of(world, pod, name)
        if claim is None or ephemeral or "ReadWriteOncePod" not in claim["spec"]["accessModes"]:
            continue
        for other in world.pods:
            same = other["metadata"]["namespace"] == pod["metadata"]["namespace"]
            if same and name in [theirs for theirs, _ in claim_names(other)]:
                text = "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already"
                return [f"{text} in-use by another pod"]
    return []


def attachments(world: World, pod: Object) -> dict[str, str]:
    found = {}
    for claim in my_claims(world, pod):
        volume, held = volume_of(world, claim), held_class(world, claim)
        if volume is not None:
            if "csi" in volume["spec"]:
                found["/".join(volume["spec"]["csi"].values())] = volume["spec"]["csi"]["driver"]
        elif held is not None and held["provisioner"] != "kubernetes.io/no-provisioner":
            key = f"{claim['metadata']['namespace']}/{claim['metadata']['name']}"
            found[f"{held['provisioner']}/{key}"] = held["provisioner"]
    return found


def over_limit(world: World, pod: Object, node: Object) -> list[str]:
    limits = world.limits.get(node["metadata"]["name"], {})
    there: dict[str, str] = {}
    for other in world.on(node):
        there |= attachments(world, other)
    more = {key: driver for key, driver in attachments(world, pod).items() if key not in there}
    for driver, limit in limits.items():
        new = list(more.values()).count(driver)
        if new and new + list(there.values()).count(driver) > limit:
            return ["node(s) exceed max volume count"]
    return []


def can_use(volume: Object, node: Object) -> bool:
    required = volume["spec"].get("nodeAffinity", {}).get("required")
    return required is None or any(node_term(term, node) for term in required["nodeSelectorTerms"])


def size(quantity: str) -> int:
    return Quantity.parse(quantity).value()


def asked(claim: Object) -> int:
    return size(claim["spec"]["resources"]["requests"]["storage"])


def offered(volume: Object) -> int:
    return size(volume["spec"]["capacity"]["storage"])


def fitting(world: World, claim: Object, node: Object, used: list[str]) -> Object | None:
    """The volume that the claim gets on the node: its own, else the smallest free one."""
    best: Object | None = None
    for volume in sorted(world.volumes, key=lambda volume: (offered(volume), volume["metadata"]["name"])):
        if volume["spec"].get("storageClassName", "") != claim["spec"].get("storageClassName", ""):
            continue
        reference = volume["spec"].get("claimRef")
        if reference:
            own = (reference["namespace"], reference["name"]) == (
                claim["metadata"]["namespace"],
                claim["metadata"]["name"],
            )
            if own and offered(volume) >= asked(claim):
                reachable = can_use(volume, node) and volume["metadata"]["name"] not in used
                return volume if reachable else None
            continue
        suits = (
            volume["metadata"]["name"] not in used
            and volume["status"]["phase"] == "Available"
            and set(claim["spec"]["accessModes"]) <= set(volume["spec"]["accessModes"])
            and offered(volume) >= asked(claim)
            and ("selector" not in claim["spec"] or selector_matches(claim["spec"]["selector"], labels(volume)))
            and can_use(volume, node)
        )
        if suits and best is None:
            best = volume
    return best


def provisionable(world: World, claim: Object, node: Object) -> bool:
    held = held_class(world, claim)
    if held is None or held["provisioner"] == "kubernetes.io/no-provisioner":
        return False
    terms = held.get("allowedTopologies", [])
    return not terms or any(
        all(labels(node).get(each["key"]) in each["values"] for each in term["matchLabelExpressions"]) for term in terms
    )


def unbound(world: World, pod: Object, node: Object) -> list[str]:
    reasons = []
    claims = my_claims(world, pod)
    lost = False
    for claim in [claim for claim in claims if is_bound(claim)]:
        volume = volume_of(world, claim)
        if volume is None:
            lost = True
            break
        if not can_use(volume, node):
            reasons.append("node(s) didn't match PersistentVolume's node affinity")
            break
    used: list[str] = []
    for claim in sorted([claim for claim in claims if not is_bound(claim)], key=asked):
        selected = claim["metadata"].get("annotations", {}).get(SELECTED)
        volume = None if selected else fitting(world, claim, node, used)
        if volume is not None:
            used.append(volume["metadata"]["name"])
        elif selected not in (None, node["metadata"]["name"]) or not provisionable(world, claim, node):
            reasons.append("node(s) didn't find available persistent volumes to bind")
            break
    if lost:
        reasons.append("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)")
    return reasons


def misplaced(world: World, pod: Object, node: Object) -> list[str]:
    if not any(key in labels(node) for key in ZONES):
        return []
    for claim in my_claims(world, pod):
        volume = volume_of(world, claim)
        for key, new in ZONES.items():
            if volume is not None and key in labels(volume):
                zone = labels(node).get(key, labels(node).get(new))
                if zone not in labels(volume)[key].split("__"):
                    return ["node(s) had no available volume zone"]
    return []
