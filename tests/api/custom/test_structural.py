"""Custom objects against their schemas, in Kubernetes' words."""

# ruff: noqa: E501 (a table: one case a line)

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.api.custom.structural import faults
from orchestrator.apimachinery.field import Path

ROOT = Path("spec")


def told(value: Any, **schema: Any) -> list[str]:
    return [str(fault) for fault in faults(value, schema, ROOT)]


@pytest.mark.parametrize(
    ("value", "schema", "text"),
    [
        ("x", {"type": "integer"}, 'spec: Invalid value: "string": spec in body must be of type integer: "string"'),
        (0, {"type": "integer", "minimum": 1}, "spec: Invalid value: 0: spec in body should be greater than or equal to 1"),
        (11, {"type": "integer", "maximum": 10}, "spec: Invalid value: 11: spec in body should be less than or equal to 10"),
        (1, {"type": "integer", "maximum": 1, "exclusiveMaximum": True}, "spec: Invalid value: 1: spec in body should be less than 1"),
        (7, {"type": "integer", "multipleOf": 2}, "spec: Invalid value: 7: spec in body should be a multiple of 2"),
        ("", {"type": "string", "minLength": 1}, 'spec: Invalid value: "": spec in body should be at least 1 chars long'),
        ("abc", {"type": "string", "maxLength": 2}, "spec: Too long: may not be more than 2 bytes"),
        ("b", {"type": "string", "pattern": "^a$"}, "spec: Invalid value: \"b\": spec in body should match '^a$'"),
        ("c", {"type": "string", "enum": ["a", "b"]}, 'spec: Unsupported value: "c": supported values: "a", "b"'),
        ("x", {"type": "string", "format": "date-time"}, 'spec: Invalid value: "x": spec in body must be of type date-time: "x"'),
        ([], {"type": "array", "minItems": 1}, "spec: Invalid value: 0: spec in body should have at least 1 items"),
        ([1, 2], {"type": "array", "maxItems": 1}, "spec: Too many: 2: must have at most 1 item"),
        ({}, {"type": "object", "required": ["a"]}, "spec.a: Required value"),
        ({}, {"type": "object", "minProperties": 1}, "spec: Invalid value: 0: spec in body should have at least 1 properties"),
        (1, {"type": "integer", "not": {"enum": [1]}}, 'spec: Invalid value: 1: "spec" must not validate the schema (not)'),
        (1, {"anyOf": [{"enum": [2]}]}, 'spec: Invalid value: 1: "spec" must validate at least one schema (anyOf)'),
        (
            1,
            {"oneOf": [{"enum": [1]}, {"minimum": 0}]},
            'spec: Invalid value: 1: "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives',
        ),
        (True, {"x-kubernetes-int-or-string": True}, 'spec: Invalid value: "boolean": spec in body must be of type integer,string: "boolean"'),
    ],
)  # fmt: skip
def test_a_fault_is_told_as_kubernetes_tells_it(value: Any, schema: dict[str, Any], text: str) -> None:
    assert told(value, **schema) == [text]


def test_places_below_are_named() -> None:
    schema = {
        "type": "object",
        "properties": {
            "list": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}}
        },
        "additionalProperties": {"type": "string"},
    }
    found = told({"list": [{"n": 1}, {"n": "x"}], "other": 1}, **schema)
    assert [each.partition(":")[0] for each in found] == ["spec.list[1].n", "spec.other"]


def test_sets_and_maps_hold_nothing_twice() -> None:
    assert told(["a", "b", "a"], type="array", **{"x-kubernetes-list-type": "set"}) == ['spec[2]: Duplicate value: "a"']
    keyed = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    assert told([{"name": "a", "v": 1}, {"name": "a", "v": 2}], type="array", **keyed) == [
        'spec[1]: Duplicate value: {"name":"a"}'
    ]


def test_null_is_a_value_only_where_it_may_be() -> None:
    assert told(None, type="string", nullable=True) == []
    assert told(None, type="string") == ['spec: Invalid value: "null": spec in body must be of type string: "null"']


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("ipv4", "192.0.2.1", "300.1.1.1"),
        ("ipv6", "::1", "1.2.3.4"),
        ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "x"),
        ("byte", "YQ==", "?"),
        ("date", "2026-11-27", "2026-13-01"),
        ("duration", "1h30m", "soon"),
        ("hostname", "a.example.com", "-a"),
    ],
)
def test_formats(name: str, good: str, bad: str) -> None:
    assert told(good, type="string", format=name) == []
    assert len(told(bad, type="string", format=name)) == 1


def test_a_format_that_nobody_checks_is_a_word_for_people() -> None:
    assert told("anything", type="string", format="colour") == []
