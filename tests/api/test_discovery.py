"""The discovery documents, as clients read them."""

from __future__ import annotations

from orchestrator.api.check import check
from orchestrator.api.discovery import (
    aggregated,
    api_group,
    api_group_list,
    api_resource_list,
    api_versions,
    version_order,
)
from orchestrator.api.schema import Resource, schema

RESOURCES = schema().resources
WIDGETS = Resource("example.com", "v1beta1", "Widget", "widgets", "widget", True, verbs=("get",))


def test_the_core_versions_name_the_address() -> None:
    document = api_versions("10.0.0.1:6443")
    assert document["versions"] == ["v1"]
    assert document["serverAddressByClientCIDRs"][0]["serverAddress"] == "10.0.0.1:6443"


def test_groups_come_in_the_order_of_preference_and_custom_ones_last() -> None:
    names = [group["name"] for group in api_group_list([*RESOURCES, WIDGETS])["groups"]]
    assert names[:3] == ["apiregistration.k8s.io", "apps", "events.k8s.io"]
    assert names[-1] == "example.com"
    assert "" not in names


def test_the_preferred_version_is_the_newest_stable_one() -> None:
    group = api_group("autoscaling", RESOURCES)
    assert group is not None
    assert group["preferredVersion"] == {"groupVersion": "autoscaling/v2", "version": "v2"}
    assert [entry["version"] for entry in group["versions"]] == ["v2", "v1"]


def test_versions_sort_as_kubernetes_prefers_them() -> None:
    given = ["v1alpha1", "foo", "v1", "v1beta1", "v2", "v10", "v1beta2"]
    assert sorted(given, key=version_order) == ["v10", "v2", "v1", "v1beta2", "v1beta1", "v1alpha1", "foo"]


def test_a_group_or_version_without_resources_is_none() -> None:
    assert api_group("example.com", RESOURCES) is None
    assert api_resource_list("apps", "v2", RESOURCES) is None


def test_the_resource_list_has_subresources_with_their_own_kind() -> None:
    document = api_resource_list("", "v1", RESOURCES)
    assert document is not None
    assert document["groupVersion"] == "v1"
    by_name = {entry["name"]: entry for entry in document["resources"]}
    assert by_name["pods"]["shortNames"] == ["po"]
    eviction = {"group": "policy", "version": "v1", "kind": "Eviction", "verbs": ["create"]}
    assert eviction.items() <= by_name["pods/eviction"].items()
    assert "group" not in by_name["pods/status"]


def test_the_aggregated_documents_hold_core_and_groups_apart() -> None:
    (core,) = aggregated(RESOURCES, core=True)["items"]
    assert "name" not in core["metadata"]
    assert {entry["resource"] for entry in core["versions"][0]["resources"]} >= {"pods", "nodes"}
    named = [item["metadata"]["name"] for item in aggregated([*RESOURCES, WIDGETS], core=False)["items"]]
    assert named[1] == "apps"
    assert named[-1] == "example.com"


def test_an_aggregated_resource_tells_scope_and_subresources() -> None:
    items = aggregated(RESOURCES, core=False)["items"]
    apps = next(item for item in items if item["metadata"]["name"] == "apps")["versions"][0]
    deployments = next(entry for entry in apps["resources"] if entry["resource"] == "deployments")
    assert deployments["scope"] == "Namespaced"
    assert deployments["responseKind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    scale = next(entry for entry in deployments["subresources"] if entry["subresource"] == "scale")
    assert scale["responseKind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    assert apps["freshness"] == "Current"


def test_the_documents_fit_their_own_types() -> None:
    facts = schema()
    for core in (True, False):
        document = aggregated(RESOURCES, core=core)
        outcome = check(document, facts.type("apidiscovery.k8s.io", "v2", "APIGroupDiscoveryList"))
        assert (outcome.unknown, outcome.errors) == ([], [])
    for listed in (api_resource_list("", "v1", RESOURCES), api_group_list(RESOURCES)):
        assert listed is not None
        outcome = check(listed, facts.named(f"io.k8s.apimachinery.pkg.apis.meta.v1.{listed['kind']}"))
        assert (outcome.unknown, outcome.errors) == ([], [])
