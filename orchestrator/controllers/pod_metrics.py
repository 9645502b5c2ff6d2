"""The seam to whoever knows what pods use: the composition root asks the kubelets, a test says numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from orchestrator.client.view import View

NANOS = 1_000_000_000


class ContainerUse(msgspec.Struct, frozen=True):
    """``cpu_nanos`` are billionths of a core, averaged over the window."""

    cpu_nanos: int
    memory_bytes: int

    def of(self, resource: str) -> int:
        """Nanos of the resource's unit, as quantities count."""
        return self.cpu_nanos if resource == "cpu" else self.memory_bytes * NANOS


class PodUse(msgspec.Struct, frozen=True):
    at: float
    """Unix seconds of the end of the window."""
    window: float
    containers: Mapping[str, ContainerUse]

    def of(self, resource: str, container: str = "") -> int | None:
        """Of all containers, or of one; None when that one is not there."""
        if container:
            held = self.containers.get(container)
            return None if held is None else held.of(resource)
        return sum(held.of(resource) for held in self.containers.values())


class PodMetrics(Protocol):
    async def usage(self, pods: Sequence[View]) -> Mapping[str, PodUse]:
        """By uid; a pod of which nothing is known is absent."""
        ...


class NoMetrics:
    """Where nobody measures."""

    async def usage(self, pods: Sequence[View]) -> Mapping[str, PodUse]:
        return {}
