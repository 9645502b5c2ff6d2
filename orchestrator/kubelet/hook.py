"""Running one lifecycle hook: a command in the container, an HTTP request to it, or a pause."""

from __future__ import annotations

from typing import Protocol

from actors import Clock
from orchestrator.kubelet.pod import Container, Hook, Probe
from orchestrator.kubelet.probe import Kind
from orchestrator.kubelet.prober import Prober
from orchestrator.kubelet.runtime.errors import RuntimeFailure
from orchestrator.kubelet.runtime.runtime import ExecResult


class Commands(Protocol):
    async def exec(self, container_id: str, command: list[str], timeout: float) -> ExecResult: ...


class Hooks:
    """Runs hooks; the answer is empty when it went well, else what went wrong."""

    __slots__ = ("_clock", "_prober", "_runtime")

    def __init__(self, runtime: Commands, prober: Prober, clock: Clock) -> None:
        self._runtime = runtime
        self._prober = prober
        self._clock = clock

    async def run(self, container: Container, hook: Hook, *, container_id: str, ip: str, seconds: float) -> str:
        if hook.sleep is not None:
            await self._clock.sleep(min(float(hook.sleep.seconds), seconds))
            return ""
        if hook.exec is not None:
            return await self._exec(hook.exec.command, container_id, seconds)
        if hook.http_get is not None:
            probe = Probe(http_get=hook.http_get, timeout_seconds=max(int(seconds), 1))
            answer = await self._prober.ask(container, Kind.STARTUP, probe, container_id=container_id, ip=ip)
            return "" if answer.success else answer.message
        return ""

    async def _exec(self, command: list[str], container_id: str, seconds: float) -> str:
        try:
            result = await self._runtime.exec(container_id, command, seconds)
        except RuntimeFailure as failure:
            return failure.message
        return "" if result.code == 0 else f"command {command!r} exited with {result.code}"
