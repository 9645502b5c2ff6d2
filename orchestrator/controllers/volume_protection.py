"""Protection in use: a claim that a pod mounts and a volume that is bound stay until nobody needs them.

Admission adds the finalizers; here they are taken off what is being deleted and unused. A pod counts until it is gone
or finished on its node.
"""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.client.kinds import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS, Kind
from orchestrator.client.protocol import Request, Want
from orchestrator.client.requests import patch
from orchestrator.client.subscription import KeysUnless
from orchestrator.client.view import Parts, View
from orchestrator.controllers.controller import Controller, Watched, own_keys, refusals
from orchestrator.controllers.outcome import DONE, Outcome, retry
from orchestrator.controllers.pods import pod
from orchestrator.controllers.volume_facts import CONSUMED, consumed

CLAIM_FINALIZER = "kubernetes.io/pvc-protection"
VOLUME_FINALIZER = "kubernetes.io/pv-protection"


def uses(view: View) -> bool:
    """A finished pod, and one that no node has and that is going, mount nothing."""
    held = pod(view)
    return not held.finished and bool(held.node or not view.deleting)


def unprotect(kind: Kind, view: View, finalizer: str) -> Request | None:
    """The write that takes ``finalizer`` off, where it is on something that is being deleted."""
    if not view.deleting or finalizer not in view.meta.finalizers:
        return None
    kept = [held for held in view.meta.finalizers if held != finalizer]
    document = {"metadata": {"finalizers": kept or None, "resourceVersion": str(view.revision)}}
    return patch(kind, view.name, view.namespace, document, want=Want.REVISION)


class _Protection(Controller):
    async def _unprotect(self, key: str, view: View, finalizer: str) -> Outcome:
        request = unprotect(self.kind, view, finalizer)
        if request is None:
            return DONE
        refused = refusals(await self.write(key, self.kind, [request]))
        return retry(refused[0][2]) if refused and refused[0][1] != "NotFound" else DONE


class ClaimProtection(_Protection, kind=PERSISTENTVOLUMECLAIMS):
    """Lets go of claims that no pod mounts."""

    def watches(self) -> list[Watched]:
        return [
            Watched(self.kind, own_keys),
            Watched(PODS, KeysUnless(lambda: not len(self.cache(self.kind)), _freed), {CONSUMED: consumed}),
        ]

    async def reconcile(self, key: str) -> Outcome:
        claim = self.cache(self.kind).get_key(key)
        if claim is None or not claim.deleting:
            return DONE
        if any(uses(view) for view in self.cache(PODS).by_index(CONSUMED, key)):
            return DONE
        parts, live = Parts(), await self.client.list(PODS, claim.namespace)
        if any(key in consumed(view) and uses(view) for view in (View(item, parts) for item in live.items)):
            return retry(f"{key}: a pod that uses it is not in the cache yet")
        return await self._unprotect(key, claim, CLAIM_FINALIZER)


class VolumeProtection(_Protection, kind=PERSISTENTVOLUMES):
    """Lets go of volumes that are not bound."""

    def watches(self) -> list[Watched]:
        return [Watched(self.kind, own_keys)]

    async def reconcile(self, key: str) -> Outcome:
        volume = self.cache(self.kind).get_key(key)
        if volume is None or volume.status.get("phase") == "Bound":
            return DONE
        return await self._unprotect(key, volume, VOLUME_FINALIZER)


def _freed(old: View | None, new: View | None) -> Iterable[str]:
    """The claims of a pod that may no longer use them."""
    view = new or old
    if view is None or not (claims := consumed(view)) or (new is not None and uses(new)):
        return ()
    return claims
