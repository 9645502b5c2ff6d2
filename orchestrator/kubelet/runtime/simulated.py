"""The simulated runtime: pods that advance by configured delays, thousands of nodes in one process.

``SimulatedWorld`` is shared by all nodes of a process: the behaviours, the addresses, and one heap of timers. A node's
``SimulatedRuntime`` holds its pods and nothing else. No operation waits: what takes time happens by a timer and is
reported through ``notify``. Everything follows from the injected clock and seeded random.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import AsyncIterator, Callable

import msgspec

from actors import Clock, Handle
from orchestrator.apimachinery.timestamps import rfc3339_micro
from orchestrator.kubelet.runtime.behaviour import Behaviour, Behaviours
from orchestrator.kubelet.runtime.errors import ImageFailure, NoSuchContainer, RuntimeFailure
from orchestrator.kubelet.runtime.runtime import (
    Container,
    ContainerConfig,
    ContainerFigures,
    ExecResult,
    LogOptions,
    Machine,
    Notify,
    PodFigures,
    RuntimePod,
    Sandbox,
    SandboxConfig,
    Session,
    State,
)

FIRST_ADDRESS = (10 << 24) | (64 << 16) | 1
LAST_ADDRESS = (10 << 24) | (127 << 16) | 0xFFFE
"""Simulated pods live in 10.64.0.0/10: four million addresses, handed out in a circle."""
KILLED = 137
SIGKILL = 9
DEFAULT_MACHINE = Machine(
    cpu_millis=32_000, memory_bytes=256 * 1024**3, storage_bytes=1024**4, runtime_version="simulated://1.0"
)

replace = msgspec.structs.replace


class SimulatedWorld:
    """What the simulated nodes of a process share."""

    def __init__(self, clock: Clock, random: random.Random, behaviours: Behaviours | None = None) -> None:
        self.clock = clock
        self.random = random
        self.behaviours = behaviours or Behaviours()
        self.machine = DEFAULT_MACHINE
        """The size of the nodes that are made from now on."""
        self.nodes: dict[str, SimulatedRuntime] = {}
        self._next_address = FIRST_ADDRESS
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = 0
        self._armed: float | None = None
        self._timer: Handle | None = None

    def address(self) -> str:
        number = self._next_address
        self._next_address = number + 1 if number < LAST_ADDRESS else FIRST_ADDRESS
        return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    def after(self, seconds: float, function: Callable[[], None]) -> None:
        """Call ``function`` later; equal moments in the order they were asked for."""
        self._sequence += 1
        at = self.clock.monotonic() + seconds
        heapq.heappush(self._timers, (at, self._sequence, function))
        self._arm(at)

    def _arm(self, at: float) -> None:
        if self._armed is not None and self._armed <= at:
            return
        self.close()
        self._armed = at
        self._timer = self.clock.call_later(max(at - self.clock.monotonic(), 0.0), self._fire)

    def close(self) -> None:
        """Nothing happens by itself any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _fire(self) -> None:
        now = self.clock.monotonic()
        self._armed = None
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()
        if self._timers:
            self._arm(self._timers[0][0])


def _ignore(uid: str) -> None:
    return None


