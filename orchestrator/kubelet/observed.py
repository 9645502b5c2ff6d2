"""What a kubelet knows of one pod beyond the API object: what the runtime reports, and its own memory of attempts.

All of it can be rebuilt: the runtime keeps attempts and exit statuses, probes run again, a back-off that is lost starts
over at its first step.
"""

from __future__ import annotations

import msgspec

from orchestrator.kubelet import pod as view
from orchestrator.kubelet.backoff import Backoff
from orchestrator.kubelet.probe import Probing
from orchestrator.kubelet.runtime.runtime import Container, RuntimePod, Sandbox, State

NO_CONTAINERS: dict[str, Container] = {}
"""Shared by all pods that never restarted a container. Never written to."""


class Failure(msgspec.Struct, frozen=True, gc=False):
    """Why a container is not there yet. ``shown`` is the reason while its back-off runs."""

    reason: str
    message: str
    at: float
    backoff_reason: str = ""
    retry_at: float = 0.0


class Stopping(msgspec.Struct, frozen=True, gc=False):
    """A container on its way out: ``hook`` while preStop runs, ``asked`` after its stop signal, ``killed`` at last."""

    since: float
    deadline: float
    hook: bool = False
    asked: bool = False
    killed: bool = False


class Memory(msgspec.Struct, gc=False):
    """What only the kubelet knows of a container. The last five belong to ``attempt`` and start over with the next."""

    backoff: Backoff = Backoff()
    image_backoff: Backoff = Backoff()
    failure: Failure | None = None
    attempt: int = 0
    stopping: Stopping | None = None
    post_start: bool = False
    """Its postStart hook has not ended yet."""
    probing: Probing | None = None
    unhealthy: str = ""
    """Why it has to be restarted."""
    told: int = -1
    """The attempt whose back-off people were told of."""


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """The kubelet ends a pod by its own decision: phase Failed with this reason."""

    reason: str
    message: str


class Observed(msgspec.Struct, gc=False):
    """One pod on this node. ``containers`` holds the latest attempt of each name, ``former`` the one before it."""

    start_time: float
    sandbox: Sandbox | None = None
    containers: dict[str, Container] = {}
    former: dict[str, Container] = {}
    memory: dict[str, Memory] = {}
    volumes_ready: bool = False
    failure: Failure | None = None
    """Of the pod as a whole: its volumes or its sandbox."""
    verdict: Verdict | None = None
    terminating_since: float | None = None
    gone: bool = False
    """The API server does not have the pod any more."""

    def see(self, seen: RuntimePod | None) -> None:
        """Take over what the runtime reports."""
        if seen is None:
            self.sandbox, self.containers, self.former = None, {}, {}
            return
        self.sandbox = seen.sandbox
        containers: dict[str, Container] = {}
        former: dict[str, Container] = {}
        for one in seen.containers:
            before = containers.get(one.name)
            if before is not None:
                former[one.name] = before
            containers[one.name] = one
        self.containers, self.former = containers, former or NO_CONTAINERS

    def of(self, name: str) -> Memory:
        """The memory of a container, made at the first call."""
        memory = self.memory.get(name)
        if memory is None:
            memory = self.memory[name] = Memory()
        return memory

    def running(self, name: str) -> bool:
        one = self.containers.get(name)
        return one is not None and one.state is State.RUNNING

    def started(self, container: view.Container) -> bool:
        """Running, its postStart hook done, and its startup probe passed if it has one."""
        if not self.running(container.name):
            return False
        memory = self.memory.get(container.name)
        if memory is None:
            return container.startup_probe is None
        if memory.post_start:
            return False
        return container.startup_probe is None or (memory.probing is not None and memory.probing.started)

    def ready(self, container: view.Container) -> bool:
        """Started, and its readiness probe passing if it has one."""
        if not self.started(container):
            return False
        if container.readiness_probe is None:
            return True
        memory = self.memory.get(container.name)
        return memory is not None and memory.probing is not None and memory.probing.ready
