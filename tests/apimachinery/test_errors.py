"""Status errors carry the texts, reasons, codes and details that clients look at."""

from __future__ import annotations

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.field import Path, invalid, required


def test_not_found_names_the_plural() -> None:
    status = errors.not_found("", "pods", "x").status
    assert status["message"] == 'pods "x" not found'
    assert status["details"] == {"name": "x", "kind": "pods"}
    assert (status["code"], status["reason"]) == (404, "NotFound")


def test_a_conflict_names_resource_and_group() -> None:
    error = errors.conflict("apps", "deployments", "x")
    assert error.message == (
        'Operation cannot be fulfilled on deployments.apps "x": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


def test_one_fault_stands_alone_in_the_message() -> None:
    error = errors.invalid("apps", "Deployment", "x", [invalid(Path("spec").child("replicas"), -1, "too few")])
    assert error.message == 'Deployment.apps "x" is invalid: spec.replicas: Invalid value: -1: too few'


def test_many_faults_stand_in_brackets_and_each_is_a_cause() -> None:
    error = errors.invalid("", "Pod", "x", [required("a"), required("b"), required("b")])
    assert error.message == 'Pod "x" is invalid: [a: Required value, b: Required value]'
    assert error.status["details"]["causes"][0] == {
        "reason": "FieldValueRequired",
        "message": "Required value",
        "field": "a",
    }


def test_forbidden_without_a_name_leaves_the_quotes_out() -> None:
    assert errors.forbidden("", "pods", "", "why").message == "pods is forbidden: why"


def test_a_revision_from_the_future_is_a_timeout_with_its_cause() -> None:
    status = errors.too_large_resource_version(9, 5).status
    assert status["message"] == "Timeout: Too large resource version: 9, current: 5"
    assert status["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert status["details"]["retryAfterSeconds"] == 1


def test_a_received_status_becomes_the_same_error() -> None:
    sent = errors.already_exists("", "pods", "x")
    assert errors.from_status(sent.status).code == 409
