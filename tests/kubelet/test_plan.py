"""What the kubelet does next for a pod, by what is wanted and what is observed."""

from __future__ import annotations

import msgspec

from orchestrator.kubelet.action import (
    CreateSandbox,
    DeletePod,
    KillContainer,
    PrepareVolumes,
    RemoveContainer,
    RemovePod,
    RunContainer,
    SignalContainer,
    StopContainer,
    StopSandbox,
)
from orchestrator.kubelet.backoff import Backoff
from orchestrator.kubelet.observed import Failure, Memory, Observed, Stopping
from orchestrator.kubelet.plan import Plan, plan_pod
from orchestrator.kubelet.pod import Pod
from orchestrator.kubelet.runtime.runtime import State
from tests.kubelet.pods import NOW, container, deleted, exited, manifest, observed, pod, running, view

SIDECAR = container("side", restartPolicy="Always")
INIT = container("init")


def names(plan: Plan) -> list[str]:
    return [type(one).__name__ for one in plan.actions]


def runs(wanted: Pod, seen: Observed, now: float = NOW) -> list[str]:
    return [one.name for one in plan_pod(wanted, seen, now).actions if isinstance(one, RunContainer)]


def test_a_new_pod_gets_volumes_a_sandbox_and_all_its_containers() -> None:
    plan = plan_pod(pod(container("a"), container("b")), Observed(start_time=NOW), NOW)
    assert plan.actions == (PrepareVolumes(), CreateSandbox(0), RunContainer("a", 0), RunContainer("b", 0))


def test_a_pod_that_runs_needs_nothing() -> None:
    assert plan_pod(pod(), observed(running()), NOW) == Plan()


def test_a_container_that_was_made_but_never_started_is_made_again() -> None:
    made = msgspec.structs.replace(running(), state=State.CREATED)
    assert plan_pod(pod(), observed(made), NOW).actions == (RemoveContainer(made.id), RunContainer("app", 0))


def test_init_containers_run_one_after_the_other_and_before_the_main_ones() -> None:
    wanted = pod(container("app"), initContainers=[container("one"), container("two")])
    assert runs(wanted, observed()) == ["one"]
    assert runs(wanted, observed(running("one"))) == []
    assert runs(wanted, observed(exited("one", 0))) == ["two"]
    assert runs(wanted, observed(exited("one", 0), exited("two", 0))) == ["app"]


def test_a_failed_init_container_is_tried_again_after_its_back_off() -> None:
    wanted = pod(initContainers=[INIT])
    seen = observed(exited("init", 1, at=NOW - 4), memory={"init": Memory(backoff=Backoff(10.0, NOW - 5))})
    plan = plan_pod(wanted, seen, NOW)
    assert (plan.actions, plan.wake_at) == ((), NOW + 6)
    assert plan_pod(wanted, seen, NOW + 6).actions == (RunContainer("init", 1),)


def test_a_failed_init_container_ends_a_pod_that_never_restarts() -> None:
    plan = plan_pod(pod(initContainers=[INIT], restartPolicy="Never"), observed(exited("init", 1)), NOW)
    assert plan.actions == (StopSandbox(),)


def test_a_sidecar_holds_the_main_containers_back_until_it_started() -> None:
    wanted = pod(container("app"), initContainers=[SIDECAR | {"startupProbe": {"tcpSocket": {"port": 1}}}])
    assert runs(wanted, observed()) == ["side"]
    assert runs(wanted, observed(running("side"))) == []


def test_a_sidecar_is_restarted_while_the_main_containers_run() -> None:
    wanted = pod(container("app"), initContainers=[SIDECAR], restartPolicy="Never")
    assert runs(wanted, observed(exited("side", 0), running("app"))) == ["side"]


def test_a_first_crash_restarts_at_once_and_a_second_waits_ten_seconds() -> None:
    assert plan_pod(pod(), observed(exited()), NOW).actions == (RunContainer("app", 1),)
    seen = observed(exited(attempt=1), memory={"app": Memory(backoff=Backoff(10.0, NOW - 1))})
    assert plan_pod(pod(), seen, NOW).wake_at == NOW + 10


def test_a_restart_removes_the_attempt_before_the_last() -> None:
    plan = plan_pod(pod(), observed(exited(attempt=0), exited(attempt=1)), NOW)
    assert plan.actions == (RemoveContainer("app-0"), RunContainer("app", 2))


def test_on_failure_leaves_a_container_that_succeeded_alone() -> None:
    wanted = pod(container("a"), container("b"), restartPolicy="OnFailure")
    assert runs(wanted, observed(exited("a", 0), exited("b", 1))) == ["b"]


def test_a_pod_whose_containers_are_done_gives_its_sandbox_back() -> None:
    plan = plan_pod(pod(restartPolicy="Never"), observed(exited(code=0)), NOW)
    assert plan.actions == (StopSandbox(),)


