"""ObjectMeta is checked as upstream checks it."""

from __future__ import annotations

from random import Random

from orchestrator.apimachinery.field import Path
from orchestrator.apimachinery.meta import (
    controller_of,
    generate_name,
    validate_annotations,
    validate_object_meta,
    validate_object_meta_update,
)

GOOD = {"name": "a", "namespace": "b", "uid": "1", "resourceVersion": "1"}


def texts(errors: list[object]) -> list[str]:
    return [str(error) for error in errors]


def test_a_good_object_has_no_errors() -> None:
    assert validate_object_meta(GOOD, True) == []


def test_a_name_is_required() -> None:
    found = texts([*validate_object_meta({"namespace": "b"}, True)])
    assert found == ["metadata.name: Required value: name or generateName is required"]


def test_a_cluster_object_has_no_namespace() -> None:
    found = texts([*validate_object_meta(GOOD, False)])
    assert found == ["metadata.namespace: Forbidden: not allowed on this type"]


def test_a_prefix_may_end_in_a_dash() -> None:
    assert validate_object_meta({**GOOD, "generateName": "a-"}, True) == []


def test_the_uid_never_changes() -> None:
    found = texts([*validate_object_meta_update({**GOOD, "uid": "2"}, GOOD)])
    assert found == ['metadata.uid: Invalid value: "2": field is immutable']


def test_nobody_adds_a_finalizer_to_what_is_being_deleted() -> None:
    old = {**GOOD, "deletionTimestamp": "t", "finalizers": ["a/b"]}
    found = texts([*validate_object_meta_update({**old, "finalizers": ["a/b", "a/c"]}, old)])
    assert found == [
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
        'found new finalizers []string{"a/c"}'
    ]


def test_annotations_have_a_bound_together() -> None:
    found = validate_annotations({"a": "x" * 256 * 1024}, Path("metadata", "annotations"))
    assert texts([*found]) == ["metadata.annotations: Too long: may not be more than 262144 bytes"]


def test_only_one_owner_controls() -> None:
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "1", "controller": True}
    errors = validate_object_meta({**GOOD, "ownerReferences": [owner, {**owner, "uid": "2"}]}, True)
    assert "Only one reference can have Controller set to true" in errors[0].detail
    assert controller_of({"ownerReferences": [owner]}) == owner


def test_generated_names_come_from_the_given_randomness_and_fit() -> None:
    assert generate_name("a-", Random(1)) == generate_name("a-", Random(1))
    assert len(generate_name("a" * 100, Random(1))) == 63
