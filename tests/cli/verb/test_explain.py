from __future__ import annotations

from typing import Any

import pytest

from orchestrator.cli.terminal import CommandError
from orchestrator.cli.verb.explain import explain, split
from tests.cli.resources import DEPLOYMENTS, PODS, session

GVK = "x-kubernetes-group-version-kind"
SCHEMAS: dict[str, Any] = {
    "core.Pod": {
        "description": "a pod",
        GVK: [{"group": "", "version": "v1", "kind": "Pod"}],
        "properties": {"spec": {"description": "what it is", "allOf": [{"$ref": "#/components/schemas/core.PodSpec"}]}},
    },
    "core.PodSpec": {
        "required": ["containers"],
        "properties": {
            "containers": {"type": "array", "items": {"$ref": "#/components/schemas/core.Container"}},
            "nodeSelector": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
    "core.Container": {"properties": {"name": {"type": "string", "description": "its name"}}},
}


def test_fields_have_types_and_say_which_are_required() -> None:
    lines = explain(SCHEMAS, PODS, ["spec"], recursive=False)
    assert "FIELD: spec <PodSpec>" in lines
    assert "  containers\t<[]Container> -required-" in lines
    assert "  nodeSelector\t<map[string]string>" in lines
    assert "    what it is" in lines


def test_a_path_leads_through_lists() -> None:
    assert "FIELD: name <string>" in explain(SCHEMAS, PODS, ["spec", "containers", "name"], recursive=False)


def test_recursive_shows_everything_below() -> None:
    assert "      name\t<string>" in explain(SCHEMAS, PODS, [], recursive=True)


def test_a_field_that_is_not_there_is_said_with_those_that_are() -> None:
    with pytest.raises(CommandError, match=r"Pod.spec has no field 'x'; it has containers, nodeSelector"):
        explain(SCHEMAS, PODS, ["spec", "x"], recursive=False)


def test_a_group_in_the_path_is_no_field() -> None:
    assert split(session(), "deployments.apps.spec", "") == (DEPLOYMENTS, ["spec"])
    assert split(session(), "deploy.spec.replicas", "") == (DEPLOYMENTS, ["spec", "replicas"])
