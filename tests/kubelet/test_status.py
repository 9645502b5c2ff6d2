"""The status that a pod gets from what is observed of it."""

from __future__ import annotations

from typing import Any

from orchestrator.kubelet.backoff import Backoff
from orchestrator.kubelet.observed import Failure, Memory, Observed, Verdict
from orchestrator.kubelet.pod import Pod
from orchestrator.kubelet.probe import begin
from orchestrator.kubelet.status import Host, pod_status
from tests.kubelet.pods import NOW, container, deleted, exited, manifest, observed, pod, running, view

HOST = Host("192.0.2.1", "simulated")


def status(wanted: Pod, seen: Observed, now: float = NOW) -> dict[str, Any]:
    return pod_status(wanted, seen, HOST, now)


def condition(found: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(one for one in found["conditions"] if one["type"] == kind)


def test_a_running_pod_is_ready_and_has_its_addresses() -> None:
    found = status(pod(), observed(running()))
    assert found["phase"] == "Running"
    assert {one["type"]: one["status"] for one in found["conditions"]} == {
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "Ready": "True",
        "ContainersReady": "True",
        "PodScheduled": "True",
    }
    assert (found["podIP"], found["podIPs"]) == ("10.64.0.1", [{"ip": "10.64.0.1"}])
    assert (found["hostIP"], found["hostIPs"]) == ("192.0.2.1", [{"ip": "192.0.2.1"}])
    assert (found["startTime"], found["observedGeneration"]) == ("2027-01-15T08:00:00Z", 1)
    assert found["containerStatuses"] == [
        {
            "name": "app",
            "state": {"running": {"startedAt": "2027-01-15T08:00:00Z"}},
            "lastState": {},
            "ready": True,
            "restartCount": 0,
            "image": "nginx:1",
            "imageID": "sha",
            "containerID": "simulated://app-0",
            "started": True,
        }
    ]


def test_a_pod_without_containers_yet_is_pending_and_says_what_it_waits_for() -> None:
    found = status(pod(), observed())
    assert found["phase"] == "Pending"
    assert found["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert condition(found, "Ready")["message"] == "containers with unready status: [app]"


def test_containers_wait_for_init_containers() -> None:
    found = status(pod(initContainers=[container("init")]), observed(running("init")))
    assert found["phase"] == "Pending"
    assert found["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert condition(found, "Initialized")["reason"] == "ContainersNotInitialized"


def test_a_transition_time_stays_while_the_status_of_a_condition_stays() -> None:
    obj = manifest()
    obj["status"] = status(view(obj), observed(running()))
    later = status(view(obj), observed(running()), NOW + 100)
    assert later == obj["status"]
    unready = status(view(obj), observed(exited()), NOW + 100)
    assert condition(unready, "Ready")["lastTransitionTime"] == "2027-01-15T08:01:40Z"
    assert condition(unready, "PodScheduled")["lastTransitionTime"] == "2027-01-15T08:00:00Z"


def test_a_container_in_its_back_off_waits_and_keeps_its_end_as_last_state() -> None:
    seen = observed(exited(attempt=1), memory={"app": Memory(backoff=Backoff(10.0, NOW - 1))})
    found = status(pod(), seen)["containerStatuses"][0]
    assert found["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert found["state"]["waiting"]["message"].startswith(
        "back-off 10s restarting failed container=app pod=web_default("
    )
    assert found["lastState"]["terminated"]["exitCode"] == 1
    assert found["restartCount"] == 1


def test_a_failed_pull_shows_its_error_and_then_its_back_off() -> None:
    failure = Failure("ErrImagePull", "no such image", NOW, "ImagePullBackOff", NOW + 10)
    seen = observed(memory={"app": Memory(failure=failure)})
    reasons = [status(pod(), seen, now)["containerStatuses"][0]["state"]["waiting"]["reason"] for now in (NOW, NOW + 2)]
    assert reasons == ["ErrImagePull", "ImagePullBackOff"]


def test_a_pod_that_never_restarts_succeeds_or_fails_with_its_containers() -> None:
    done = status(pod(restartPolicy="Never"), observed(exited(code=0)))
    assert (done["phase"], condition(done, "Ready")["reason"]) == ("Succeeded", "PodCompleted")
    failed = status(pod(restartPolicy="Never"), observed(exited(code=3)))
    assert (failed["phase"], condition(failed, "Ready")["reason"]) == ("Failed", "PodFailed")
    assert failed["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 3


def test_a_verdict_of_the_kubelet_is_a_failed_pod_with_its_reason() -> None:
    found = status(pod(), observed(exited(code=137), verdict=Verdict("DeadlineExceeded", "too long")))
    assert (found["phase"], found["reason"], found["message"]) == ("Failed", "DeadlineExceeded", "too long")


def test_a_readiness_probe_that_has_not_passed_keeps_the_pod_unready() -> None:
    wanted = pod(container(readinessProbe={"tcpSocket": {"port": 80}}))
    probing = begin(wanted.spec.containers[0], NOW)
    found = status(wanted, observed(running(), memory={"app": Memory(probing=probing)}))
    assert (found["phase"], condition(found, "Ready")["status"]) == ("Running", "False")
    assert found["containerStatuses"][0]["started"] is True


def test_readiness_gates_hold_ready_back_but_not_containers_ready() -> None:
    wanted = pod(readinessGates=[{"conditionType": "example.com/gate"}])
    found = status(wanted, observed(running()))
    assert condition(found, "ContainersReady")["status"] == "True"
    assert condition(found, "Ready")["reason"] == "ReadinessGatesNotReady"


def test_conditions_of_others_are_passed_on() -> None:
    obj = manifest()
    gate = {"type": "example.com/gate", "status": "True"}
    obj["status"]["conditions"] = [{"type": "PodScheduled", "status": "True"}, gate]
    assert gate in status(view(obj), observed(running()))["conditions"]


def test_a_deleted_pod_whose_containers_ended_is_over() -> None:
    obj = deleted(manifest())
    obj["status"]["phase"] = "Running"
    seen = observed(exited(code=0), terminating_since=NOW)
    assert status(view(obj), seen)["phase"] == "Succeeded"


def test_a_restarted_container_shows_how_the_attempt_before_ended() -> None:
    found = status(pod(), observed(exited(code=7), running(attempt=1)))["containerStatuses"][0]
    assert found["lastState"]["terminated"]["exitCode"] == 7
    assert (found["restartCount"], found["ready"]) == (1, True)
