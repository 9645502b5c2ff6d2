"""Who asks a container how it is: the interface that the kubelet probes through, and its simulated implementation."""

from __future__ import annotations

from typing import Protocol

import msgspec

from orchestrator.kubelet.pod import Container, Probe
from orchestrator.kubelet.probe import Kind
from orchestrator.kubelet.runtime.simulated import SimulatedRuntime


class Answer(msgspec.Struct, frozen=True):
    """``message`` says what a failed probe found."""

    success: bool
    message: str = ""
    until: float = 0.0
    """Unix seconds: so long a success holds unless the container is changed, which the runtime tells of."""


class Prober(Protocol):
    waits: bool
    """Whether a probe may take time; one that never does is run in line."""

    async def ask(self, container: Container, kind: Kind, probe: Probe, *, container_id: str, ip: str) -> Answer:
        """One probe, answered within its timeout; never raises for what the container does."""


class SimulatedProber:
    """Answers by the behaviour of the simulated container, whatever the probe's handler is."""

    __slots__ = ("_runtime", "waits")

    def __init__(self, runtime: SimulatedRuntime) -> None:
        self.waits = False
        self._runtime = runtime

    async def ask(self, container: Container, kind: Kind, probe: Probe, *, container_id: str, ip: str) -> Answer:
        path = (probe.http_get.path or "/") if probe.http_get is not None else ""
        healthy = self._runtime.healthy(container_id, readiness=kind is not Kind.LIVENESS, path=path)
        if not healthy:
            return Answer(False, "the simulated container says no")
        return Answer(True, until=self._runtime.holds(container_id, readiness=kind is not Kind.LIVENESS))
