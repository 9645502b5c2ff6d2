"""The built-in provisioner ``podium.io/local``: a claim gets a directory of its own under one base path.

The volume's name is made from the claim's uid, so that a claim never gets two. A directory is removed before the
volume that names it: what is forgotten is gone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from orchestrator.api.volumes import PROVISIONED_BY, PROVISIONER, SELECTED_NODE
from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import NODES, PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS, STORAGECLASSES
from orchestrator.client.protocol import Options, Want
from orchestrator.client.requests import create, delete, list_
from orchestrator.client.subscription import no_keys
from orchestrator.client.view import View
from orchestrator.controllers.controller import Controller, Watched, own_keys, refusals
from orchestrator.controllers.outcome import DONE, Outcome, retry
from orchestrator.controllers.pods import pod
from orchestrator.controllers.volume_facts import (
    CONSUMED,
    LOCAL_PROVISIONER,
    class_of,
    consumed,
    reference_to,
)

DEFAULT_CLASS = "standard"
HOSTNAME = "kubernetes.io/hostname"

RemoveDirectory = Callable[[str], Awaitable[None]]


def default_class() -> Object:
    """The StorageClass of a new cluster."""
    metadata = {"name": DEFAULT_CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": metadata,
        "provisioner": LOCAL_PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    }


def wants_volume(claim: View) -> bool:
    return (
        not claim.deleting
        and not claim.spec.get("volumeName")
        and claim.annotations.get(PROVISIONER) == LOCAL_PROVISIONER
    )


def volume_for(claim: View, storage_class: View, base_path: str, node: str) -> Object:
    """The volume of a claim, reserved for it; ``node`` is the only node that it can be used on, "" for any."""
    name = f"pvc-{claim.uid}"
    spec: Object = {
        "accessModes": claim.spec.get("accessModes") or [],
        "capacity": {"storage": claim.spec["resources"]["requests"]["storage"]},
        "claimRef": reference_to(claim),
        "hostPath": {"path": f"{base_path}/{claim.namespace}-{claim.name}-{name}", "type": "DirectoryOrCreate"},
        "persistentVolumeReclaimPolicy": storage_class.rest.get("reclaimPolicy", "Delete"),
        "storageClassName": class_of(claim),
        "volumeMode": "Filesystem",
    }
    if node:
        term = {"matchExpressions": [{"key": HOSTNAME, "operator": "In", "values": [node]}]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [term]}}
    metadata = {"name": name, "annotations": {PROVISIONED_BY: LOCAL_PROVISIONER}}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec}


def to_remove(volume: View) -> bool:
    """A volume of this provisioner whose claim is gone and that nobody asked to keep."""
    return (
        volume.annotations.get(PROVISIONED_BY) == LOCAL_PROVISIONER
        and volume.spec.get("persistentVolumeReclaimPolicy") == "Delete"
        and volume.status.get("phase") in ("Released", "Failed")
        and not volume.deleting
    )


class VolumeProvisioner(Controller, kind=PERSISTENTVOLUMECLAIMS):
    """Keys with a slash are claims, the others volumes. ``remove_directory`` None leaves directories alone."""

    def __init__(
        self, *args: Any, base_path: str, remove_directory: RemoveDirectory | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._base_path = base_path.rstrip("/")
        self._remove_directory = remove_directory

    def watches(self) -> list[Watched]:
        return [
            Watched(PERSISTENTVOLUMECLAIMS, _wanting),
            Watched(PERSISTENTVOLUMES, own_keys),
            Watched(STORAGECLASSES, no_keys),
            Watched(PODS, no_keys, {CONSUMED: consumed}),
        ]

    async def reconcile(self, key: str) -> Outcome:
        if "/" not in key:
            return await self._reclaim(key)
        claim = self.cache(PERSISTENTVOLUMECLAIMS).get_key(key)
        if claim is None or not wants_volume(claim):
            return DONE
        storage_class = self.cache(STORAGECLASSES).get_key(class_of(claim))
        if storage_class is None or f"pvc-{claim.uid}" in self.cache(PERSISTENTVOLUMES):
            return DONE
        if problem := _unsupported(claim):
            self.event(PERSISTENTVOLUMECLAIMS, claim, "ProvisioningFailed", problem, warning=True)
            return DONE
        made = volume_for(claim, storage_class, self._base_path, await self._node(claim))
        refused = refusals(await self.write(key, PERSISTENTVOLUMES, [create(PERSISTENTVOLUMES, made)]))
        if refused and refused[0][1] != "AlreadyExists":
            text = f'failed to provision volume with StorageClass "{storage_class.name}": {refused[0][2]}'
            self.event(PERSISTENTVOLUMECLAIMS, claim, "ProvisioningFailed", text, warning=True)
            return retry(refused[0][2])
        text = f"Successfully provisioned volume {made['metadata']['name']}"
        self.event(PERSISTENTVOLUMECLAIMS, claim, "ProvisioningSucceeded", text)
        return DONE

    async def _node(self, claim: View) -> str:
        """The node of the first consumer; a cluster of one node needs no affinity."""
        response = await self.client.request(list_(NODES, options=Options(limit=2)))
        if len(response.items or ()) < 2:
            return ""
        users = self.cache(PODS).by_index(CONSUMED, claim.key)
        placed = next((pod(user).node for user in users if pod(user).node), "")
        return claim.annotations.get(SELECTED_NODE, placed)

    async def _reclaim(self, name: str) -> Outcome:
        volume = self.cache(PERSISTENTVOLUMES).get_key(name)
        if volume is None or not to_remove(volume):
            return DONE
        if self._remove_directory is not None:
            try:
                await self._remove_directory(volume.spec["hostPath"]["path"])
            except OSError as failure:
                self.event(PERSISTENTVOLUMES, volume, "VolumeFailedDelete", str(failure), warning=True)
                return retry(str(failure))
        request = delete(PERSISTENTVOLUMES, name, uid=volume.uid, want=Want.REVISION)
        refused = refusals(await self.write(name, PERSISTENTVOLUMES, [request]))
        return retry(refused[0][2]) if refused and refused[0][1] != "NotFound" else DONE


def _unsupported(claim: View) -> str:
    if claim.spec.get("selector"):
        return "claim.spec.selector is not supported: expected none for a provisioned volume"
    if claim.spec.get("volumeMode", "Filesystem") != "Filesystem":
        return f"expected volumeMode Filesystem, found {claim.spec['volumeMode']}"
    return ""


def _wanting(old: View | None, new: View | None) -> Iterable[str]:
    return (new.key,) if new is not None and wants_volume(new) else ()