def test_sidecars_stop_after_the_main_containers_are_done() -> None:
    wanted = pod(container("app"), initContainers=[SIDECAR], restartPolicy="Never")
    plan = plan_pod(wanted, observed(running("side"), exited("app", 0)), NOW)
    assert names(plan) == ["StopContainer"]


def test_an_unhealthy_container_is_stopped_with_the_grace_of_the_pod() -> None:
    seen = observed(running(), memory={"app": Memory(unhealthy="it failed")})
    assert plan_pod(pod(), seen, NOW).actions == (StopContainer("app", NOW + 30, "it failed"),)


def test_a_changed_image_restarts_the_container() -> None:
    plan = plan_pod(pod(container(image="nginx:2")), observed(running()), NOW)
    assert names(plan) == ["StopContainer"]


def test_a_deleted_pod_stops_its_main_containers_first() -> None:
    wanted = view(deleted(manifest(container("app"), initContainers=[SIDECAR])))
    plan = plan_pod(wanted, observed(running("side"), running("app"), terminating_since=NOW), NOW)
    assert plan.actions == (StopContainer("app", NOW + 30, "Stopping container app"),)


def test_a_container_that_was_asked_to_stop_is_killed_at_its_deadline() -> None:
    wanted = view(deleted(manifest()))
    memory = {"app": Memory(stopping=Stopping(NOW, NOW + 30, asked=True))}
    seen = observed(running(), memory=memory, terminating_since=NOW)
    assert plan_pod(wanted, seen, NOW + 1) == Plan(wake_at=NOW + 30)
    assert plan_pod(wanted, seen, NOW + 30).actions == (KillContainer("app"),)


def test_a_shorter_grace_brings_the_deadline_forward() -> None:
    wanted = view(deleted(manifest(), grace=5))
    memory = {"app": Memory(stopping=Stopping(NOW, NOW + 30, asked=True))}
    seen = observed(running(), memory=memory, terminating_since=NOW)
    assert plan_pod(wanted, seen, NOW + 5).actions == (KillContainer("app"),)


def test_the_stop_signal_waits_for_the_pre_stop_hook() -> None:
    wanted = view(deleted(manifest()))
    memory = {"app": Memory(stopping=Stopping(NOW, NOW + 30, hook=True))}
    seen = observed(running(), memory=memory, terminating_since=NOW)
    assert plan_pod(wanted, seen, NOW + 1).actions == ()
    memory["app"].stopping = Stopping(NOW, NOW + 30)
    assert plan_pod(wanted, seen, NOW + 1).actions == (SignalContainer("app"),)


def test_a_deleted_pod_without_running_containers_is_removed_and_then_deleted() -> None:
    plan = plan_pod(view(deleted(manifest())), observed(exited(), terminating_since=NOW), NOW)
    assert plan.actions == (RemovePod(), DeletePod())


def test_a_pod_that_the_api_server_forgot_is_killed_without_grace() -> None:
    plan = plan_pod(pod(), observed(running(), gone=True, terminating_since=NOW), NOW)
    assert plan.actions == (StopContainer("app", NOW, "Stopping container app"),)
    assert plan_pod(pod(), observed(exited(), gone=True, terminating_since=NOW), NOW).actions == (RemovePod(),)


def test_an_active_deadline_ends_the_pod() -> None:
    wanted = pod(activeDeadlineSeconds=60)
    assert plan_pod(wanted, observed(running()), NOW).wake_at == NOW + 60
    verdict = plan_pod(wanted, observed(running()), NOW + 60).verdict
    assert verdict is not None
    assert verdict.reason == "DeadlineExceeded"


def test_a_failed_pull_is_tried_again_only_after_its_back_off() -> None:
    failure = Failure("ErrImagePull", "no", NOW, "ImagePullBackOff", NOW + 10)
    seen = observed(memory={"app": Memory(failure=failure)})
    assert plan_pod(pod(), seen, NOW) == Plan(wake_at=NOW + 10)
    assert runs(pod(), seen, NOW + 10) == ["app"]


def test_a_lost_sandbox_is_replaced_after_its_containers_are_stopped() -> None:
    lost = observed().sandbox
    assert lost is not None
    seen = observed(running(), sandbox=None)
    assert names(plan_pod(pod(), seen, NOW)) == ["StopContainer"]
    assert plan_pod(pod(), observed(sandbox=None), NOW).actions[0] == CreateSandbox(0)


def test_a_pod_that_is_over_is_never_started_again() -> None:
    obj = manifest()
    obj["status"]["phase"] = "Succeeded"
    assert plan_pod(view(obj), Observed(start_time=NOW), NOW) == Plan()
