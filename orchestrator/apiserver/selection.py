"""Which objects a request selects: the parts that the store's index answers, and a test for the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import msgspec

from orchestrator.api.schema import Resource, schema
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Encoded
from orchestrator.apimachinery.field_selectors import FieldSelector, FieldTerm, parse_fields
from orchestrator.apimachinery.selectors import (
    Selector,
    SelectorError,
    parse_labels,
)
from orchestrator.apiserver.objects import rules_of
from orchestrator.client.protocol import Options

NAME = "metadata.name"
NAMESPACE = "metadata.namespace"


class Labelled(msgspec.Struct):
    """The little of a metadata part that selectors look at."""

    name: str = ""
    namespace: str = ""
    labels: dict[str, str] | None = None


_labelled = msgspec.msgpack.Decoder(Labelled).decode


@dataclass(frozen=True)
class Selection:
    """``name``: exactly this one. ``indexed`` is given to the store. ``matches`` tests what is left."""

    resource: Resource
    labels: Selector | None = None
    fields: FieldSelector | None = None
    name: str = ""
    indexed: dict[str, str] = field(default_factory=dict)

    @cached_property
    def everything(self) -> bool:
        """Whether what the store gives needs no test."""
        return self.labels is None and self.fields is None

    def matches(self, encoded: Encoded) -> bool:
        if self.labels is not None:
            labels = _labelled(encoded.metadata).labels
            if not self.labels.matches(labels or {}):
                return False
        return self.fields is None or self.fields.matches(self._fields(encoded))

    def _fields(self, encoded: Encoded) -> dict[str, str]:
        obj = encoded.decode()
        metadata = obj["metadata"]
        found = {NAME: metadata["name"], NAMESPACE: metadata.get("namespace", "")}
        return rules_of(self.resource).fields(obj) | found


def selection(resource: Resource, options: Options) -> Selection:
    """Raises BadRequest for a selector that does not parse or asks for a field that the kind does not offer."""
    try:
        labels = parse_labels(options.label_selector) if options.label_selector else None
        fields = parse_fields(options.field_selector) if options.field_selector else None
    except SelectorError as wrong:
        raise errors.bad_request(str(wrong)) from wrong
    if labels is not None and labels.empty:
        labels = None
    resource, fields = in_stored_form(resource, fields)
    if fields is None or fields.empty:
        return Selection(resource, labels)
    return _split(resource, labels, fields)


def in_stored_form(resource: Resource, fields: FieldSelector | None) -> tuple[Resource, FieldSelector | None]:
    """Selection looks at what is stored: the other form's field names are translated."""
    if (resource.group, resource.plural) != ("events.k8s.io", "events"):
        return resource, fields
    names = {"regarding": "involvedObject", "reportingController": "reportingComponent"}
    terms = []
    for term in fields.terms if fields else ():
        head, dot, rest = term.field.partition(".")
        terms.append(FieldTerm(names.get(head, head) + dot + rest, term.value, term.equal))
    stored = schema().resource("", "v1", "events")
    assert stored is not None
    return stored, FieldSelector(terms) if terms else None


def _split(resource: Resource, labels: Selector | None, fields: FieldSelector) -> Selection:
    index = rules_of(resource).index
    name, indexed, rest = "", {}, []
    for term in fields.terms:
        if term.equal and term.field == NAME and not name:
            name = term.value
        elif term.equal and term.value and term.field in index:
            indexed[term.field] = term.value
        else:
            rest.append(term)
    return Selection(resource, labels, _checked(resource, rest), name, indexed)


def _checked(resource: Resource, terms: list[FieldTerm]) -> FieldSelector | None:
    if not terms:
        return None
    custom = resource.custom
    own = SELECTABLE.get((resource.group, resource.kind)) if custom is None else frozenset(custom.selectable)
    for term in terms:
        if term.field in (NAME, NAMESPACE) or (own and term.field in own):
            continue
        if own:
            raise errors.bad_request(f"field label not supported: {term.field}")
        known = f'only "{NAME}", "{NAMESPACE}"'
        raise errors.bad_request(f'"{term.field}" is not a known field selector: {known}')
    return FieldSelector(terms)


_EVENT = frozenset(
    (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    )
)
SELECTABLE: dict[tuple[str, str], frozenset[str]] = {
    ("", "Pod"): frozenset(
        (
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        )
    ),
    ("", "Event"): _EVENT,
    ("", "Node"): frozenset(("spec.unschedulable",)),
    ("", "Namespace"): frozenset(("status.phase", "name")),
    ("", "Secret"): frozenset(("type",)),
    ("", "Service"): frozenset(("spec.clusterIP", "spec.type")),
    ("", "ReplicationController"): frozenset(("status.replicas",)),
    ("apps", "ReplicaSet"): frozenset(("status.replicas",)),
    ("batch", "Job"): frozenset(("status.successful",)),
    ("certificates.k8s.io", "CertificateSigningRequest"): frozenset(("spec.signerName",)),
    ("certificates.k8s.io", "PodCertificateRequest"): frozenset(("spec.signerName", "spec.podName", "spec.nodeName")),
    ("certificates.k8s.io", "ClusterTrustBundle"): frozenset(("spec.signerName",)),
    ("resource.k8s.io", "ResourceSlice"): frozenset(("spec.nodeName", "spec.driver")),
    ("networking.k8s.io", "IPAddress"): frozenset(("spec.parentRef.name",)),
}
"""The field labels of each kind, besides name and namespace."""