class SimulatedRuntime:
    """One node's runtime. ``pods`` outlive the kubelet's actor: a restarted kubelet finds them again."""

    __slots__ = ("_clock", "_labels", "_machine", "_notify", "_pods", "_world", "name", "waits")

    def __init__(self, world: SimulatedWorld, machine: Machine = DEFAULT_MACHINE, clock: Clock | None = None) -> None:
        self._clock = clock or world.clock
        self.name = "simulated"
        self.waits = False
        self._world = world
        self._machine = machine
        self._pods: dict[str, RuntimePod] = {}
        self._labels: dict[str, dict[str, str]] = {}
        self._notify: Notify = _ignore

    async def start(self, notify: Notify) -> None:
        self._notify = notify

    async def close(self) -> None:
        self._notify = _ignore

    async def machine(self) -> Machine:
        return self._machine

    async def pods(self) -> list[RuntimePod]:
        return list(self._pods.values())

    def held(self) -> list[RuntimePod]:
        """What an observer sees at this moment."""
        return list(self._pods.values())

    async def observe(self, uid: str) -> RuntimePod | None:
        return self._pods.get(uid)

    def power_off(self) -> None:
        """What a power cut leaves: no container runs, no sandbox has a network."""
        for pod in list(self._pods.values()):
            for container in pod.containers:
                self._end(container.id, KILLED, tell=False, signal=SIGKILL)
            held = self._pods[pod.uid]
            if held.sandbox is not None:
                self._pods[pod.uid] = replace(held, sandbox=replace(held.sandbox, ready=False))

    async def create_sandbox(self, config: SandboxConfig) -> Sandbox:
        uid = config.pod_uid
        held = self._pods.get(uid)
        if held is not None and held.sandbox is not None and held.sandbox.ready:
            raise RuntimeFailure("SandboxExists", f"pod {uid} has the sandbox {held.sandbox.id} already")
        ip = "" if config.host_network else self._world.address()
        sandbox = Sandbox(f"{uid}.{config.attempt}", uid, config.attempt, True, ip, self._clock.time())
        containers = () if held is None else held.containers
        self._pods[uid] = RuntimePod(uid, config.namespace, config.name, sandbox, containers)
        if config.labels:
            self._labels[uid] = config.labels
        return sandbox

    async def stop_sandbox(self, pod_uid: str) -> None:
        held = self._pods.get(pod_uid)
        if held is not None and held.sandbox is not None:
            self._pods[pod_uid] = replace(held, sandbox=replace(held.sandbox, ready=False))

    async def remove_pod(self, pod_uid: str) -> None:
        self._pods.pop(pod_uid, None)
        self._labels.pop(pod_uid, None)

    async def ensure_image(self, image: str, policy: str) -> str:
        problem = self._world.behaviours.of(image, {}).pull_error
        if problem:
            raise ImageFailure("ErrImagePull", f'failed to pull image "{image}": {problem}')
        return f"simulated://{image}"

    async def create_container(self, pod_uid: str, config: ContainerConfig) -> str:
        pod = self._pods.get(pod_uid)
        if pod is None or pod.sandbox is None or not pod.sandbox.ready:
            raise RuntimeFailure("SandboxNotReady", f"pod {pod_uid} has no ready sandbox")
        container_id = f"{pod_uid}.{config.name}.{config.attempt}"
        if any(one.id == container_id for one in pod.containers):
            raise RuntimeFailure("ContainerExists", f"container {container_id} was created before")
        container = Container(
            container_id,
            pod_uid,
            config.name,
            config.attempt,
            config.image,
            config.image_id,
            State.CREATED,
            self._clock.time(),
        )
        self._pods[pod_uid] = replace(pod, containers=(*pod.containers, container))
        return container_id

    async def start_container(self, container_id: str) -> None:
        container = self._container(container_id)
        behaviour = self._behaviour(container)
        delay = behaviour.start_seconds
        if behaviour.jitter_seconds:
            delay += self._world.random.random() * behaviour.jitter_seconds
        if delay > 0:
            self._world.after(delay, lambda: self._begin(container_id, behaviour, tell=True))
        else:
            self._begin(container_id, behaviour, tell=False)

    def _begin(self, container_id: str, behaviour: Behaviour, *, tell: bool) -> None:
        container = self._find(container_id)
        if container is None or container.state is not State.CREATED:
            return
        self._put(replace(container, state=State.RUNNING, started_at=self._clock.time()))
        if behaviour.run_seconds is not None:
            code = behaviour.exit_code
            self._world.after(behaviour.run_seconds, lambda: self._end(container_id, code, tell=True))
        if tell:
            self._notify(container.pod_uid)

    def _end(self, container_id: str, code: int, *, tell: bool, signal: int = 0) -> None:
        container = self._find(container_id)
        if container is None or container.state is State.EXITED:
            return
        now = self._clock.time()
        self._put(replace(container, state=State.EXITED, finished_at=now, exit_code=code, signal=signal))
        if tell:
            self._notify(container.pod_uid)

    async def stop_container(self, container_id: str) -> None:
        container = self._find(container_id)
        if container is None:
            return
        behaviour = self._behaviour(container)
        if behaviour.stop_seconds > 0:
            code = behaviour.stop_exit_code
            self._world.after(behaviour.stop_seconds, lambda: self._end(container_id, code, tell=True))
        else:
            self._end(container_id, behaviour.stop_exit_code, tell=False)

    async def kill_container(self, container_id: str) -> None:
        self._end(container_id, KILLED, tell=False, signal=SIGKILL)

    async def remove_container(self, container_id: str) -> None:
        pod = self._pods.get(container_id.split(".", 1)[0])
        if pod is not None:
            kept = tuple(one for one in pod.containers if one.id != container_id)
            self._pods[pod.uid] = replace(pod, containers=kept)

    async def exec(self, container_id: str, command: list[str], timeout: float) -> ExecResult:
        self._container(container_id)
        return ExecResult(0, b"")

    async def open_exec(self, container_id: str, command: list[str], *, tty: bool, stdin: bool) -> Session:
        raise RuntimeFailure("NotSupported", "a simulated container has no program to run a command in")

    async def attach(self, container_id: str, *, stdin: bool) -> Session:
        raise RuntimeFailure("NotSupported", "a simulated container has no streams to attach to")

    async def logs(self, container_id: str, options: LogOptions) -> AsyncIterator[bytes]:
        container = self._container(container_id)
        lines = self._behaviour(container).log_lines if container.started_at else ()
        if options.tail_lines is not None:
            lines = lines[max(len(lines) - options.tail_lines, 0) :]
        stamp = f"{rfc3339_micro(container.started_at)} " if options.timestamps else ""
        text = "".join(f"{stamp}{line}\n" for line in lines).encode()
        if text:
            yield text if options.limit_bytes is None else text[: options.limit_bytes]

    async def figures(self) -> list[PodFigures]:
        return [self._figures(pod) for pod in self._pods.values()]

    def _figures(self, pod: RuntimePod) -> PodFigures:
        now = self._clock.time()
        found = []
        for one in pod.containers:
            if one.state is State.RUNNING:
                behaviour = self._behaviour(one)
                used = int((now - one.started_at) * behaviour.cpu_millis * 1e6)
                found.append(ContainerFigures(one.name, used, behaviour.memory_bytes, one.started_at))
        return PodFigures(pod.uid, tuple(found))

    def healthy(self, container_id: str, *, readiness: bool) -> bool:
        """What a probe of this container finds now."""
        container = self._find(container_id)
        if container is None or container.state is not State.RUNNING:
            return False
        behaviour = self._behaviour(container)
        age = self._clock.time() - container.started_at
        if readiness:
            return behaviour.ready and age >= behaviour.ready_after_seconds
        return behaviour.healthy_seconds is None or age < behaviour.healthy_seconds

    def _behaviour(self, container: Container) -> Behaviour:
        return self._world.behaviours.of(container.image, self._labels.get(container.pod_uid, {}))

    def _find(self, container_id: str) -> Container | None:
        pod = self._pods.get(container_id.split(".", 1)[0])
        if pod is None:
            return None
        return next((one for one in pod.containers if one.id == container_id), None)

    def _container(self, container_id: str) -> Container:
        found = self._find(container_id)
        if found is None:
            raise NoSuchContainer(container_id)
        return found

    def _put(self, container: Container) -> None:
        pod = self._pods[container.pod_uid]
        kept = tuple(container if one.id == container.id else one for one in pod.containers)
        self._pods[pod.uid] = replace(pod, containers=kept)
