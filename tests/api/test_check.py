"""What Go's decoder would say of an object, and what it would keep."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from orchestrator.api.check import Checked, check
from orchestrator.api.schema import schema

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {"app": "web"}, "creationTimestamp": "2026-01-02T03:04:05Z"},
    "spec": {
        "containers": [
            {
                "name": "nginx",
                "image": "nginx:1.27",
                "ports": [{"containerPort": 80, "protocol": "TCP"}],
                "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
                "livenessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 10},
            }
        ],
        "terminationGracePeriodSeconds": 0,
        "securityContext": {},
    },
    "status": {"containerStatuses": [{"name": "nginx", "ready": False, "restartCount": 0, "image": "", "imageID": ""}]},
}


def checked(obj: Any, group: str = "", version: str = "v1", kind: str = "Pod") -> Checked:
    return check(obj, schema().type(group, version, kind))


def deployment(**spec: Any) -> Checked:
    return checked({"metadata": {"name": "web"}, "spec": spec}, "apps", "v1", "Deployment")


def config_map(**fields: Any) -> Checked:
    return checked(fields, "", "v1", "ConfigMap")


def test_an_object_that_fits_comes_back_as_it_is() -> None:
    outcome = checked(POD)
    assert outcome.obj is POD
    assert (outcome.unknown, outcome.errors) == ([], [])


def test_unknown_fields_are_pruned_and_named_with_their_path() -> None:
    pod = copy.deepcopy(POD)
    pod["spec"]["foo"] = 1
    pod["spec"]["containers"][0]["livenessProbe"]["httpGet"]["bar"] = {}
    pod["baz"] = None
    given = copy.deepcopy(pod)
    outcome = checked(pod)
    assert outcome.obj == POD
    assert outcome.errors == []
    assert outcome.unknown == [
        'unknown field "spec.containers[0].livenessProbe.httpGet.bar"',
        'unknown field "spec.foo"',
        'unknown field "baz"',
    ]
    assert pod == given


def test_field_names_are_case_sensitive() -> None:
    assert deployment(Replicas=1).unknown == ['unknown field "spec.Replicas"']


def test_unknown_fields_are_collected_up_to_a_limit() -> None:
    assert len(checked({str(number): 1 for number in range(300)}).unknown) == 100


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ({"replicas": "3"}, "string into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ({"replicas": 1.5}, "number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ({"replicas": 2**31}, "number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ({"replicas": True}, "bool into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ({"paused": "yes"}, "string into Go struct field DeploymentSpec.spec.paused of type bool"),
        ({"template": []}, "array into Go struct field DeploymentSpec.spec.template of type v1.PodTemplateSpec"),
        ({"selector": {"matchLabels": {"a": 1}}}, None),
        (
            {"template": {"spec": {"containers": [{"env": [{"name": "A", "value": 1}]}]}}},
            "number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string",
        ),
        (
            {"template": {"spec": {"containers": {}}}},
            "object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container",
        ),
        (
            {"template": {"spec": {"containers": ["a"]}}},
            "string into Go struct field PodSpec.spec.template.spec.containers of type v1.Container",
        ),
        (
            {"template": {"spec": {"restartPolicy": 1}}},
            "number into Go struct field PodSpec.spec.template.spec.restartPolicy of type v1.RestartPolicy",
        ),
    ],
)
def test_wrong_types_are_reported_in_go_s_words(spec: dict[str, Any], error: str | None) -> None:
    error = error or "number into Go struct field LabelSelector.spec.selector.matchLabels of type string"
    assert deployment(**spec).errors == [f"json: cannot unmarshal {error}"]


def test_a_body_that_is_no_object_is_reported_without_a_field() -> None:
    outcome = checked([])
    assert outcome.errors == ["json: cannot unmarshal array into Go value of type v1.Pod"]
    assert outcome.obj == {}


def test_every_error_is_found_and_the_first_comes_first() -> None:
    errors = deployment(replicas="a", paused=1).errors
    assert [error.rsplit(".", 1)[1].split()[0] for error in errors] == ["replicas", "paused"]


def test_nulls_and_empty_optional_values_vanish() -> None:
    outcome = config_map(metadata={"name": "a", "labels": {}, "annotations": None, "namespace": ""}, immutable=None)
    assert outcome.obj == {"metadata": {"name": "a"}}
    assert outcome.unknown == []


def test_a_zero_behind_a_pointer_counts() -> None:
    assert deployment(replicas=0, minReadySeconds=0, paused=False).obj["spec"] == {"replicas": 0}
    assert config_map(immutable=False).obj == {"immutable": False}


def test_nulls_inside_lists_and_maps_keep_their_place() -> None:
    assert config_map(data={"a": None}).obj == {"data": {"a": ""}}
    container = deployment(template={"spec": {"containers": [{"args": ["a", None]}, None]}})
    assert container.obj["spec"]["template"]["spec"]["containers"] == [{"args": ["a", ""]}, {}]


@pytest.mark.parametrize(("given", "kept"), [(1, "1"), (0.5, "500m"), ("1000m", "1"), ("1024Mi", "1Gi"), (" 1 ", "1")])
def test_quantities_get_their_canonical_text(given: Any, kept: str) -> None:
    outcome = checked({"spec": {"containers": [{"resources": {"limits": {"cpu": given}}}]}})
    assert outcome.obj["spec"]["containers"][0]["resources"]["limits"]["cpu"] == kept


def test_a_wrong_quantity_is_reported_as_kubernetes_does() -> None:
    outcome = checked({"spec": {"containers": [{"resources": {"limits": {"cpu": "many"}}}]}})
    pattern = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
    assert outcome.errors == [f"quantities must match the regular expression '{pattern}'"]


def test_ports_may_be_numbers_or_names_and_nothing_else() -> None:
    def port(value: Any) -> Checked:
        return checked({"spec": {"ports": [{"port": 80, "targetPort": value}]}}, kind="Service")

    assert port("http").errors == port(80).errors == []
    assert port(True).errors == ["json: cannot unmarshal bool into Go value of type int32"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"),
        ("2026-01-02T03:04:05.123Z", "2026-01-02T03:04:05Z"),
        ("2028-02-29T03:04:05Z", "2028-02-29T03:04:05Z"),
    ],
)
def test_times_are_kept_in_utc_with_seconds(given: str, kept: str) -> None:
    outcome = checked({"metadata": {"creationTimestamp": given}})
    assert outcome.obj["metadata"]["creationTimestamp"] == kept
    assert outcome.errors == []


def test_a_wrong_time_is_reported_as_go_does() -> None:
    outcome = checked({"metadata": {"creationTimestamp": "tomorrow"}})
    assert outcome.errors == [
        'parsing time "tomorrow" as "2006-01-02T15:04:05Z07:00": cannot parse "tomorrow" as "2006"'
    ]


def test_micro_times_keep_microseconds() -> None:
    outcome = checked({"spec": {"renewTime": "2026-01-02T03:04:05Z"}}, "coordination.k8s.io", "v1", "Lease")
    assert outcome.obj["spec"]["renewTime"] == "2026-01-02T03:04:05.000000Z"


def test_secrets_hold_base64() -> None:
    def secret(value: Any) -> Checked:
        return checked({"data": {"a": value}}, kind="Secret")

    assert secret("aGk=").errors == []
    assert secret("aG k=").errors == ["illegal base64 data at input byte 2"]
    assert secret(1).errors == ["json: cannot unmarshal number into Go struct field Secret.data of type []uint8"]


def test_free_form_values_pass_with_all_they_hold() -> None:
    revision = {"revision": 1, "data": {"anything": [None, {"at": "all"}]}}
    assert checked(revision, "apps", "v1", "ControllerRevision").obj is revision


def crd(properties: Any) -> dict[str, Any]:
    versions = [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": properties}}]
    names = {"plural": "a", "kind": "A"}
    return {"spec": {"group": "g", "scope": "Cluster", "names": names, "versions": versions}}


def crd_checked(properties: Any) -> Checked:
    return checked(crd(properties), "apiextensions.k8s.io", "v1", "CustomResourceDefinition")


def test_schemas_inside_schemas_are_decoded() -> None:
    given = {
        "type": "object",
        "additionalProperties": {"items": {"type": "string", "default": None}},
        "properties": {"a": {"type": "integer", "enum": [1, None], "additionalProperties": False}},
    }
    kept = crd_checked(given).obj["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert kept["additionalProperties"] == {"items": {"type": "string"}}
    assert kept["properties"] == {"a": {"type": "integer", "enum": [1, None], "additionalProperties": False}}


def test_a_schema_too_deep_is_an_error_and_no_crash() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"not": deep}
    assert crd_checked(deep).errors == ["exceeded max depth of 100 objects"]
