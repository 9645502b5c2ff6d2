"""Node selectors: terms are alternatives, the requirements inside a term must all hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from orchestrator.apimachinery.encoded import Object

NAME_FIELD = "metadata.name"


class Requirement(msgspec.Struct, frozen=True, array_like=True):
    key: str
    operator: str
    values: tuple[str, ...]

    def holds(self, value: str | None) -> bool:
        """Does a node whose label (or field) has ``value`` (None: has none) meet this requirement?"""
        match self.operator:
            case "In":
                return value is not None and value in self.values
            case "NotIn":
                return value is None or value not in self.values
            case "Exists":
                return value is not None
            case "DoesNotExist":
                return value is None
            case "Gt" | "Lt":
                return value is not None and self._compares(value)
        return False

    def _compares(self, value: str) -> bool:
        try:
            theirs, ours = int(value), int(self.values[0])
        except (ValueError, IndexError):
            return False
        return theirs > ours if self.operator == "Gt" else theirs < ours


class NodeTerm(msgspec.Struct, frozen=True, array_like=True):
    """A term without requirements matches no node."""

    labels: tuple[Requirement, ...]
    fields: tuple[Requirement, ...]

    @property
    def empty(self) -> bool:
        return not self.labels and not self.fields

    def names(self) -> frozenset[str] | None:
        """The only node names this term can match, None when it is not tied to names."""
        allowed: frozenset[str] | None = None
        for requirement in self.fields:
            if requirement.key == NAME_FIELD and requirement.operator == "In":
                these = frozenset(requirement.values)
                allowed = these if allowed is None else allowed & these
        return allowed


class Preference(msgspec.Struct, frozen=True, array_like=True):
    weight: int
    term: NodeTerm


def node_term(obj: Object) -> NodeTerm:
    return NodeTerm(
        tuple(_requirements(obj.get("matchExpressions") or ())), tuple(_requirements(obj.get("matchFields") or ()))
    )


def _requirements(objects: Iterable[Object]) -> Iterable[Requirement]:
    for obj in objects:
        yield Requirement(obj["key"], obj["operator"], tuple(obj.get("values") or ()))


def matches_labels(
    selector: Mapping[str, str], terms: Iterable[NodeTerm] | None, name: str, labels: Mapping[str, str]
) -> bool:
    """Does one node match a ``nodeSelector`` and the alternatives of required affinity (None: there is none)?"""
    if any(labels.get(key) != value for key, value in selector.items()):
        return False
    return terms is None or any(_matches(term, name, labels) for term in terms)


def _matches(term: NodeTerm, name: str, labels: Mapping[str, str]) -> bool:
    if term.empty or any(requirement.key != NAME_FIELD for requirement in term.fields):
        return False
    return all(each.holds(labels.get(each.key)) for each in term.labels) and all(
        each.holds(name) for each in term.fields
    )


def required_terms(spec: Object) -> tuple[NodeTerm, ...] | None:
    """The alternatives of required node affinity; None when the pod has none."""
    required = _node_affinity(spec).get("requiredDuringSchedulingIgnoredDuringExecution")
    return None if required is None else tuple(node_term(term) for term in required.get("nodeSelectorTerms") or ())


def preferences(spec: Object) -> tuple[Preference, ...]:
    preferred = _node_affinity(spec).get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    return tuple(Preference(item["weight"], node_term(item.get("preference") or {})) for item in preferred)


def _node_affinity(spec: Object) -> Object:
    affinity: Object = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    return affinity
