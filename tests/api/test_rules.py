"""Every kind has rules; what may not change is said so."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.api.rules import generic, rules
from orchestrator.api.schema import schema
from orchestrator.apimachinery.copying import deep


@pytest.mark.parametrize("resource", schema().resources, ids=lambda each: f"{each.kind}.{each.group}/{each.version}")
def test_every_kind_has_rules_of_its_scope(resource: Any) -> None:
    its = rules(resource.group, resource.kind)
    assert (its.group, its.kind, its.namespaced) == (resource.group, resource.kind, resource.namespaced)


def test_a_kind_without_a_module_is_created_updated_and_printed() -> None:
    its = generic("example.com", "Widget", has_status=True, counted=True)
    old: dict[str, Any] = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "a", "namespace": "b", "resourceVersion": "1", "creationTimestamp": "t"},
        "spec": {"a": 1},
        "status": {"b": 2},
    }
    its.prepare_create(old)
    assert "status" not in old
    assert its.validate(old) == []
    new = {**deep(old), "spec": {"a": 2}}
    its.prepare_update(new, old)
    assert its.validate_update(new, old) == []
    assert new["metadata"]["generation"] == 2
    assert its.row(new, 0.0) == ["a", "t"]


def update_errors(group: str, kind: str, old: dict[str, Any], **changes: Any) -> list[str]:
    its = rules(group, kind)
    old = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a", "namespace": "b", "resourceVersion": "1"}, **old}
    its.default(old)
    new = {**deep(old), **changes}
    its.default(new)
    its.prepare_update(new, old)
    return [str(error) for error in its.validate_update(new, old)]


def test_an_immutable_map_stays() -> None:
    assert update_errors("", "ConfigMap", {"immutable": True, "data": {"a": "1"}}, data={"a": "2"}) == [
        "data: Forbidden: field is immutable when `immutable` is set"
    ]


def test_a_secret_keeps_its_type() -> None:
    errors = update_errors("", "Secret", {"type": "a/b"}, type="c/d")
    assert errors == ['type: Invalid value: "c/d": field is immutable']


def test_a_service_keeps_its_address() -> None:
    spec = {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "ports": [{"port": 80}]}
    assert update_errors("", "Service", {"spec": deep(spec)}, spec={"ports": [{"port": 81}]}) == []
    changed = {**deep(spec), "clusterIP": "10.0.0.2", "clusterIPs": ["10.0.0.2"]}
    assert update_errors("", "Service", {"spec": deep(spec)}, spec=changed) == [
        'spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'
    ]


def test_a_binding_keeps_its_role() -> None:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    errors = update_errors(
        reference["apiGroup"], "RoleBinding", {"roleRef": reference}, roleRef={**reference, "name": "s"}
    )
    assert len(errors) == 1
    assert errors[0].endswith("field is immutable")


def test_a_class_of_priority_keeps_its_value() -> None:
    errors = update_errors("scheduling.k8s.io", "PriorityClass", {"value": 1}, value=2)
    assert "value: Forbidden: may not be changed in an update." in errors


def test_a_stateful_set_keeps_its_service() -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template, "serviceName": "s"}
    assert update_errors("apps", "StatefulSet", {"spec": deep(spec)}, spec={**deep(spec), "replicas": 3}) == []
    errors = update_errors("apps", "StatefulSet", {"spec": deep(spec)}, spec={**deep(spec), "serviceName": "t"})
    assert errors[0].startswith("spec: Forbidden: updates to statefulset spec")
