"""What an autoscaler scales: the scale of its target, from a cache where one follows the kind, and the pods of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.selectors import Selector, selector_text
from orchestrator.client.cache import Cache
from orchestrator.client.kinds import DEPLOYMENTS, REPLICASETS, REPLICATIONCONTROLLERS, STATEFULSETS, Kind, kind_for
from orchestrator.client.served import served
from orchestrator.client.view import View

FOLLOWED = (DEPLOYMENTS, REPLICASETS, STATEFULSETS, REPLICATIONCONTROLLERS)
"""Kinds whose scale is read from the cache; a write bears its revision, so a stale read changes nothing."""

ABSENT = "/"
"""No label has this value."""


class Target(msgspec.Struct, frozen=True):
    """The scale of the target as it stands. ``revision`` is the one it was read at."""

    replicas: int
    running: int
    selector: str
    revision: str = ""


def target_of(scale: Object) -> Target:
    """Of an ``autoscaling/v1`` Scale."""
    status = scale.get("status") or {}
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    revision = (scale.get("metadata") or {}).get("resourceVersion", "")
    return Target(replicas, status.get("replicas", 0), status.get("selector", ""), revision)


def target_of_view(view: View) -> Target:
    """Of a workload itself."""
    stated = view.spec.get("selector") or {}
    plain = bool(stated) and not ("matchLabels" in stated or "matchExpressions" in stated)
    text = selector_text({"matchLabels": stated} if plain else stated) if stated else ""
    return Target(view.spec.get("replicas", 0), view.status.get("replicas", 0), text, str(view.revision))


def kind_of_target(reference: Object) -> Kind:
    """The resource that a ``scaleTargetRef`` names; of an unknown kind the usual plural."""
    version, name = reference.get("apiVersion", "v1"), reference["kind"]
    known = kind_for(version, name)
    if known is not None:
        return known
    group, _, plain = version.rpartition("/")
    found = next((kind for kind in served() if (kind.group, kind.kind) == (group, name)), None)
    return found or Kind(group, plain, name.lower() + "s", name)


class PodsByLabel:
    """Pods by selector for many who ask at one moment: those of a namespace are gone through once for each label."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._seen = (0, 0)
        self._groups: dict[tuple[str, str], Mapping[str, Sequence[View]]] = {}

    def select(self, selector: Selector, namespace: str) -> Sequence[View]:
        exact = selector.exact()
        if not exact:
            return self._cache.select(selector, namespace)
        label, value = next(iter(exact.items()))
        if len(selector.requirements) == 1:
            return self._group(namespace, label).get(value, ())
        return [view for view in self._group(namespace, label).get(value, ()) if selector.matches(view.labels)]

    def _group(self, namespace: str, label: str) -> Mapping[str, Sequence[View]]:
        seen = (self._cache.revision, len(self._cache))
        if seen != self._seen:
            self._seen = seen
            self._groups.clear()
        held = self._groups.get((namespace, label))
        if held is None:
            found: dict[str, list[View]] = {}
            for view in self._cache.list(namespace):
                found.setdefault(view.labels.get(label, ABSENT), []).append(view)
            held = self._groups[namespace, label] = found
        return held
