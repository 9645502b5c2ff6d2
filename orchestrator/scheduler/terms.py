"""Terms that look at other pods: inter-pod affinity and topology spread constraints.

A term is known by its ``key``, a canonical text: pods that carry equal terms share the counts kept for them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.selectors import Selector, from_label_selector

SELECTOR_CACHE = 4096
"""Distinct label selectors kept parsed."""

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"

Labels = Mapping[str, str]
NamespaceLabels = Callable[[str], Labels]


@dataclass(frozen=True, slots=True)
class PodSelector:
    """Which pods a term is about: those in these namespaces whose labels match. ``key`` identifies it."""

    key: str
    namespaces: frozenset[str]
    namespace_selector: Selector | None = field(compare=False)
    selector: Selector | None = field(compare=False)
    """None matches no pod."""

    def matches(self, namespace: str, labels: Labels, namespace_labels: NamespaceLabels) -> bool:
        if self.selector is None or not self.selector.matches(labels):
            return False
        if namespace in self.namespaces:
            return True
        return self.namespace_selector is not None and self.namespace_selector.matches(namespace_labels(namespace))


@dataclass(frozen=True, slots=True)
class PodTerm:
    """One (anti-)affinity term: pods that ``pods`` selects, in the same domain of ``topology``. Hard terms weigh 0."""

    pods: PodSelector
    topology: str
    weight: int = 0


@dataclass(frozen=True, slots=True)
class Spread:
    """One topology spread constraint of a pod in its own namespace."""

    pods: PodSelector
    topology: str
    max_skew: int
    hard: bool
    min_domains: int
    honor_affinity: bool
    honor_taints: bool
    self_matching: bool
    """The pod that carries the constraint counts itself."""
    counting: bool
    """An empty selector matches the pod itself but counts no other (as upstream's ``countPodsMatchSelector``)."""


@dataclass(frozen=True, slots=True)
class PodTerms:
    """The inter-pod affinity of one pod."""

    affinity: tuple[PodTerm, ...] = ()
    anti_affinity: tuple[PodTerm, ...] = ()
    preferred: tuple[PodTerm, ...] = ()
    """Weight is negative for anti-affinity."""

    def __bool__(self) -> bool:
        return bool(self.affinity or self.anti_affinity or self.preferred)


def pod_terms(spec: Object, namespace: str, labels: Labels) -> PodTerms:
    affinity = spec.get("affinity") or {}
    near, far = affinity.get("podAffinity") or {}, affinity.get("podAntiAffinity") or {}
    if not near and not far:
        return _NONE

    def required(of: Object) -> tuple[PodTerm, ...]:
        items = of.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        return tuple(_term(item, namespace, labels, 0) for item in items)

    def preferred(of: Object, sign: int) -> Iterable[PodTerm]:
        for item in of.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
            yield _term(item["podAffinityTerm"], namespace, labels, sign * item["weight"])

    return PodTerms(required(near), required(far), (*preferred(near, 1), *preferred(far, -1)))


_NONE = PodTerms()


def _term(obj: Object, namespace: str, labels: Labels, weight: int) -> PodTerm:
    names = obj.get("namespaces") or ()
    namespace_selector = obj.get("namespaceSelector")
    if not names and namespace_selector is None:
        names = (namespace,)
    selector = _with_keys(
        obj.get("labelSelector"), labels, obj.get("matchLabelKeys") or (), obj.get("mismatchLabelKeys") or ()
    )
    return PodTerm(pod_selector(names, namespace_selector, selector), obj["topologyKey"], weight)


def spreads(spec: Object, namespace: str, labels: Labels) -> tuple[Spread, ...]:
    return tuple(_spread(item, namespace, labels) for item in spec.get("topologySpreadConstraints") or ())


def _spread(item: Object, namespace: str, labels: Labels) -> Spread:
    selector = _with_keys(item.get("labelSelector"), labels, item.get("matchLabelKeys") or (), ())
    pods = pod_selector((namespace,), None, selector)
    return Spread(
        pods=pods,
        topology=item["topologyKey"],
        max_skew=item["maxSkew"],
        hard=item["whenUnsatisfiable"] == "DoNotSchedule",
        min_domains=item.get("minDomains") or 1,
        honor_affinity=item.get("nodeAffinityPolicy", "Honor") == "Honor",
        honor_taints=item.get("nodeTaintsPolicy", "Ignore") == "Honor",
        self_matching=pods.selector is not None and pods.selector.matches(labels),
        counting=bool(selector and (selector.get("matchLabels") or selector.get("matchExpressions"))),
    )


@dataclass(frozen=True, slots=True)
class DefaultSpreading:
    """The constraints of pods that have none (KEP-1258), when a Service or a workload selects them."""

    constraints: tuple[Object, ...]
    system: bool = False
    """The cluster's own: nodes without a zone still take part."""

    def spreads(self, selector: Object, namespace: str, labels: Labels) -> tuple[Spread, ...]:
        items = [{**constraint, "labelSelector": selector} for constraint in self.constraints]
        return spreads({"topologySpreadConstraints": items}, namespace, labels)


_SOFT = {"whenUnsatisfiable": "ScheduleAnyway"}
SYSTEM_SPREADING = DefaultSpreading(
    ({"topologyKey": HOSTNAME, "maxSkew": 3, **_SOFT}, {"topologyKey": ZONE, "maxSkew": 5, **_SOFT}), system=True
)


def _with_keys(selector: Object | None, labels: Labels, same: Iterable[str], other: Iterable[str]) -> Object | None:
    """The selector with ``matchLabelKeys`` and ``mismatchLabelKeys`` (KEP-3633) resolved against the pod's labels."""
    extra: list[dict[str, Any]] = [
        {"key": key, "operator": operator, "values": [labels[key]]}
        for keys, operator in ((same, "In"), (other, "NotIn"))
        for key in keys
        if key in labels
    ]
    if selector is None or not extra:
        return selector
    return {**selector, "matchExpressions": [*(selector.get("matchExpressions") or ()), *extra]}


def pod_selector(namespaces: Iterable[str], namespace_selector: Object | None, selector: Object | None) -> PodSelector:
    names = frozenset(namespaces)
    texts = [json.dumps(obj, sort_keys=True) for obj in (namespace_selector, selector)]
    key = "\n".join([",".join(sorted(names)), *texts])
    return PodSelector(key, names, _parsed(texts[0]), _parsed(texts[1]))


@lru_cache(maxsize=SELECTOR_CACHE)
def _parsed(text: str) -> Selector | None:
    obj = json.loads(text)
    return None if obj is None else from_label_selector(obj)
