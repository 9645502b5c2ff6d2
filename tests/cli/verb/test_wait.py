from __future__ import annotations

from typing import Any

import pytest

from orchestrator.cli.terminal import CommandError
from orchestrator.cli.verb.wait import goal, why


def deployment(status: str, observed: int = 1) -> dict[str, Any]:
    condition = {"type": "Available", "status": status, "reason": "MinimumReplicasUnavailable", "message": "not yet"}
    return {
        "metadata": {"generation": 1},
        "spec": {"replicas": 3},
        "status": {"observedGeneration": observed, "conditions": [condition]},
    }


def test_a_condition_must_have_the_wanted_status() -> None:
    met, _ = goal("condition=available")
    assert met(deployment("True"))
    assert met(deployment("False")) is None
    assert goal("condition=Available=False")[0](deployment("False"))


def test_a_condition_of_an_older_generation_does_not_count() -> None:
    assert goal("condition=Available")[0](deployment("True", observed=0)) is None


def test_deletion_is_met_by_absence_and_creation_by_presence() -> None:
    assert goal("delete")[0](None)
    assert goal("delete")[0]({}) is None
    assert goal("create")[0]({})
    assert goal("create")[0](None) is None


@pytest.mark.parametrize(
    "text", ["jsonpath={.status.phase}=Running", "jsonpath='{.status.phase}'=Running", "jsonpath=.status.phase=Running"]
)
def test_a_path_must_find_the_value(text: str) -> None:
    met, _ = goal(text)
    assert met({"status": {"phase": "Running"}})
    assert met({"status": {"phase": "Pending"}}) is None


def test_a_path_alone_must_find_something() -> None:
    met, _ = goal("jsonpath={.status.ip}")
    assert met({"status": {"ip": "1.2.3.4"}})
    assert met({"status": {}}) is None


def test_a_goal_that_does_not_exist_is_refused() -> None:
    with pytest.raises(CommandError, match="found 'readiness'"):
        goal("readiness")


def test_what_stands_in_the_way_is_in_the_objects_own_words() -> None:
    assert why(deployment("False"), "condition Available") == "Available is False (MinimumReplicasUnavailable: not yet)"
    assert why(deployment("False"), "condition Nope") == "it has no condition Nope; it has Available"
    assert why({"metadata": {"finalizers": ["x/y"]}}, "delete") == "its finalizers are x/y"
    assert why(None, "create") == "it is not there"
