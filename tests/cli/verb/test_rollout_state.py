from __future__ import annotations

from typing import Any

import pytest

from orchestrator.cli.verb.rollout_state import state


def deployment(**status: Any) -> dict[str, Any]:
    metadata = {"name": "web", "generation": 2}
    return {
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"replicas": 3},
        "status": {"observedGeneration": 2, **status},
    }


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"observedGeneration": 1}, "Waiting for deployment spec update to be observed..."),
        ({"updatedReplicas": 1}, "1 out of 3 new replicas have been updated..."),
        ({"updatedReplicas": 3, "replicas": 4}, "1 old replicas are pending termination..."),
        ({"updatedReplicas": 3, "replicas": 3, "availableReplicas": 2}, "2 of 3 updated replicas are available..."),
    ],
)
def test_a_deployment_under_way_says_what_it_waits_for(status: dict[str, Any], said: str) -> None:
    found = state(deployment(**status))
    assert found.text.endswith(said)
    assert not found.done


def test_a_deployment_is_done_when_all_are_new_and_available() -> None:
    found = state(deployment(updatedReplicas=3, replicas=3, availableReplicas=3))
    assert (found.text, found.done) == ('deployment "web" successfully rolled out', True)


def test_a_deadline_that_passed_is_a_failure() -> None:
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    assert state(deployment(conditions=[condition])).failed


def stateful_set(strategy: dict[str, Any], **status: Any) -> dict[str, Any]:
    spec = {"replicas": 3, "updateStrategy": strategy}
    return {"kind": "StatefulSet", "metadata": {"name": "db"}, "spec": spec, "status": status}


def test_a_stateful_set_waits_for_readiness_then_for_one_revision() -> None:
    rolling = {"type": "RollingUpdate"}
    assert state(stateful_set(rolling, readyReplicas=2)).text == "Waiting for 1 pods to be ready..."
    mixed = state(stateful_set(rolling, readyReplicas=3, currentRevision="a", updateRevision="b", updatedReplicas=1))
    assert not mixed.done
    assert state(stateful_set(rolling, readyReplicas=3, currentRevision="b", updateRevision="b")).done


def test_a_partition_is_done_when_the_upper_pods_are_new() -> None:
    partial = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    assert not state(stateful_set(partial, readyReplicas=3, updatedReplicas=0)).done
    assert state(stateful_set(partial, readyReplicas=3, updatedReplicas=1)).done


def test_a_daemon_set_is_done_when_every_node_has_a_new_available_pod() -> None:
    obj: dict[str, Any] = {"kind": "DaemonSet", "metadata": {"name": "d"}, "spec": {}}
    counts = {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1}
    assert not state({**obj, "status": counts}).done
    assert state({**obj, "status": {**counts, "numberAvailable": 2}}).done
