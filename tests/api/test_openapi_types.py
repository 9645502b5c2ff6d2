"""Types of custom resources: what is pruned, what is kept, what is merged how."""

from __future__ import annotations

from typing import Any

from orchestrator.api.check import check
from orchestrator.api.openapi_types import from_openapi

WIDGET: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "default": 3},
                "port": {"x-kubernetes-int-or-string": True},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "template": {"type": "object", "x-kubernetes-embedded-resource": True},
                "parts": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "properties": {"name": {"type": "string"}}},
                },
            },
        }
    },
}
TYPE = from_openapi(WIDGET)


def widget(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": spec}


def test_an_object_that_fits_is_kept_as_it_is() -> None:
    given = widget(size=1, port="http", free={"a": {"b": []}}, labels={"a": ""}, parts=[{"name": ""}])
    assert check(given, TYPE).obj is given


def test_unknown_fields_are_pruned_and_named() -> None:
    outcome = check(widget(size=1, color="red", parts=[{"name": "a", "x": 1}]), TYPE)
    assert outcome.obj == widget(size=1, parts=[{"name": "a"}])
    assert outcome.unknown == ['unknown field "spec.color"', 'unknown field "spec.parts[0].x"']


def test_wrong_types_are_left_to_the_schema_validator() -> None:
    given = widget(size="large", parts="none", labels=[1], free=None)
    outcome = check(given, TYPE)
    assert outcome.obj is given
    assert outcome.errors == []


def test_metadata_is_decoded_like_every_metadata() -> None:
    outcome = check({**widget(), "metadata": {"name": "a", "labels": {"a": 1}, "foo": 1}}, TYPE)
    assert outcome.unknown == ['unknown field "metadata.foo"']
    assert outcome.errors == [
        "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string"
    ]


def test_embedded_objects_have_metadata() -> None:
    outcome = check(widget(template={"kind": "A", "metadata": {"name": "a", "foo": 1}, "x": 1}), TYPE)
    assert outcome.obj == widget(template={"kind": "A", "metadata": {"name": "a"}})


def test_merge_facts_and_defaults_are_known() -> None:
    spec = TYPE.fields["spec"].type
    assert (spec.fields["parts"].list_type, spec.fields["parts"].list_map_keys) == ("map", ("name",))
    assert spec.fields["size"].default == 3
    assert spec.fields["size"].required
    assert spec.fields["labels"].type.kind == "map"
