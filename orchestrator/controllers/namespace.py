"""Namespace: one that is being deleted loses all its content, pods first, and is gone when nothing is left.

While something remains the conditions say what, and which finalizers hold it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.apimachinery.timestamps import parse_time
from orchestrator.client.kinds import CUSTOMRESOURCEDEFINITIONS, NAMESPACES, PODS, Kind
from orchestrator.client.requests import update, update_status
from orchestrator.client.served import defined, served
from orchestrator.client.view import View, decode_metadata
from orchestrator.controllers import conditions
from orchestrator.controllers.controller import Controller, Watched, own_keys, refusals
from orchestrator.controllers.outcome import DONE, Outcome, requeue_after, retry

AGAIN_SECONDS = 0.25
"""Content that is on its way out is counted again after this."""
AGAIN_MAX_SECONDS = 5.0
"""The delay grows to this while finalizers or graceful pods hold a namespace."""
FINALIZER = "kubernetes"


class Remaining(msgspec.Struct, frozen=True):
    """What is left of one namespace."""

    resources: dict[str, int]
    """How many by the kind's label."""
    finalizers: dict[str, int]
    failures: list[str]

    @property
    def empty(self) -> bool:
        return not self.resources and not self.failures


def status(namespace: View, left: Remaining, now: float) -> Object:
    """Pure. The conditions that say how far the deletion is."""
    made = [
        _condition(
            "NamespaceDeletionDiscoveryFailure", False, "ResourcesDiscovered", "All resources successfully discovered"
        ),
        _condition(
            "NamespaceDeletionGroupVersionParsingFailure",
            False,
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        _content(left.failures),
        _resources(left.resources),
        _finalizers(left.finalizers),
    ]
    held = namespace.status.get("conditions") or []
    for type, value, reason, message in made:
        held = conditions.put(held, conditions.make(type, value, reason, message, now))
    return {**namespace.status, "phase": "Terminating", "conditions": held}


Said = tuple[str, bool, str, str]


def _condition(type: str, value: bool, reason: str, message: str) -> Said:
    return type, value, reason, message


def _content(failures: Sequence[str]) -> Said:
    type = "NamespaceDeletionContentFailure"
    if failures:
        text = f"Failed to delete all resource types, {len(failures)} remaining: {', '.join(sorted(failures))}"
        return type, True, "ContentDeletionFailed", text
    return type, False, "ContentDeleted", "All content successfully deleted, may be waiting on finalization"


def _resources(resources: dict[str, int]) -> Said:
    type = "NamespaceContentRemaining"
    if not resources:
        return type, False, "ContentRemoved", "All content successfully removed"
    parts = [
        f"{label.partition('.')[0]}.{label.partition('.')[2]} has {n} resource instances"
        for label, n in sorted(resources.items())
    ]
    return type, True, "SomeResourcesRemain", f"Some resources are remaining: {', '.join(parts)}"


def _finalizers(finalizers: dict[str, int]) -> Said:
    type = "NamespaceFinalizersRemaining"
    if not finalizers:
        return type, False, "ContentHasNoFinalizers", "All content-preserving finalizers finished"
    parts = [f"{name} in {n} resource instances" for name, n in sorted(finalizers.items())]
    return (
        type,
        True,
        "SomeFinalizersRemain",
        f"Some content in the namespace has finalizers remaining: {', '.join(parts)}",
    )


class Namespaces(Controller, kind=NAMESPACES):
    """Empties what is being deleted."""

    workers: ClassVar[int] = 10

    def watches(self) -> list[Watched]:
        return [Watched(NAMESPACES, own_keys), Watched(CUSTOMRESOURCEDEFINITIONS, _nobody)]

    async def reconcile(self, key: str) -> Outcome:
        namespace = self.cache(NAMESPACES).get_key(key)
        if namespace is None or not namespace.deleting:
            return DONE
        if FINALIZER not in (namespace.spec.get("finalizers") or ()):
            return DONE
        left = await self._empty(key)
        if left.empty:
            return await self._finalize(key, namespace)
        made = status(namespace, left, self.now())
        if made != namespace.status:
            refused = refusals(await self.write(key, NAMESPACES, [update_status(NAMESPACES, namespace, made)]))
            if refused and refused[0][1] not in ("NotFound", "Conflict"):
                return retry(refused[0][2])
        if left.failures:
            return retry(left.failures[0])
        return requeue_after(self._patience(key))

    def _patience(self, key: str) -> float:
        """Longer while the deletion takes long."""
        namespace = self.cache(NAMESPACES).get_key(key)
        since = (
            conditions.find(namespace.status.get("conditions") or [], "NamespaceContentRemaining")
            if namespace
            else None
        )
        if since is None or "lastTransitionTime" not in since:
            return AGAIN_SECONDS
        waited = self.now() - parse_time(since["lastTransitionTime"])
        return min(max(AGAIN_SECONDS, waited / 4), AGAIN_MAX_SECONDS)

    async def _empty(self, name: str) -> Remaining:
        """Delete the pods; when none is left everything else; count what remains."""
        left = Remaining({}, {}, [])
        await self._clear(PODS, name, left)
        if left.empty:
            kinds = [*served(), *defined(self.cache(CUSTOMRESOURCEDEFINITIONS).list())]
            for kind in kinds:
                if kind.namespaced and kind != PODS:
                    await self._clear(kind, name, left)
        return left

    async def _clear(self, kind: Kind, namespace: str, left: Remaining) -> None:
        try:
            listing = await self.client.list(kind, namespace)
            if not listing.items:
                return
            await self.client.delete_collection(kind, namespace, propagation="Background")
            listing = await self.client.list(kind, namespace)
        except StatusError as refused:
            if refused.code not in (404, 405):
                left.failures.append(f"{kind.label}: {refused}")
            return
        if listing.items:
            left.resources[kind.label] = len(listing.items)
            held = Counter(name for item in listing.items for name in decode_metadata(item.metadata).finalizers)
            for name, count in held.items():
                left.finalizers[name] = left.finalizers.get(name, 0) + count

    async def _finalize(self, key: str, namespace: View) -> Outcome:
        kept = [name for name in namespace.spec.get("finalizers") or () if name != FINALIZER]
        obj = namespace.object
        obj["spec"] = {**obj.get("spec", {}), "finalizers": kept}
        responses = await self.write(key, NAMESPACES, [update(NAMESPACES, obj, subresource="finalize")])
        refused = refusals(responses)
        return retry(refused[0][2]) if refused and refused[0][1] != "NotFound" else DONE


def _nobody(old: View | None, new: View | None) -> tuple[str, ...]:
    return ()
