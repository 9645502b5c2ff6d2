"""Schemas that a definition may not have."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.api.custom.vetting import vet
from orchestrator.api.rules import rules
from orchestrator.apimachinery.field import Path
from tests.api.custom.definitions import SCHEMA, definition

AT = Path("schema")


def told(**properties: Any) -> list[str]:
    return [str(each) for each in vet({"type": "object", "properties": properties}, AT)]


def test_the_schema_of_the_tests_is_well() -> None:
    assert vet(SCHEMA, AT) == []


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({}, "schema.type: Required value: must not be empty at the root"),
        ({"type": "string"}, 'schema.type: Invalid value: "string": must be object at the root'),
    ],
)
def test_the_root_is_an_object(schema: dict[str, Any], text: str) -> None:
    assert [str(each) for each in vet(schema, AT)] == [text]


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({}, "schema.properties[a].type"),
        ({"type": "array"}, "schema.properties[a].items"),
        ({"type": "text"}, "schema.properties[a].type"),
        ({"type": "array", "items": {"type": "string"}, "uniqueItems": True}, "schema.properties[a].uniqueItems"),
        ({"type": "string", "$ref": "#/x"}, "schema.properties[a].$ref"),
        ({"type": "integer", "default": "x"}, "schema.properties[a].default"),
        (
            {"type": "integer", "x-kubernetes-validations": [{"rule": "self > nobody"}]},
            "schema.properties[a].x-kubernetes-validations[0].rule",
        ),
        (
            {"type": "integer", "x-kubernetes-validations": [{"rule": "self + 1"}]},
            "schema.properties[a].x-kubernetes-validations[0].rule",
        ),
    ],
)
def test_what_is_not_structural_is_refused_where_it_stands(given: dict[str, Any], place: str) -> None:
    assert [each.partition(": ")[0] for each in told(a=given)] == [place]


def test_a_definition_is_vetted_when_it_is_made() -> None:
    bad = {"type": "object", "properties": {"a": {}}}
    found = rules("apiextensions.k8s.io", "CustomResourceDefinition").validate(definition(schema=bad))
    wanted = "spec.versions[0].schema.openAPIV3Schema.properties[a].type"
    assert [each.field for each in found] == [wanted]
