"""ResourceQuota: the status says what the namespace uses of each hard limit.

Admission counts up when something is created; here what goes away is counted down and what was missed is counted anew.
What was charged may not be in the log yet, and what is in the log not in a cache: a count that would give something
back waits until nothing was charged for a moment, and is made from caches that are as new as the log was then.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import Quantity
from orchestrator.client.kinds import (
    CONFIGMAPS,
    PERSISTENTVOLUMECLAIMS,
    PODS,
    REPLICATIONCONTROLLERS,
    RESOURCEQUOTAS,
    SECRETS,
    SERVICES,
    Kind,
)
from orchestrator.client.requests import update_status
from orchestrator.client.served import served
from orchestrator.client.subscription import KeysUnless
from orchestrator.client.view import View
from orchestrator.controllers.controller import Controller, Watched, own_keys, refusals
from orchestrator.controllers.outcome import Outcome, requeue_after, retry
from orchestrator.controllers.pods import pod
from orchestrator.controllers.quota_usage import resource_of, used

RESYNC_SECONDS = 300.0
"""Every quota is counted anew at least this often."""
SETTLE_SECONDS = 1.0
"""So long after it was charged for, a write is in the log or will never be."""
COUNTABLE = (PODS, SERVICES, REPLICATIONCONTROLLERS, SECRETS, CONFIGMAPS, PERSISTENTVOLUMECLAIMS)


class ResourceQuotas(Controller, kind=RESOURCEQUOTAS):
    """Keeps the status of quotas true."""

    pace_seconds: ClassVar[float] = 0.25
    """A thousand deletes are one count."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._kinds = {kind.label: kind for kind in COUNTABLE}
        self._charged: dict[str, tuple[int, float]] = {}
        """By key: a quota's newest revision, and when the caches are told to catch up with it; 0: they were."""

    def watches(self) -> list[Watched]:
        counted = [Watched(kind, KeysUnless(self._no_quotas, self._gone_keys)) for kind in COUNTABLE]
        return [Watched(RESOURCEQUOTAS, self._quota_keys, {"namespace": _namespace}), *counted]

    def _quota_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        return own_keys(old, new)

    def _no_quotas(self) -> bool:
        return self.cache(RESOURCEQUOTAS).empty("namespace")

    def _gone_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        """Something was freed: an object is gone, or a pod has ended."""
        quotas = self.cache(RESOURCEQUOTAS)
        if old is None or (new is not None and not _freed(old, new)):
            return ()
        return [quota.key for quota in quotas.by_index("namespace", old.namespace)]

    async def reconcile(self, key: str) -> Outcome:
        quota = self.cache(RESOURCEQUOTAS).get_key(key)
        if quota is None:
            self._charged.pop(key, None)
            return Outcome()
        hard: Object = quota.spec.get("hard") or {}
        objects: dict[str, list[View]] = {}
        for label in sorted({resource_of(name) for name in hard} - {""}):
            objects[label] = await self._objects(label, quota.namespace)
        status = {"hard": hard, "used": used(hard, objects, quota.spec)}
        wait = await self._unsettled(key, quota.revision)
        if wait and _gives_back(status["used"], quota.status.get("used") or {}):
            return requeue_after(wait)
        if status != quota.status:
            refused = refusals(await self.write(key, RESOURCEQUOTAS, [update_status(RESOURCEQUOTAS, quota, status)]))
            if refused and refused[0][1] != "NotFound":
                return retry(refused[0][2])
        return requeue_after(wait or RESYNC_SECONDS)

    async def _unsettled(self, key: str, revision: int) -> float:
        """Seconds until what was charged up to ``revision`` is in the log and in the caches, or will never be."""
        now = self.context.clock.monotonic()
        charged, due = self._charged.get(key, (0, 0.0))
        if charged != revision:
            due = now + SETTLE_SECONDS
            self._charged[key] = revision, due
        if not due:
            return 0.0
        if due > now:
            return due - now
        if await self._resolve(key):  # the next look is one at caches that are as new as the log is now
            self._charged[key] = revision, 0.0
        return self.pace_seconds

    async def _objects(self, label: str, namespace: str) -> list[View]:
        kind = RESOURCEQUOTAS if label == RESOURCEQUOTAS.label else self._kinds.get(label)
        if kind is None:
            kind = await self._learn(label)
            if kind is None:
                return []
        return list(self.cache(kind).list(namespace))

    async def _learn(self, label: str) -> Kind | None:
        """A kind that a quota counts (``count/deployments.apps``) is followed from then on."""
        kind = next((held for held in served() if held.label == label and held.namespaced), None)
        if kind is not None:
            self._kinds[label] = kind
            self.caches[label] = await self.informers.subscribe(kind, self.context.ref, self._gone_keys, tag=label)
            await self.informers.synced(kind)
        return kind


def _gives_back(counted: dict[str, str], charged: Object) -> bool:
    return any(Quantity.parse(value) < Quantity.parse(charged.get(name, "0")) for name, value in counted.items())


def _namespace(view: View) -> Iterable[str]:
    return (view.namespace,)


def _freed(old: View, new: View) -> bool:
    if new.rest.get("kind") != PODS.kind:
        return False
    return pod(new).finished and not pod(old).finished
