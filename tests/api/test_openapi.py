"""The OpenAPI documents, as kubectl and client generators read them."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import orjson
import pytest

from orchestrator.api.openapi import fingerprint, openapi_v2, openapi_v3, openapi_v3_root
from orchestrator.api.schema import Resource, Subresource, schema

RESOURCES = schema().resources
WIDGETS = Resource(
    *("example.com", "v1", "Widget", "widgets", "widget", True),
    verbs=("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"),
    subresources={"status": Subresource("status", ("get", "patch", "update"), "example.com", "v1", "Widget")},
)
KIND = ("example.com", "v1", "Widget")


@cache
def document(path: str) -> dict[str, Any]:
    made = openapi_v3(path, RESOURCES)
    assert made is not None
    return made


@cache
def second() -> dict[str, Any]:
    return openapi_v2(RESOURCES)


def custom(schema: dict[str, Any] | None, version: int = 3) -> dict[str, Any]:
    if version == 2:
        return openapi_v2([WIDGETS], {KIND: schema})
    made = openapi_v3("apis/example.com/v1", [WIDGETS], {KIND: schema})
    assert made is not None
    return made


def test_the_root_leads_to_every_group_and_version() -> None:
    paths = openapi_v3_root(RESOURCES)["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/autoscaling/v2"} <= paths.keys()
    assert re.fullmatch(r"/openapi/v3/apis/apps/v1\?hash=[0-9A-F]{32}", paths["apis/apps/v1"]["serverRelativeURL"])


def test_the_hash_changes_with_a_definition() -> None:
    first = fingerprint([WIDGETS], {KIND: {"type": "object"}})
    assert first == fingerprint([WIDGETS], {KIND: {"type": "object"}})
    assert first != fingerprint([WIDGETS], {KIND: {"type": "object", "nullable": True}})


def test_what_is_not_served_has_no_document() -> None:
    assert openapi_v3("apis/apps/v2", RESOURCES) is None


@pytest.mark.parametrize("path", sorted(openapi_v3_root(RESOURCES)["paths"]))
def test_every_reference_of_a_document_leads_somewhere(path: str) -> None:
    text = orjson.dumps(document(path)).decode()
    wanted = set(re.findall(r"#/components/schemas/([\w.-]+)", text))
    assert wanted <= document(path)["components"]["schemas"].keys()


def test_every_reference_of_version_2_leads_somewhere() -> None:
    text = orjson.dumps(second()).decode()
    assert set(re.findall(r"#/definitions/([\w.-]+)", text)) <= second()["definitions"].keys()
    assert "#/components" not in text


def test_operations_have_names_of_their_own() -> None:
    for found in (document("api/v1"), second()):
        items = found["paths"].values()
        names = [each["operationId"] for item in items for method, each in item.items() if method != "parameters"]
        assert len(names) == len(set(names))


def test_a_patch_tells_kubectl_that_the_server_validates() -> None:
    patch = document("apis/apps/v1")["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert "fieldValidation" in [each["name"] for each in patch["parameters"]]
    assert "application/strategic-merge-patch+json" in patch["requestBody"]["content"]
    assert patch["operationId"] == "patchAppsV1NamespacedDeployment"


def test_subresources_have_the_kind_of_their_body() -> None:
    paths = document("api/v1")["paths"]
    eviction = paths["/api/v1/namespaces/{namespace}/pods/{name}/eviction"]["post"]
    assert eviction["requestBody"]["content"]["*/*"]["schema"]["$ref"].endswith("policy.v1.Eviction")
    log = paths["/api/v1/namespaces/{namespace}/pods/{name}/log"]["get"]
    assert "tailLines" in [each["name"] for each in log["parameters"]]
    assert "/api/v1/namespaces/{namespace}/pods/{name}/proxy/{path}" in paths


def test_components_carry_types_requirements_and_merge_facts() -> None:
    schemas = document("api/v1")["components"]["schemas"]
    spec = schemas["io.k8s.api.core.v1.PodSpec"]
    assert spec["required"] == ["containers"]
    assert spec["properties"]["containers"] == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/io.k8s.api.core.v1.Container"},
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "x-kubernetes-patch-merge-key": "name",
        "x-kubernetes-patch-strategy": "merge",
    }
    assert spec["properties"]["restartPolicy"] == {"type": "string", "enum": ["Always", "Never", "OnFailure"]}
    port = schemas["io.k8s.api.core.v1.ContainerPort"]["properties"]["protocol"]
    assert port["default"] == "TCP"
    assert schemas["io.k8s.api.core.v1.Pod"]["x-kubernetes-group-version-kind"] == [
        {"group": "", "version": "v1", "kind": "Pod"}
    ]


def test_the_two_versions_differ_where_their_words_do() -> None:
    name = "io.k8s.apimachinery.pkg.api.resource.Quantity"
    assert document("api/v1")["components"]["schemas"][name] == {"oneOf": [{"type": "string"}, {"type": "number"}]}
    assert second()["definitions"][name] == {"type": "string"}


def test_version_2_says_bodies_and_parameters_in_its_own_way() -> None:
    create = second()["paths"]["/api/v1/namespaces/{namespace}/pods"]["post"]
    body = create["parameters"][0]
    assert body == {
        "name": "body",
        "in": "body",
        "schema": {"$ref": "#/definitions/io.k8s.api.core.v1.Pod"},
        "required": True,
    }
    assert create["responses"]["201"]["schema"]["$ref"] == "#/definitions/io.k8s.api.core.v1.Pod"
    assert all("type" in each for each in create["parameters"][1:])


def test_a_custom_kind_is_published_with_metadata_and_a_list() -> None:
    schemas = custom({"type": "object", "properties": {"spec": {"type": "string"}}})["components"]["schemas"]
    widget = schemas["com.example.v1.Widget"]
    assert set(widget["properties"]) == {"apiVersion", "kind", "metadata", "spec"}
    assert widget["x-kubernetes-group-version-kind"] == [{"group": "example.com", "version": "v1", "kind": "Widget"}]
    assert schemas["com.example.v1.WidgetList"]["required"] == ["items"]


def test_a_custom_kind_has_no_strategic_patch() -> None:
    paths = custom(None)["paths"]
    patch = paths["/apis/example.com/v1/namespaces/{namespace}/widgets/{name}"]["patch"]
    assert "application/strategic-merge-patch+json" not in patch["requestBody"]["content"]
    assert "/apis/example.com/v1/namespaces/{namespace}/widgets/{name}/status" in paths


def test_a_custom_kind_without_schema_is_any_object() -> None:
    for version, place in ((2, "definitions"), (3, "components")):
        found = custom(None, version)[place]
        widget = (found["schemas"] if version == 3 else found)["com.example.v1.Widget"]
        assert widget["type"] == "object"
        assert "properties" not in widget


def test_version_2_drops_what_it_cannot_say_of_a_custom_kind() -> None:
    properties = {
        "nullable": {"type": "object", "nullable": True, "properties": {"a": {"type": "string"}}},
        "choice": {"type": "string", "oneOf": [{"format": "ipv4"}]},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    }
    spec = {"type": "object", "required": ["choice", "nullable"], "properties": properties}
    found = custom({"type": "object", "properties": {"spec": spec}}, 2)["definitions"]["com.example.v1.Widget"]
    assert found["properties"]["spec"] == {
        "type": "object",
        "required": ["choice"],
        "properties": {
            "nullable": {},
            "choice": {"type": "string"},
            "free": {"x-kubernetes-preserve-unknown-fields": True},
        },
    }


def test_version_2_of_a_custom_kind_with_unknown_fields_says_nothing_of_its_fields() -> None:
    given = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"a": {"type": "string"}}}
    assert "properties" not in custom(given, 2)["definitions"]["com.example.v1.Widget"]
