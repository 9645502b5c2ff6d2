"""Self-healing and scaling, for real: programs are killed, probes fail, images are missing, pods get lost."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.e2e import workloads
from tests.e2e.space import Space

pytestmark = pytest.mark.e2e

FOREVER = "echo $$$$ > pid; touch ok; while true; do sleep 0.2; done"
"""Writes its process number (Kubernetes makes one dollar of two), and ``ok`` for probes to look at."""
REMOVE = "rm ok || busybox rm ok"
OK = {
    "exec": {"command": ["sh", "-c", "test -e ok"]},
    "periodSeconds": 1,
    "failureThreshold": 1,
    "timeoutSeconds": 10,  # a busy machine is no failure
}


def idle(space: Space, name: str, **container: Any) -> str:
    space.apply(workloads.pod(name, workloads.shell(space.runtime, FOREVER, **container)))
    space.ready(name)
    return name


def test_a_killed_container_is_restarted_with_back_off_and_counted(space: Space) -> None:
    name = idle(space, "victim")
    space.kill_container(name)
    space.wait("the first restart", lambda: space.restarts(name) == 1, 20)
    space.ready(name)
    space.kill_container(name)
    space.wait("the back-off shows", lambda: "CrashLoopBackOff" in space("get", "pod", name), 8)
    space.told("BackOff")
    space.wait("the second restart", lambda: space.restarts(name) == 2, 20)
    assert space("get", "pod", name).splitlines()[1].split()[3] == "2"


def test_a_failed_liveness_probe_restarts_the_container(space: Space) -> None:
    name = idle(space, "stuck", livenessProbe=OK)
    space.exec(name, REMOVE)
    space.wait("the restart", lambda: space.restarts(name) == 1, 20)
    space.told("Unhealthy", "Liveness probe failed")


def test_a_pod_that_fails_readiness_leaves_its_service_within_two_seconds(space: Space) -> None:
    port = [{"name": "http", "containerPort": workloads.PORT}]
    name = idle(space, "web", readinessProbe=OK, ports=port)
    space.apply(workloads.service("web"))
    space.wait("it is in the Service", lambda: space.endpoints("web") == {name})
    space.exec(name, REMOVE)
    began = time.monotonic()
    space.wait("it left the Service", lambda: not space.endpoints("web"), 10)
    assert time.monotonic() - began <= 2.0
    assert space.restarts(name) == 0
    space.exec(name, "touch ok")
    space.wait("it is back", lambda: space.endpoints("web") == {name}, 10)


def test_a_bad_image_is_an_error_first_and_then_backs_off_with_an_event(space: Space) -> None:
    space.apply(workloads.pod("bad", {"name": "main", "image": "no/such:image"}))

    def reason() -> str:
        statuses = space.json("get", "pod", "bad")["status"].get("containerStatuses") or [{}]
        said: str = statuses[0].get("state", {}).get("waiting", {}).get("reason", "")
        return said

    space.wait("the error", lambda: reason() == "ErrImagePull", 40)
    space.wait("the back-off", lambda: reason() == "ImagePullBackOff", 40)
    space.told("Failed", "no/such:image")
    space.told("BackOff", "no/such:image")


def test_a_lost_pod_is_replaced(space: Space) -> None:
    space.apply(workloads.web(space.runtime, "web", 2))
    space.rolled_out("web")
    before = {pod["metadata"]["name"] for pod in space.pods("web")}
    lost = sorted(before)[0]
    space("delete", "pod", lost, "--grace-period=0", "--force")
    space.rolled_out("web")
    after = {pod["metadata"]["name"] for pod in space.pods("web")}
    assert len(after) == 2
    assert lost not in after


def test_scale_goes_up_and_down(space: Space) -> None:
    space.apply(workloads.web(space.runtime, "web", 1))
    space.rolled_out("web")
    space("scale", "deployment/web", "--replicas=4")
    space.rolled_out("web")
    assert len(space.pods("web")) == 4
    space("scale", "deployment/web", "--replicas=1")
    space.wait("three are gone", lambda: len(space.pods("web")) == 1)
