"""Carries out a plan's actions on the runtime and keeps what came of them in the pod's memory."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from actors import Clock
from orchestrator.apimachinery.encoded import encode_part
from orchestrator.kubelet import action
from orchestrator.kubelet.action import Action
from orchestrator.kubelet.backoff import raised
from orchestrator.kubelet.hook import Hooks
from orchestrator.kubelet.materials import Materials
from orchestrator.kubelet.observed import Failure, Memory, Stopping
from orchestrator.kubelet.pod import Container
from orchestrator.kubelet.record import Record
from orchestrator.kubelet.reporter import Reporter
from orchestrator.kubelet.restart import policy_of, restart_at, restarts
from orchestrator.kubelet.runtime.errors import ImageFailure, RuntimeFailure
from orchestrator.kubelet.runtime.runtime import Runtime, State
from orchestrator.kubelet.status import Host, pod_status

RETRY_SECONDS = 2.0
"""Before volumes, a sandbox or a container's configuration are tried again."""
HOOK_SECONDS = 120.0
"""Bound of a postStart hook."""

Spawn = Callable[[Coroutine[Any, Any, None], str], object]
Poke = Callable[[str], None]

replace = msgspec.structs.replace


class Executor:
    """One per kubelet. ``spawn`` owns a background task; ``poke`` has a pod looked at again."""

    __slots__ = ("_clock", "_hooks", "_host", "_materials", "_poke", "_report", "_runtime", "_spawn")

    def __init__(
        self,
        runtime: Runtime,
        materials: Materials,
        hooks: Hooks,
        reporter: Reporter,
        clock: Clock,
        host: Host,
        *,
        spawn: Spawn,
        poke: Poke,
    ) -> None:
        self._runtime = runtime
        self._materials = materials
        self._hooks = hooks
        self._report = reporter
        self._clock = clock
        self._host = host
        self._spawn = spawn
        self._poke = poke

    async def run(self, record: Record, actions: tuple[Action, ...]) -> None:
        """All actions in order; the first that fails leaves its reason in memory and ends the run."""
        for step in actions:
            try:
                await STEPS[type(step)](self, record, step)
            except RuntimeFailure as failure:
                self._failed(record, step, failure)
                return

    def _failed(self, record: Record, step: Action, failure: RuntimeFailure) -> None:
        now = self._clock.time()
        if isinstance(step, action.RunContainer):
            self._container_failed(record, step.name, failure, now)
            return
        reason = {action.PrepareVolumes: "FailedMount", action.CreateSandbox: "FailedCreatePodSandBox"}.get(
            type(step), failure.reason
        )
        record.observed.failure = Failure(reason, failure.message, now, retry_at=now + RETRY_SECONDS)
        self._report.warning(record, reason, failure.message)

    def _container_failed(self, record: Record, name: str, failure: RuntimeFailure, now: float) -> None:
        memory = record.observed.of(name)
        if isinstance(failure, ImageFailure):
            memory.image_backoff = raised(memory.image_backoff, now)
            retry_at = now + memory.image_backoff.seconds
            shown = "" if failure.reason == "ErrImageNeverPull" else "ImagePullBackOff"
            memory.failure = Failure(failure.reason, failure.message, now, shown, retry_at)
            self._report.warning(record, "Failed", failure.message, name)
            self._report.warning(record, "Failed", f"Error: {failure.reason}", name)
            if shown:
                container = record.pod().container(name)
                image = container.image if container is not None else ""
                self._report.normal(record, "BackOff", f'Back-off pulling image "{image}"', name)
            return
        memory.failure = Failure(failure.reason, failure.message, now, retry_at=now + RETRY_SECONDS)
        self._report.warning(record, "Failed", f"Error: {failure.message}", name)

    def tell_back_off(self, record: Record, now: float) -> None:
        """Say once for each end of a container that its restart waits."""
        pod, observed = record.pod(), record.observed
        for name, memory in observed.memory.items():
            container, seen = pod.container(name), observed.containers.get(name)
            if container is None or seen is None or seen.state is not State.EXITED or memory.told == seen.attempt:
                continue
            init = container in pod.init_containers()
            if now < restart_at(memory, seen) and restarts(policy_of(pod, container, init=init), seen.exit_code):
                memory.told = seen.attempt
                where = f"{record.name}_{record.namespace}({record.uid})"
                message = f"Back-off restarting failed container {name} in pod {where}"
                self._report.warning(record, "BackOff", message, name)

    async def _prepare(self, record: Record, step: action.PrepareVolumes) -> None:
        await self._materials.prepare(record.pod(), self._object(record))
        record.observed.volumes_ready = True
        record.observed.failure = None

    def _object(self, record: Record) -> dict[str, Any]:
        return record.object() if self._materials.needs_object else {}

    async def _create_sandbox(self, record: Record, step: action.CreateSandbox) -> None:
        sandbox = await self._runtime.create_sandbox(self._materials.sandbox(record.pod(), step.attempt))
        record.observed.sandbox = sandbox
        record.observed.failure = None

    async def _stop_sandbox(self, record: Record, step: action.StopSandbox) -> None:
        await self._runtime.stop_sandbox(record.uid)

    async def _run_container(self, record: Record, step: action.RunContainer) -> None:
        pod, observed = record.pod(), record.observed
        container = pod.container(step.name)
        assert container is not None, step.name
        image_id = await self._image(record, container)
        config = await self._materials.container(
            pod, self._object(record), step.name, attempt=step.attempt, image_id=image_id, sandbox=observed.sandbox
        )
        container_id = await self._runtime.create_container(record.uid, config)
        self._report.normal(record, "Created", f"Container created: {step.name}", step.name)
        memory = self._next_attempt(record, container, step.attempt)
        await self._runtime.start_container(container_id)
        self._report.normal(record, "Started", f"Container started: {step.name}", step.name)
        if memory is not None and memory.post_start:
            self._spawn(self._post_start(record, container, container_id), f"post-start {record.title} {step.name}")

    async def _image(self, record: Record, container: Container) -> str:
        memory = record.observed.memory.get(container.name)
        if memory is not None and memory.failure is not None and memory.failure.backoff_reason:
            self._report.normal(record, "Pulling", f'Pulling image "{container.image}"', container.name)
        image_id = await self._runtime.ensure_image(container.image, container.image_pull_policy)
        message = f'Container image "{container.image}" already present on machine'
        self._report.normal(record, "Pulled", message, container.name)
        return image_id

    def _next_attempt(self, record: Record, container: Container, attempt: int) -> Memory | None:
        """Memory starts over for the new attempt; a first attempt without hooks and failures needs none."""
        hook = container.lifecycle is not None and container.lifecycle.post_start is not None
        if attempt == 0 and not hook and container.name not in record.observed.memory:
            return None
        memory = record.observed.of(container.name)
        if attempt > 0:
            memory.backoff = raised(memory.backoff, self._clock.time())
        memory.failure, memory.stopping, memory.probing, memory.unhealthy = None, None, None, ""
        memory.attempt, memory.post_start = attempt, hook
        return memory

    async def _post_start(self, record: Record, container: Container, container_id: str) -> None:
        assert container.lifecycle is not None
        hook = container.lifecycle.post_start
        assert hook is not None
        problem = await self._hooks.run(
            container, hook, container_id=container_id, ip=self._ip(record), seconds=HOOK_SECONDS
        )
        memory = record.observed.of(container.name)
        memory.post_start = False
        if problem:
            self._report.warning(record, "FailedPostStartHook", f"PostStartHook failed: {problem}", container.name)
            memory.unhealthy = "FailedPostStartHook"
        self._poke(record.uid)

    async def _stop_container(self, record: Record, step: action.StopContainer) -> None:
        now = self._clock.time()
        container = record.pod().container(step.name)
        seen = record.observed.containers[step.name]
        memory = record.observed.of(step.name)
        hook = container.lifecycle.pre_stop if container is not None and container.lifecycle is not None else None
        memory.stopping = Stopping(now, step.deadline, hook=hook is not None and step.deadline > now)
        self._report.normal(record, "Killing", step.message, step.name)
        if step.deadline <= now:
            await self._kill(memory, seen.id)
        elif hook is not None and container is not None:
            self._spawn(self._pre_stop(record, container, seen.id), f"pre-stop {record.title} {step.name}")
        else:
            await self._signal(memory, seen.id)

    async def _pre_stop(self, record: Record, container: Container, container_id: str) -> None:
        assert container.lifecycle is not None
        hook, memory = container.lifecycle.pre_stop, record.observed.of(container.name)
        assert hook is not None
        assert memory.stopping is not None
        seconds = memory.stopping.deadline - self._clock.time()
        problem = await self._hooks.run(
            container, hook, container_id=container_id, ip=self._ip(record), seconds=seconds
        )
        if problem:
            self._report.warning(record, "FailedPreStopHook", f"PreStopHook failed: {problem}", container.name)
        if memory.stopping is not None:
            memory.stopping = replace(memory.stopping, hook=False)
            self._poke(record.uid)

    async def _signal_container(self, record: Record, step: action.SignalContainer) -> None:
        await self._signal(record.observed.of(step.name), record.observed.containers[step.name].id)

    async def _kill_container(self, record: Record, step: action.KillContainer) -> None:
        await self._kill(record.observed.of(step.name), record.observed.containers[step.name].id)

    async def _signal(self, memory: Memory, container_id: str) -> None:
        assert memory.stopping is not None
        memory.stopping = replace(memory.stopping, asked=True)
        await self._runtime.stop_container(container_id)

    async def _kill(self, memory: Memory, container_id: str) -> None:
        assert memory.stopping is not None
        memory.stopping = replace(memory.stopping, asked=True, killed=True)
        await self._runtime.kill_container(container_id)

    async def _remove_container(self, record: Record, step: action.RemoveContainer) -> None:
        await self._runtime.remove_container(step.container_id)

    async def _remove_pod(self, record: Record, step: action.RemovePod) -> None:
        pod = record.pod()
        if not record.observed.gone and (pod.metadata.finalizers or pod.spec.restart_policy != "Always"):
            record.final = encode_part(pod_status(pod, record.observed, self._host, self._clock.time()))
        await self._runtime.remove_pod(record.uid)
        await self._materials.forget(record.uid)
        if record.observed.gone:
            record.finished = True

    async def _delete_pod(self, record: Record, step: action.DeletePod) -> None:
        record.finished = True

    def _ip(self, record: Record) -> str:
        sandbox = record.observed.sandbox
        return sandbox.ip if sandbox is not None and sandbox.ip else self._host.ip


STEPS: dict[type[Action], Callable[[Executor, Record, Any], Coroutine[Any, Any, None]]] = {
    action.PrepareVolumes: Executor._prepare,
    action.CreateSandbox: Executor._create_sandbox,
    action.StopSandbox: Executor._stop_sandbox,
    action.RunContainer: Executor._run_container,
    action.StopContainer: Executor._stop_container,
    action.SignalContainer: Executor._signal_container,
    action.KillContainer: Executor._kill_container,
    action.RemoveContainer: Executor._remove_container,
    action.RemovePod: Executor._remove_pod,
    action.DeletePod: Executor._delete_pod,
}
"""How each action is carried out."""
