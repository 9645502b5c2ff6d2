"""The simulated runtime: pods that advance by configured delays, thousands of nodes in one process.

``SimulatedWorld`` is shared by all nodes of a process: the behaviours, the addresses, and one heap of timers. A node's
``SimulatedRuntime`` holds its pods and nothing else. No operation waits: what takes time happens by a timer and is
reported through ``notify``. Everything follows from the injected clock and seeded random.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from math import inf
from sys import intern
from typing import Any

import msgspec

from actors import Clock, Handle
from orchestrator.apimachinery.interned import interned_labels
from orchestrator.apimachinery.timestamps import rfc3339_micro
from orchestrator.kubelet.runtime.answering import Answered, HttpPort, Pages, page
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
from orchestrator.kubelet.runtime.stage import Stage

FIRST_ADDRESS = (10 << 24) | (64 << 16) | 1
ADDRESSES = (1 << 22) - 2
"""Simulated pods live in 10.64.0.0/10: four million addresses, handed out in a circle."""
MEMBERS = 8
"""Several control planes of one cluster each hand out an eighth of them: a pod's address is its own."""
KILLED = 137
SIGKILL = 9
DEFAULT_MACHINE = Machine(
    cpu_millis=32_000, memory_bytes=256 * 1024**3, storage_bytes=1024**4, runtime_version="simulated://1.0"
)
FOLLOW_SECONDS = 1.0
"""Between two looks for new lines of a log that is followed."""
OK, BAD = 200, 400
"""An HTTP probe succeeds from the one and fails from the other on."""
CRASHED = 1
"""The exit code of a play that raised."""

replace = msgspec.structs.replace


