"""The facts of the API: what is served, and what the types of it are."""

from __future__ import annotations

import pytest

from orchestrator.api.schema import Type, schema


def pod_spec() -> Type:
    return schema().type("", "v1", "Pod").fields["spec"].type


def test_a_resource_is_found_by_its_plural_and_by_its_kind() -> None:
    deployments = schema().resource("apps", "v1", "deployments")
    assert deployments is not None
    assert deployments is schema().kind("apps", "v1", "Deployment")
    assert deployments.short_names == ("deploy",)
    assert deployments.categories == ("all",)
    assert deployments.namespaced
    assert (deployments.singular, deployments.list_kind) == ("deployment", "DeploymentList")
    assert deployments.root == "/apis/apps/v1"


def test_a_resource_that_is_not_served_is_none() -> None:
    assert schema().resource("apps", "v1beta1", "deployments") is None


def test_subresources_name_the_kind_of_their_body() -> None:
    pods = schema().resource("", "v1", "pods")
    assert pods is not None
    eviction = pods.subresources["eviction"]
    assert (eviction.group, eviction.version, eviction.kind, eviction.verbs) == (
        "policy",
        "v1",
        "Eviction",
        ("create",),
    )
    assert set(pods.subresources) == {
        *("attach", "binding", "ephemeralcontainers", "eviction", "exec"),
        *("log", "portforward", "proxy", "resize", "status"),
    }


def test_every_served_kind_and_subresource_has_a_type() -> None:
    facts = schema()
    for resource in facts.resources:
        assert facts.type(resource.group, resource.version, resource.kind).kind == "object"
        if "list" in resource.verbs:
            assert "items" in facts.type(resource.group, resource.version, resource.list_kind).fields
        for below in resource.subresources.values():
            assert facts.type(below.group, below.version, below.kind).kind == "object"


def test_every_type_that_a_kind_leads_to_resolves() -> None:
    seen: set[str] = set()

    def walk(visited: Type) -> None:
        if visited.name in seen:
            return
        if visited.name:
            seen.add(visited.name)
        for each in visited.fields.values():
            walk(each.type)
        if visited.items is not None:
            walk(visited.items)

    for kind in schema().kinds():
        walk(schema().type(*kind))
    assert len(seen) > 700


@pytest.mark.parametrize(
    ("group", "version", "kind"),
    [
        ("", "v1", "Status"),
        ("", "v1", "DeleteOptions"),
        ("apps", "v1", "DeleteOptions"),
        ("", "v1", "List"),
        ("meta.k8s.io", "v1", "Table"),
        ("meta.k8s.io", "v1", "PartialObjectMetadataList"),
        ("", "v1", "APIResourceList"),
        ("autoscaling", "v1", "Scale"),
        ("authentication.k8s.io", "v1", "TokenRequest"),
        ("admission.k8s.io", "v1", "AdmissionReview"),
        ("apiextensions.k8s.io", "v1", "ConversionReview"),
    ],
)
def test_meta_kinds_have_types(group: str, version: str, kind: str) -> None:
    assert schema().type(group, version, kind).fields["kind"].type.kind == "string"


def test_a_kind_that_does_not_exist_is_named_in_the_error() -> None:
    with pytest.raises(KeyError, match='no kind "Pot" in "/v1"'):
        schema().type("", "v1", "Pot")


def test_lists_know_how_they_are_merged() -> None:
    containers = pod_spec().fields["containers"]
    assert containers.list_type == "map"
    assert containers.list_map_keys == ("name",)
    assert containers.merge_key == "name"
    assert containers.strategies == ("merge",)
    assert pod_spec().fields["volumes"].strategies == ("merge", "retainKeys")
    assert pod_spec().fields["tolerations"].list_type == "atomic"


def test_atomic_structs_say_so() -> None:
    spec = schema().type("apps", "v1", "Deployment").fields["spec"].type
    assert spec.fields["selector"].map_type == "atomic"


def test_required_pointers_defaults_and_numbers_are_known() -> None:
    spec = schema().type("apps", "v1", "Deployment").fields["spec"].type
    assert spec.required == {"selector", "template"}
    assert spec.fields["replicas"].pointer
    assert not spec.fields["minReadySeconds"].pointer
    assert spec.fields["replicas"].number == 1
    container = pod_spec().fields["containers"].type.items
    assert container is not None
    port = container.fields["ports"].type.items
    assert port is not None
    assert port.fields["protocol"].default == "TCP"
    assert port.fields["protocol"].type.enum == ("SCTP", "TCP", "UDP")


def test_embedded_structs_are_flattened_but_remembered_for_protobuf() -> None:
    volume = pod_spec().fields["volumes"].type.items
    assert volume is not None
    assert volume.fields["configMap"].type.short_name == "ConfigMapVolumeSource"
    assert [(each.number, each.type.short_name) for each in volume.inlined] == [(2, "VolumeSource")]


def test_go_names_are_those_of_decoding_errors() -> None:
    assert pod_spec().fields["containers"].type.go == "[]v1.Container"
    assert pod_spec().fields["nodeSelector"].type.go == "map[string]string"
    assert pod_spec().fields["restartPolicy"].type.go == "v1.RestartPolicy"
    assert pod_spec().fields["hostNetwork"].type.go == "bool"
