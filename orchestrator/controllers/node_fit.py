"""Whether a pod's selectors and tolerations let it onto a node: what DaemonSets and volumes with affinity ask. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.view import View
from orchestrator.controllers.taints import NO_EXECUTE, NO_SCHEDULE, taints, tolerates

NAME_FIELD = "metadata.name"


class Fit(msgspec.Struct, frozen=True):
    start: bool
    """A pod belongs here."""
    stay: bool
    """A pod that runs here may go on."""


def fit(spec: Object, tolerations: Sequence[Object], node: View) -> Fit:
    """How a pod of this spec and these tolerations stands to the node."""
    named = spec.get("nodeName") or node.name
    if named != node.name or not (_selected(spec, node) and matches_terms(required_terms(spec), node)):
        return Fit(False, False)
    open_effects = set(_untolerated(tolerations, node))
    return Fit(not open_effects, NO_EXECUTE not in open_effects)


def required_terms(spec: Object) -> Sequence[Object] | None:
    """The alternatives of required node affinity; None when there is none."""
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity")) or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return None if required is None else required.get("nodeSelectorTerms") or ()


def matches_terms(terms: Sequence[Object] | None, node: View) -> bool:
    """One term must match whole; an empty one matches nothing."""
    return terms is None or any(_matches_term(term, node) for term in terms)


def _matches_term(term: Object, node: View) -> bool:
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not (expressions or fields):
        return False
    names = {NAME_FIELD: node.name}
    return all(_holds(one, node.labels) for one in expressions) and all(_holds(one, names) for one in fields)


def _holds(stated: Object, values: dict[str, str]) -> bool:
    key, wanted = stated["key"], stated.get("values") or ()
    held = values.get(key)
    match stated["operator"]:
        case "In":
            return held is not None and held in wanted
        case "NotIn":
            return held is None or held not in wanted
        case "Exists":
            return held is not None
        case "DoesNotExist":
            return held is None
        case "Gt" | "Lt" as operator:
            return _compares(held, wanted, greater=operator == "Gt")
    return False


def _compares(held: str | None, wanted: Sequence[str], *, greater: bool) -> bool:
    try:
        ours, theirs = int(held or ""), int(wanted[0])
    except (ValueError, IndexError):
        return False
    return ours > theirs if greater else ours < theirs


def _selected(spec: Object, node: View) -> bool:
    return (spec.get("nodeSelector") or {}).items() <= node.labels.items()


def _untolerated(tolerations: Sequence[Object], node: View) -> Iterable[str]:
    for taint in taints(node):
        effect = taint.get("effect", "")
        if effect not in (NO_SCHEDULE, NO_EXECUTE):
            continue
        if not any(tolerates(held, taint["key"], taint.get("value", ""), effect) for held in tolerations):
            yield effect