class SimulatedWorld:
    """What the simulated nodes of a process share. ``member``: which of several control planes it is, from 1; 0: the
    only one."""

    def __init__(
        self, clock: Clock, random: random.Random, behaviours: Behaviours | None = None, member: int = 0
    ) -> None:
        self.clock = clock
        self.random = random
        self._behaviours = behaviours or Behaviours()
        self.runtimes: dict[SimulatedRuntime, None] = {}
        """Of the nodes that have a kubelet."""
        self.machine = DEFAULT_MACHINE
        """The size of the nodes that are made from now on."""
        share = (ADDRESSES + 2) // MEMBERS
        self._addresses = share - 2 if member else ADDRESSES
        self._first_address = FIRST_ADDRESS + member % MEMBERS * share
        self._addressed = 0
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = 0
        self._armed: float | None = None
        self._timer: Handle | None = None
        self._plays: dict[asyncio.Task[None], None] = {}
        """Coroutines that play containers, until they end."""
        self.labels: dict[str, dict[str, str]] = {}
        """Of the pods of all nodes, by uid; what is by the id of a container here begins with that of its pod."""
        self.stages: dict[str, Stage] = {}
        """Of the containers that a coroutine plays."""
        self.playing: dict[str, asyncio.Task[None]] = {}
        self.used: dict[str, tuple[float, float]] = {}
        """Where usage follows a curve: when it was last looked at, and the nanoseconds until then."""

    @property
    def behaviours(self) -> Behaviours:
        return self._behaviours

    @behaviours.setter
    def behaviours(self, behaviours: Behaviours) -> None:
        """Everybody looks at once whether its containers are now what they were."""
        self._behaviours = behaviours
        for runtime in self.runtimes:
            runtime.look()

    def play(self, coroutine: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run it as a task of the world's own, in no actor's name."""
        loop = asyncio.get_running_loop()
        task = loop.create_task(coroutine, name=f"container {name}", context=contextvars.Context())
        self._plays[task] = None
        task.add_done_callback(lambda done: self._plays.pop(done, None))
        return task

    async def end_plays(self) -> None:
        """End every coroutine that plays a container."""
        plays = list(self._plays)
        for task in plays:
            task.cancel()
        await asyncio.gather(*plays, return_exceptions=True)

    def address(self) -> str:
        number = self._first_address + self._addressed
        self._addressed = (self._addressed + 1) % self._addresses
        return intern(f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}")

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

    __slots__ = (
        "_clock",
        "_labels",
        "_machine",
        "_notify",
        "_plays",
        "_pods",
        "_stages",
        "_used",
        "_world",
        "name",
        "waits",
    )

    def __init__(self, world: SimulatedWorld, machine: Machine = DEFAULT_MACHINE, clock: Clock | None = None) -> None:
        self._clock = clock or world.clock
        self.name = "simulated"
        self.waits = False
        self._world = world
        self._machine = machine
        self._pods: dict[str, RuntimePod] = {}
        self._notify: Notify = _ignore
        self._labels, self._stages, self._plays, self._used = world.labels, world.stages, world.playing, world.used

    async def start(self, notify: Notify) -> None:
        self._notify = notify
        self._world.runtimes[self] = None

    async def close(self) -> None:
        self._notify = _ignore
        self._world.runtimes.pop(self, None)

    def look(self) -> None:
        """Have the kubelet look at each of its pods."""
        for uid in self._pods:
            self._notify(uid)

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
        uid = intern(config.pod_uid)
        held = self._pods.get(uid)
        if held is not None and held.sandbox is not None and held.sandbox.ready:
            raise RuntimeFailure("SandboxExists", f"pod {uid} has the sandbox {held.sandbox.id} already")
        ip = "" if config.host_network else self._world.address()
        sandbox = Sandbox(f"{uid}.{config.attempt}", uid, config.attempt, True, ip, self._clock.time())
        containers = () if held is None else held.containers
        self._pods[uid] = RuntimePod(uid, intern(config.namespace), intern(config.name), sandbox, containers)
        if config.labels:
            self._labels[uid] = interned_labels(config.labels)
        return sandbox

    async def stop_sandbox(self, pod_uid: str) -> None:
        held = self._pods.get(pod_uid)
        if held is not None and held.sandbox is not None:
            self._pods[pod_uid] = replace(held, sandbox=replace(held.sandbox, ready=False))

    async def remove_pod(self, pod_uid: str) -> None:
        held = self._pods.pop(pod_uid, None)
        for one in held.containers if held is not None else ():
            self._stages.pop(one.id, None)
            self._used.pop(one.id, None)
            if one.id in self._plays:
                self._plays.pop(one.id).cancel()
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
            intern(config.name),
            config.attempt,
            intern(config.image),
            intern(config.image_id),
            State.CREATED,
            self._clock.time(),
        )
        self._pods[pod_uid] = replace(pod, containers=(*pod.containers, container))
        if self._behaviour(container).play is not None:
            words = (*config.command, *config.args)
            stage = Stage(self._clock, f"{pod.namespace}/{pod.name}", config.name, config.image, words)
            stage.env = dict(config.env)
            self._stages[container_id] = stage
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
        if behaviour.play is not None and container_id in self._stages:
            running = self._played(container_id, behaviour.play(self._stages[container_id]))
            self._plays[container_id] = self._world.play(running, container_id)
        if behaviour.run_seconds is not None:
            code = behaviour.exit_code
            self._world.after(behaviour.run_seconds, lambda: self._end(container_id, code, tell=True))
        if tell:
            self._notify(container.pod_uid)

    async def _played(self, container_id: str, play: Awaitable[int | None]) -> None:
        """The play's end is the container's."""
        try:
            code = await play or 0
        except Exception as failure:
            self._stages[container_id].log(f"{type(failure).__name__}: {failure}")
            code = CRASHED
        self._end(container_id, code, tell=True)

    def _end(self, container_id: str, code: int, *, tell: bool, signal: int = 0) -> None:
        container = self._find(container_id)
        if container is None or container.state is State.EXITED:
            return
        now = self._clock.time()
        self._put(replace(container, state=State.EXITED, finished_at=now, exit_code=code, signal=signal))
        play = self._plays.pop(container_id, None)
        if play is not None and play is not asyncio.current_task():
            play.cancel()
        if tell:
            self._notify(container.pod_uid)

    async def stop_container(self, container_id: str) -> None:
        container = self._find(container_id)
        if container is None:
            return
        if container_id in self._plays:
            self._stages[container_id].stopping.set()
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
        self._stages.pop(container_id, None)
        self._used.pop(container_id, None)

    async def exec(self, container_id: str, command: list[str], timeout: float) -> ExecResult:
        code, output = self._command(container_id, command)
        return ExecResult(code, output.encode())

    def _command(self, container_id: str, command: list[str]) -> tuple[int, str]:
        container, stage = self._container(container_id), self._stages.get(container_id)
        commands = stage.commands if stage is not None else self._behaviour(container).commands
        return commands(command) if commands is not None else (0, "")

    async def open_exec(self, container_id: str, command: list[str], *, tty: bool, stdin: bool) -> Session:
        return Answered(*self._command(container_id, command))

    async def attach(self, container_id: str, *, stdin: bool) -> Session:
        raise RuntimeFailure("NotSupported", "a simulated container has no streams to attach to")

    def pages(self, container_id: str) -> Pages:
        """What the container answers to HTTP requests now; nothing while it does not run."""
        container, stage = self._find(container_id), self._stages.get(container_id)
        if container is None or container.state is not State.RUNNING:
            return {}
        return stage.http if stage is not None else self._behaviour(container).http

    def open_port(self, pod_uid: str, port: int) -> HttpPort:
        """A connection to the pod: HTTP, answered by the first of its containers that has pages. Raises ``OSError``."""
        pod = self._pods.get(pod_uid)
        found = next((one.id for one in (pod.containers if pod is not None else ()) if self.pages(one.id)), None)
        if found is not None:
            return HttpPort(lambda: self.pages(found))
        raise ConnectionRefusedError(f"nothing listens on port {port}")

    async def logs(self, container_id: str, options: LogOptions) -> AsyncIterator[bytes]:
        left = options.limit_bytes
        found = self._lines(self._container(container_id))
        lines = [line for line in found if line[0] >= options.since]
        if options.tail_lines is not None:
            lines = lines[max(len(lines) - options.tail_lines, 0) :]
        told = found[-1] if found else (0.0, "")
        while True:
            text = _text(lines, options.timestamps)
            if text:
                yield text if left is None else text[:left]
                left = None if left is None else left - len(text)
            container = self._find(container_id)
            over = container is None or container.state is State.EXITED or (left is not None and left <= 0)
            if over or container is None or not options.follow:
                return
            await self._clock.sleep(FOLLOW_SECONDS)
            found = self._lines(container)
            lines = [line for line in found if line[0] > told[0]]
            told = found[-1] if found else told

    def _lines(self, container: Container) -> list[tuple[float, str]]:
        """What it wrote so far, with the moment of each line."""
        stage = self._stages.get(container.id)
        if stage is not None:
            return list(stage.lines)
        if not container.started_at:
            return []
        behaviour, began = self._behaviour(container), container.started_at
        end = container.finished_at or self._clock.time()
        timed = [(began + age, line) for age, line in behaviour.timed_lines if began + age <= end]
        return [*((began, line) for line in behaviour.log_lines), *timed]

    async def figures(self) -> list[PodFigures]:
        running = [
            (pod.uid, [one for one in pod.containers if one.state is State.RUNNING]) for pod in self._pods.values()
        ]
        return [PodFigures(uid, tuple(map(self._figures, containers))) for uid, containers in running if containers]

    def _figures(self, container: Container) -> ContainerFigures:
        used, memory = self._usage(container)
        return ContainerFigures(container.name, int(used), int(memory), container.started_at)

    def _usage(self, container: Container) -> tuple[float, float]:
        """Nanoseconds since the start and bytes now."""
        behaviour, stage, now = self._behaviour(container), self._stages.get(container.id), self._clock.time()
        began = container.started_at
        if stage is None and behaviour.cpu_curve is None:
            memory = (
                behaviour.memory_bytes if behaviour.memory_curve is None else behaviour.memory_curve(now - began, now)
            )
            return (now - began) * behaviour.cpu_millis * 1e6, memory
        seen, used = self._used.get(container.id, (began, 0.0))
        middle = (seen + now) / 2
        if stage is not None:
            millis, memory = stage.cpu_millis, float(stage.memory_bytes)
        else:
            assert behaviour.cpu_curve is not None, "the other case is above"
            millis = behaviour.cpu_curve(middle - began, middle)
            curve = behaviour.memory_curve
            memory = float(behaviour.memory_bytes) if curve is None else curve(now - began, now)
        used += max(now - seen, 0.0) * millis * 1e6
        self._used[container.id] = (now, used)
        return used, memory

    def healthy(self, container_id: str, *, readiness: bool, path: str = "") -> bool:
        """What a probe of this container finds now; ``path`` is that of an HTTP probe."""
        container = self._find(container_id)
        if container is None or container.state is not State.RUNNING:
            return False
        pages = self.pages(container_id)
        if path and pages and not OK <= page(pages, path)[0] < BAD:
            return False
        stage = self._stages.get(container_id)
        if stage is not None:
            return stage.ready if readiness else stage.healthy
        behaviour = self._behaviour(container)
        age = self._clock.time() - container.started_at
        if readiness:
            return behaviour.ready and age >= behaviour.ready_after_seconds and not _down(behaviour, age)
        return behaviour.healthy_seconds is None or age < behaviour.healthy_seconds

    def holds(self, container_id: str, *, readiness: bool) -> float:
        """Until when a container that is ``healthy`` stays so by itself; 0.0 when that cannot be known."""
        container = self._find(container_id)
        if container is None or container_id in self._stages:
            return 0.0
        behaviour, age = self._behaviour(container), self._clock.time() - container.started_at
        if not readiness:
            return container.started_at + (inf if behaviour.healthy_seconds is None else behaviour.healthy_seconds)
        if behaviour.flapping is None:
            return inf
        good, bad = behaviour.flapping
        return self._clock.time() + good - (age - behaviour.ready_after_seconds) % (good + bad)

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


def _down(behaviour: Behaviour, age: float) -> bool:
    """Whether one that flaps is in its bad time."""
    if behaviour.flapping is None:
        return False
    good, bad = behaviour.flapping
    return (age - behaviour.ready_after_seconds) % (good + bad) >= good


def _text(lines: Sequence[tuple[float, str]], timestamps: bool) -> bytes:
    return "".join(f"{rfc3339_micro(at)} {line}\n" if timestamps else f"{line}\n" for at, line in lines).encode()
