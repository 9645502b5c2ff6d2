"""A new pod's ``matchLabelKeys`` become part of its selectors: the scheduler then looks at selectors alone."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.apimachinery.encoded import Object

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def merge_label_keys(pod: Object) -> None:
    """In place, of affinity terms and spread constraints, with the pod's own labels."""
    spec, labels = pod["spec"], pod["metadata"].get("labels") or {}
    for term in _terms(spec.get("affinity") or {}):
        _merge(term, "matchLabelKeys", "In", labels)
        _merge(term, "mismatchLabelKeys", "NotIn", labels)
    for constraint in spec.get("topologySpreadConstraints") or ():
        _merge(constraint, "matchLabelKeys", "In", labels)


def _terms(affinity: Object) -> Iterator[Object]:
    for key in ("podAffinity", "podAntiAffinity"):
        part = affinity.get(key) or {}
        yield from part.get(_REQUIRED) or ()
        for weighted in part.get(_PREFERRED) or ():
            if weighted.get("podAffinityTerm"):
                yield weighted["podAffinityTerm"]


def _merge(holder: Object, field: str, operator: str, labels: Object) -> None:
    keys = holder.get(field)
    selector = holder.get("labelSelector")
    if not keys or selector is None:
        return
    more = [{"key": key, "operator": operator, "values": [labels[key]]} for key in keys if key in labels]
    if more:
        selector["matchExpressions"] = [*(selector.get("matchExpressions") or ()), *more]
