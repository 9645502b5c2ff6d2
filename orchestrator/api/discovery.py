"""What is served, as clients ask for it: the legacy documents of `/api` and `/apis`, and the aggregated one.

Every document is made from a list of resources, so that custom and aggregated ones take part like the built-in ones.
The caller caches: a document changes only when a definition does.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from typing import Any, Final

from orchestrator.api.schema import Resource
from orchestrator.apimachinery.encoded import Object

GROUP_ORDER: Final = (
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "resource.k8s.io",
    "storagemigration.k8s.io",
)
"""Clients take the first group that has a resource of the name they were given. Others follow by name."""

AGGREGATED_VERSION: Final = "apidiscovery.k8s.io/v2"

_ANY_ADDRESS: Final = "0.0.0.0/0"
_version = re.compile(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?").fullmatch


def api_versions(address: str) -> Object:
    """`/api`: the versions of the core group; ``address`` is the server's host and port."""
    served = [{"clientCIDR": _ANY_ADDRESS, "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": served}


def api_group_list(resources: Iterable[Resource]) -> Object:
    """`/apis`: all groups but the core, the preferred ones first."""
    groups = [_group(group, versions) for group, versions in _versions(resources).items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def api_group(group: str, resources: Iterable[Resource]) -> Object | None:
    """`/apis/<group>`; None: nothing is served in it."""
    versions = _versions(resources).get(group)
    return None if versions is None else {"kind": "APIGroup", "apiVersion": "v1", **_group(group, versions)}


def api_resource_list(group: str, version: str, resources: Iterable[Resource]) -> Object | None:
    """`/api/v1` and `/apis/<group>/<version>`; None: nothing is served in it."""
    found = sorted((each for each in resources if (each.group, each.version) == (group, version)), key=_plural)
    if not found:
        return None
    entries = [entry for each in found for entry in _entries(each)]
    head: Object = {"kind": "APIResourceList", "apiVersion": "v1"} if group else {"kind": "APIResourceList"}
    return {**head, "groupVersion": found[0].api_version, "resources": entries}


def aggregated(resources: Iterable[Resource], *, core: bool) -> Object:
    """The `APIGroupDiscoveryList` of `/api` (``core``) or of `/apis`: everything in one answer."""
    every = sorted(resources, key=_plural)
    groups = {group: versions for group, versions in _versions(every).items() if (group == "") is core}
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": AGGREGATED_VERSION,
        "metadata": {},
        "items": [_aggregated_group(group, versions, every) for group, versions in groups.items()],
    }


def version_order(version: str) -> tuple[int, int, int, str]:
    """Sorts versions as Kubernetes prefers them: v2, v1, v1beta2, v1beta1, v1alpha1, then any other by name."""
    match = _version(version)
    if match is None:
        return (3, 0, 0, version)
    stage = {None: 0, "beta": 1, "alpha": 2}[match[2]]
    return (stage, -int(match[1]), -int(match[3] or 0), version)


def _plural(resource: Resource) -> str:
    return resource.plural


def _versions(resources: Iterable[Resource]) -> dict[str, list[str]]:
    """Groups in the order of preference, each with its versions in theirs."""
    found: dict[str, set[str]] = {}
    for each in resources:
        found.setdefault(each.group, set()).add(each.version)
    known = {group: index for index, group in enumerate(GROUP_ORDER)}
    ordered = sorted(found, key=lambda group: (known.get(group, len(known)), group))
    return {group: sorted(found[group], key=version_order) for group in ordered}


def _group(group: str, versions: list[str]) -> Object:
    entries = [{"groupVersion": f"{group}/{version}" if group else version, "version": version} for version in versions]
    return {"name": group, "versions": entries, "preferredVersion": entries[0]}


def _entries(resource: Resource) -> list[Object]:
    """A resource and its subresources, as the legacy list has them: one after the other."""
    entry: Object = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
        **_names(resource),
    }
    if "delete" in resource.verbs:
        entry["storageVersionHash"] = storage_version_hash(resource)
    entries = [entry]
    for below in resource.subresources.values():
        other: Object = {"name": f"{resource.plural}/{below.name}", "singularName": ""}
        other["namespaced"] = resource.namespaced
        if (below.group, below.version) != (resource.group, resource.version):
            other |= {"group": below.group, "version": below.version}
        entries.append({**other, "kind": below.kind, "verbs": list(below.verbs)})
    return entries


STORED_AS: Final = {
    ("events.k8s.io", "events"): ("", "v1"),
    ("autoscaling", "horizontalpodautoscalers"): ("autoscaling", "v2"),
}
"""Group and version of the resources that are stored in another than the one they are served in."""


def storage_version_hash(resource: Resource) -> str:
    """Of the group, version and kind that objects are stored as: clients see by it that a migration is due."""
    group, version = STORED_AS.get((resource.group, resource.plural), (resource.group, resource.version))
    digest = hashlib.sha256(f"{group}/{version}/{resource.kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def _names(resource: Resource) -> dict[str, Any]:
    names = {"shortNames": list(resource.short_names), "categories": list(resource.categories)}
    return {key: value for key, value in names.items() if value}


def _aggregated_group(group: str, versions: list[str], resources: list[Resource]) -> Object:
    entries = [
        {
            "version": version,
            "resources": [_aggregated(each) for each in resources if (each.group, each.version) == (group, version)],
            "freshness": "Current",
        }
        for version in versions
    ]
    metadata = {"name": group} if group else {}
    return {"metadata": {**metadata, "creationTimestamp": None}, "versions": entries}


def _aggregated(resource: Resource) -> Object:
    entry: Object = {
        "resource": resource.plural,
        "responseKind": _kind(resource.group, resource.version, resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
        **_names(resource),
    }
    below = [
        {
            "subresource": each.name,
            "responseKind": _kind(each.group, each.version, each.kind),
            "verbs": list(each.verbs),
        }
        for each in resource.subresources.values()
    ]
    return {**entry, "subresources": below} if below else entry


def _kind(group: str, version: str, kind: str) -> Object:
    return {"group": group, "version": version, "kind": kind}
