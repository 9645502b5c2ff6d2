"""What binding decides by in claims, volumes and pods: classes, sizes, modes and who refers to whom. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from orchestrator.api.volumes import BETA_CLASS
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import Quantity
from orchestrator.apimachinery.selectors import from_label_selector
from orchestrator.client.cache import index_of_spec
from orchestrator.client.view import View
from orchestrator.controllers.node_fit import matches_terms

LOCAL_PROVISIONER = "podium.io/local"

MAX_RESTS = 2048
"""Rests of pods of which it is known whether they name claims: caches hold them anyway."""

CONSUMED = "claims"
"""Index of pods: the keys of the claims that they mount."""
REFERRED = "claimRef"
"""Index of volumes: the key of the claim that they are for."""
PENDING = "pending"
"""Index of claims: the class of those that are not bound."""
NAMED = "volumeName"
"""Index of claims: the volume that they name."""


def class_of(view: View) -> str:
    """The StorageClass that a claim or volume names; "" is none."""
    return str(view.annotations.get(BETA_CLASS) or view.spec.get("storageClassName") or "")


@index_of_spec
def consumed(pod: View) -> tuple[str, ...]:
    """Keys of the claims of a pod; of nearly all pods its bytes say that there are none."""
    if not _may_claim(pod.encoded.rest):
        return ()
    return tuple(f"{pod.namespace}/{name}" for name in _claim_names(pod))


@lru_cache(MAX_RESTS)
def _may_claim(rest: bytes) -> bool:
    return b"persistentVolumeClaim" in rest or b"ephemeral" in rest


def _claim_names(pod: View) -> Iterable[str]:
    for volume in pod.spec.get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            yield volume["persistentVolumeClaim"]["claimName"]
        elif "ephemeral" in volume:
            yield f"{pod.name}-{volume['name']}"


def referred(volume: View) -> tuple[str, ...]:
    reference = volume.spec.get("claimRef")
    return (f"{reference.get('namespace', '')}/{reference.get('name', '')}",) if reference else ()


def pending(claim: View) -> tuple[str, ...]:
    return () if claim.status.get("phase") == "Bound" or claim.deleting else (class_of(claim),)


def named_volume(claim: View) -> tuple[str, ...]:
    name = claim.spec.get("volumeName")
    return (name,) if name else ()


def is_for(volume: View, claim: View) -> bool:
    """The volume refers to the claim: to this very one, or by name alone to whichever comes."""
    reference = volume.spec.get("claimRef") or {}
    named = (reference.get("namespace"), reference.get("name")) == (claim.namespace, claim.name)
    return named and reference.get("uid", "") in ("", claim.uid)


def reference_to(claim: View) -> Object:
    """The ``claimRef`` of a volume."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": claim.namespace,
        "name": claim.name,
        "uid": claim.uid,
        "resourceVersion": str(claim.revision),
    }


def requested(claim: View) -> Quantity:
    requests = (claim.spec.get("resources") or {}).get("requests") or {}
    return Quantity.parse(requests.get("storage", "0"))


def capacity(volume: View) -> Quantity:
    return Quantity.parse((volume.spec.get("capacity") or {}).get("storage", "0"))


def suits(volume: View, claim: View) -> bool:
    """Class, mode, access and size; the selector is a matter of choice."""
    wanted, offered = claim.spec, volume.spec
    return (
        class_of(volume) == class_of(claim)
        and offered.get("volumeMode", "Filesystem") == wanted.get("volumeMode", "Filesystem")
        and set(wanted.get("accessModes") or ()) <= set(offered.get("accessModes") or ())
        and capacity(volume) >= requested(claim)
    )


def reachable(volume: View, node: View | None) -> bool:
    """Whether the volume can be used on ``node``; None is not decided yet."""
    required = ((volume.spec.get("nodeAffinity") or {}).get("required") or {}).get("nodeSelectorTerms")
    return node is None or matches_terms(required, node)


def choose(claim: View, volumes: Iterable[View], node: View | None) -> View | None:
    """The volume reserved for the claim, or else the smallest free one that suits it."""
    free: list[View] = []
    for volume in volumes:
        if volume.deleting:
            continue
        if volume.spec.get("claimRef"):
            if is_for(volume, claim) and (volume.spec["claimRef"].get("uid") or suits(volume, claim)):
                return volume
        elif volume.status.get("phase") == "Available" and suits(volume, claim) and reachable(volume, node):
            free.append(volume)
    stated = claim.spec.get("selector")
    if stated:
        selector = from_label_selector(stated)
        free = [volume for volume in free if selector.matches(volume.labels)]
    return min(free, key=lambda volume: (capacity(volume).nanos, volume.name), default=None)
