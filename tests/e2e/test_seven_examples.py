"""The examples of the seven things, applied as they are shipped (on Docker with an image of its own)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e import workloads
from tests.e2e.space import Space

pytestmark = pytest.mark.e2e

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(space: Space, name: str) -> None:
    text = (EXAMPLES / f"{name}.yaml").read_text().replace("podium/sh", workloads.SHELL[space.runtime])
    space.apply(*[document for document in yaml.safe_load_all(text) if document])


def job(space: Space, name: str) -> dict[str, Any]:
    status: dict[str, Any] = space.json("get", "job", name)["status"]
    return status


def test_jobs_run_to_completion_or_fail_as_they_say(space: Space) -> None:
    example(space, "batch")
    space("wait", "--for=condition=complete", "job/indexed", "--timeout=60s")
    assert job(space, "indexed")["completedIndexes"] == "0-2"
    lines = {space("logs", pod["metadata"]["name"]).strip() for pod in jobs_pods(space, "indexed")}
    assert lines == {"part 0", "part 1", "part 2"}
    space("wait", "--for=condition=failed", "job/failing", "--timeout=60s")
    reasons = {one["type"]: one.get("reason") for one in job(space, "failing")["conditions"]}
    assert reasons["Failed"] == "BackoffLimitExceeded"


def jobs_pods(space: Space, name: str) -> list[Any]:
    found: list[Any] = space.json("get", "pods", "-l", f"batch.kubernetes.io/job-name={name}")["items"]
    return found


def test_a_cron_job_makes_a_job_that_it_owns(space: Space) -> None:
    """By hand, so that the test need not wait for the next minute; schedules are tested in virtual time."""
    example(space, "batch")
    space("create", "job", "now", "--from=cronjob/minutely")
    space("wait", "--for=condition=complete", "job/now", "--timeout=60s")
    owner = space.json("get", "job", "now")["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"]) == ("CronJob", "minutely")


def test_a_stateful_set_keeps_names_and_data(space: Space) -> None:
    example(space, "storage")
    space.rolled_out("ledger", "statefulset")
    assert [pod["metadata"]["name"] for pod in space.pods("ledger")] == ["ledger-0", "ledger-1"]
    claims = space.json("get", "pvc")["items"]
    assert {claim["status"]["phase"] for claim in claims} == {"Bound"}
    read = "cat ${PODIUM_ROOT:-}/data/names"
    assert space.wait("what it wrote", lambda: space.exec("ledger-1", read)) == "ledger-1\n"
    uid = space.json("get", "pod", "ledger-1")["metadata"]["uid"]
    space("delete", "pod", "ledger-1")

    def again() -> bool:
        pod = space.json("get", "pod", "ledger-1")
        return bool(pod["metadata"]["uid"] != uid and space.exec("ledger-1", read) == "ledger-1\nledger-1\n")

    space.wait("the same claim under the same name", again)


def test_a_daemon_set_runs_on_every_node_and_updates(space: Space) -> None:
    example(space, "daemon")
    space.rolled_out("agent", "daemonset")
    nodes = {node["metadata"]["name"] for node in space.json("get", "nodes")["items"]}
    assert {pod["spec"]["nodeName"] for pod in space.pods("agent")} == nodes
    space("set", "env", "daemonset/agent", "COLOUR=blue")
    space.rolled_out("agent", "daemonset")
    container = space.pods("agent")[0]["spec"]["containers"][0]
    assert container["env"] == [{"name": "COLOUR", "value": "blue"}]


def test_load_brings_replicas(space: Space) -> None:
    example(space, "scaling")
    space.rolled_out("busy")
    space.wait("the autoscaler", lambda: space.json("get", "deployment", "busy")["spec"]["replicas"] == 2, 90)
    status = space.json("get", "hpa", "busy")["status"]
    assert status["desiredReplicas"] == 2
    assert status["currentMetrics"][0]["resource"]["current"]["averageUtilization"] > 50
    assert "busy-" in space("top", "pods")


def test_configuration_reaches_the_program(space: Space) -> None:
    example(space, "configuration")
    space.ready("reader")
    space.wait("its words", lambda: space("logs", "reader") == "colour blue\nblue\n")


def test_crashes_and_failed_probes_are_answered_by_restarts(space: Space) -> None:
    example(space, "healing")
    space.wait("the crasher's restart", lambda: space.restarts("crasher") >= 1)
    space.wait("the stuck one's restart", lambda: space.restarts("stuck") >= 1)
    space.told("Unhealthy")
