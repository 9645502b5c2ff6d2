"""Binding of PersistentVolumeClaims and PersistentVolumes, one to one.

The volume is taken first, at the revision at which it was seen free: of two claims one wins. Then the claim names the
volume, and last both phases say so. Each reconcile writes one such step, so that an interruption anywhere is resumed
from what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

import msgspec

from orchestrator.api.volumes import (
    BIND_COMPLETED,
    BOUND_BY_CONTROLLER,
    NO_PROVISIONER,
    PROVISIONED_BY,
    PROVISIONER,
    SELECTED_NODE,
    WAIT,
)
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.client.cache import Index
from orchestrator.client.kinds import NODES, PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS, STORAGECLASSES, Kind
from orchestrator.client.protocol import Request, Want
from orchestrator.client.requests import patch
from orchestrator.client.subscription import KeysUnless
from orchestrator.client.view import View
from orchestrator.controllers.controller import Controller, Watched, refusals
from orchestrator.controllers.outcome import DONE, Outcome, retry
from orchestrator.controllers.pods import pod
from orchestrator.controllers.volume_facts import (
    CONSUMED,
    NAMED,
    PENDING,
    REFERRED,
    choose,
    class_of,
    consumed,
    is_for,
    named_volume,
    pending,
    reference_to,
    referred,
    suits,
)


class Said(msgspec.Struct, frozen=True):
    """An event."""

    reason: str
    message: str
    warning: bool = False


class Step(msgspec.Struct, frozen=True):
    """The next write, if there is one, and what to say about it."""

    kind: Kind | None = None
    request: Request | None = None
    said: Said | None = None


NOTHING = Step()


class World(msgspec.Struct, frozen=True):
    """What the plan of a claim looks at."""

    volumes: Iterable[View]
    named: View | None
    """The volume that the claim names."""
    storage_class: View | None
    node: View | None
    """Where the claim is to be used first, as far as that is decided."""


def plan_claim(claim: View, world: World) -> Step:
    """Pure: the next step of a claim."""
    name = claim.spec.get("volumeName")
    if BIND_COMPLETED in claim.annotations and name:
        return _keep(claim, world.named)
    if name:
        return _prebound(claim, world.named)
    if _waits(world) and not any(is_for(volume, claim) for volume in world.volumes):
        return Step(said=Said(WAIT, "waiting for first consumer to be created before binding"))
    found = choose(claim, world.volumes, world.node)
    if found is not None:
        return _bind(claim, found)
    return _provision(claim, world.storage_class)


def _waits(world: World) -> bool:
    held = world.storage_class
    return held is not None and held.rest.get("volumeBindingMode") == WAIT and world.node is None


def _keep(claim: View, volume: View | None) -> Step:
    """A bound claim stays bound while its volume is its own; once lost it is lost."""
    if volume is None:
        return _lose(claim, "Bound claim has lost its PersistentVolume. Data on the volume is lost!")
    reference = volume.spec.get("claimRef")
    if reference and not is_for(volume, claim):
        return _lose(claim, "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!")
    if not reference or not reference.get("uid"):
        return _take(claim, volume)
    status = {"phase": "Bound", "accessModes": volume.spec.get("accessModes"), "capacity": volume.spec.get("capacity")}
    return NOTHING if status.items() <= claim.status.items() else _phase(PERSISTENTVOLUMECLAIMS, claim, status)


def _lose(claim: View, message: str) -> Step:
    if claim.status.get("phase") == "Lost":
        return NOTHING
    step = _phase(PERSISTENTVOLUMECLAIMS, claim, {"phase": "Lost", "capacity": None, "accessModes": None})
    return msgspec.structs.replace(step, said=Said("ClaimLost", message, warning=True))


def _prebound(claim: View, volume: View | None) -> Step:
    """The claim asks for one volume by its name."""
    if volume is None:
        return Step(said=Said("FailedBinding", f'volume "{claim.spec["volumeName"]}" not found', warning=True))
    if volume.spec.get("claimRef") and not is_for(volume, claim):
        return Step(
            said=Said("FailedBinding", f'volume "{volume.name}" already bound to a different claim.', warning=True)
        )
    if not suits(volume, claim):
        return Step(said=Said("VolumeMismatch", f'volume "{volume.name}" does not fit the claim', warning=True))
    return _bind(claim, volume)


def _bind(claim: View, volume: View) -> Step:
    if not (volume.spec.get("claimRef") or {}).get("uid"):
        return _take(claim, volume)
    by_us = {} if claim.spec.get("volumeName") else {BOUND_BY_CONTROLLER: "yes"}
    document: Object = {
        "metadata": {"annotations": {BIND_COMPLETED: "yes", **by_us}, "resourceVersion": str(claim.revision)},
        "spec": {"volumeName": volume.name},
    }
    return Step(
        PERSISTENTVOLUMECLAIMS,
        patch(PERSISTENTVOLUMECLAIMS, claim.name, claim.namespace, document, want=Want.REVISION),
    )


def _take(claim: View, volume: View) -> Step:
    metadata: Object = {"resourceVersion": str(volume.revision)}
    if not volume.spec.get("claimRef"):
        metadata["annotations"] = {BOUND_BY_CONTROLLER: "yes"}
    document = {"metadata": metadata, "spec": {"claimRef": reference_to(claim)}}
    return Step(PERSISTENTVOLUMES, patch(PERSISTENTVOLUMES, volume.name, "", document, want=Want.REVISION))


def _provision(claim: View, storage_class: View | None) -> Step:
    """Ask the provisioner of the class for a volume: it finds the claim by the annotation."""
    if storage_class is None:
        name = class_of(claim)
        if name:
            return Step(
                said=Said("ProvisioningFailed", f'storageclass.storage.k8s.io "{name}" not found', warning=True)
            )
        text = "no persistent volumes available for this claim and no storage class is set"
        return Step(said=Said("FailedBinding", text))
    provisioner = storage_class.rest.get("provisioner", "")
    if provisioner == NO_PROVISIONER:
        return Step(said=Said("FailedBinding", "no persistent volumes available for this claim", warning=True))
    if claim.annotations.get(PROVISIONER) == provisioner:
        text = f'Waiting for a volume to be created by the provisioner "{provisioner}"'
        return Step(said=Said("ExternalProvisioning", text))
    document = {"metadata": {"annotations": {PROVISIONER: provisioner}}}
    return Step(
        PERSISTENTVOLUMECLAIMS,
        patch(PERSISTENTVOLUMECLAIMS, claim.name, claim.namespace, document, want=Want.REVISION),
    )


def plan_volume(volume: View, claim: View | None) -> Step:
    """Pure: the next step of a volume. ``claim`` is the one that its ``claimRef`` names, None when it is gone."""
    reference = volume.spec.get("claimRef")
    if not reference or not reference.get("uid"):
        return _to_phase(volume, "Available")
    if claim is None or not is_for(volume, claim):
        return _released(volume)
    name = claim.spec.get("volumeName")
    if name == volume.name:
        return _to_phase(volume, "Bound")
    if name and BOUND_BY_CONTROLLER in volume.annotations:
        return _let_go(volume)
    return _released(volume) if name and PROVISIONED_BY in volume.annotations else NOTHING


def _released(volume: View) -> Step:
    """Its claim is gone. What was provisioned is removed by its provisioner, what was not waits for a person."""
    policy = volume.spec.get("persistentVolumeReclaimPolicy", "Retain")
    if volume.status.get("phase") == "Failed":
        return NOTHING
    if policy == "Retain" or PROVISIONED_BY in volume.annotations:
        return _to_phase(volume, "Released")
    text = f"no plugin found that can {policy.lower()} this volume"
    failed = _phase(PERSISTENTVOLUMES, volume, {"phase": "Failed", "message": text})
    return msgspec.structs.replace(failed, said=Said(f"VolumeFailed{policy}", text, warning=True))


def _let_go(volume: View) -> Step:
    """The claim went with another volume: this one is free again."""
    document = {
        "metadata": {"annotations": {BOUND_BY_CONTROLLER: None}, "resourceVersion": str(volume.revision)},
        "spec": {"claimRef": None},
    }
    return Step(PERSISTENTVOLUMES, patch(PERSISTENTVOLUMES, volume.name, "", document, want=Want.REVISION))


def _to_phase(volume: View, phase: str) -> Step:
    same = volume.status.get("phase") == phase and not volume.status.get("message")
    return NOTHING if same else _phase(PERSISTENTVOLUMES, volume, {"phase": phase, "message": None})


def _phase(kind: Kind, view: View, status: Object) -> Step:
    document = {"metadata": {"resourceVersion": str(view.revision)}, "status": status}
    return Step(kind, patch(kind, view.name, view.namespace, document, subresource="status", want=Want.REVISION))


class VolumeBinder(Controller, kind=PERSISTENTVOLUMECLAIMS):
    """Keys with a slash are claims, the others volumes."""

    workers: ClassVar[int] = 4

    def watches(self) -> list[Watched]:
        return [
            Watched(PERSISTENTVOLUMECLAIMS, _claim_keys, {PENDING: pending, NAMED: named_volume}),
            Watched(PERSISTENTVOLUMES, self._volume_keys, {REFERRED: referred}),
            Watched(STORAGECLASSES, self._class_keys),
            Watched(PODS, KeysUnless(self._no_claims, self._pod_keys), {CONSUMED: consumed}),
        ]

    def reads(self) -> Mapping[Kind, Mapping[str, Index]]:
        return {NODES: {}}

    def _volume_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        """The volume, its claim before and after, and who waits for one of its class when it is free."""
        views = [view for view in (new, old) if view is not None]
        keys = dict.fromkeys(key for view in views for key in (view.name, *referred(view)))
        claims = self.cache(PERSISTENTVOLUMECLAIMS)
        waiting = list(claims.by_index(NAMED, views[0].name))
        if new is not None and not new.spec.get("claimRef"):
            waiting += claims.by_index(PENDING, class_of(new))
        return [*keys, *(claim.key for claim in waiting)]

    def _class_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        if new is None:
            return ()
        return [claim.key for claim in self.cache(PERSISTENTVOLUMECLAIMS).by_index(PENDING, new.name)]

    def _no_claims(self) -> bool:
        return not len(self.cache(PERSISTENTVOLUMECLAIMS))

    def _pod_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        """A first consumer has its node."""
        if new is None or not (keys := consumed(new)):
            return ()
        return keys if pod(new).node and (old is None or not pod(old).node) else ()

    async def reconcile(self, key: str) -> Outcome:
        if "/" not in key:
            return await self._volume(key)
        claim = self.cache(PERSISTENTVOLUMECLAIMS).get_key(key)
        if claim is None or claim.deleting:
            return DONE
        volumes = self.cache(PERSISTENTVOLUMES)
        named = volumes.get_key(claim.spec.get("volumeName") or "")
        if named is None and claim.spec.get("volumeName") and await self._live(PERSISTENTVOLUMES, claim.spec):
            return retry(f"{key}: its volume is not in the cache yet")
        held = self.cache(STORAGECLASSES).get_key(class_of(claim))
        return await self._do(
            key, PERSISTENTVOLUMECLAIMS, claim, plan_claim(claim, World(volumes.list(), named, held, self._node(claim)))
        )

    async def _volume(self, name: str) -> Outcome:
        volume = self.cache(PERSISTENTVOLUMES).get_key(name)
        if volume is None:
            return DONE
        claim = next((self.cache(PERSISTENTVOLUMECLAIMS).get_key(key) for key in referred(volume)), None)
        gone = claim is None or not is_for(volume, claim)
        if gone and (volume.spec.get("claimRef") or {}).get("uid") and await self._claim_lives(volume):
            return retry(f"{name}: its claim is not in the cache yet")
        return await self._do(name, PERSISTENTVOLUMES, volume, plan_volume(volume, claim))

    def _node(self, claim: View) -> View | None:
        """Where the scheduler wants the claim, or where its first consumer already is."""
        named = claim.annotations.get(SELECTED_NODE, "")
        if not named:
            users = self.cache(PODS).by_index(CONSUMED, claim.key)
            named = next((pod(user).node for user in users if pod(user).node), "")
        return self.cache(NODES).get_key(named) if named else None

    async def _live(self, kind: Kind, spec: Object) -> bool:
        """A read past the cache: nothing is given up because a cache is behind."""
        return await self._read(kind, spec["volumeName"]) is not None

    async def _claim_lives(self, volume: View) -> bool:
        reference = volume.spec["claimRef"]
        held = await self._read(PERSISTENTVOLUMECLAIMS, reference["name"], reference["namespace"])
        return held is not None and held["metadata"]["uid"] == reference["uid"]

    async def _read(self, kind: Kind, name: str, namespace: str = "") -> Object | None:
        try:
            return await self.client.get(kind, name, namespace)
        except StatusError as refusal:
            if refusal.code != 404:
                raise
            return None

    async def _do(self, key: str, kind: Kind, view: View, step: Step) -> Outcome:
        if step.request is not None and step.kind is not None:
            refused = refusals(await self.write(key, step.kind, [step.request]))
            if refused:
                return retry(refused[0][2]) if refused[0][1] != "NotFound" else DONE
        if step.said is not None:
            self.event(kind, view, step.said.reason, step.said.message, warning=step.said.warning)
        return DONE


def _claim_keys(old: View | None, new: View | None) -> Iterable[str]:
    """The claim, and the volume that it names."""
    views = [view for view in (new, old) if view is not None]
    return dict.fromkeys([views[0].key, *(name for view in views for name in named_volume(view))])
