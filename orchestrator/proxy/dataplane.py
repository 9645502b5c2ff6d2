"""The seam between deciding and doing: what carries out a plan, in userspace, in the kernel, or on paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from orchestrator.proxy.plan import Plan
from orchestrator.proxy.portals import Front, Portal


@dataclass(frozen=True, slots=True)
class Failure:
    """A portal that could not be opened; the others are not touched by it."""

    portal: Portal
    reason: str


@dataclass(frozen=True, slots=True)
class DataplaneStatistics:
    portals: int
    connections: int
    """Open now."""
    accepted: int
    refused: int
    """Turned away: no endpoint, or too many connections."""


class Dataplane(Protocol):
    async def apply(self, plan: Plan) -> list[Failure]:
        """Carry out the plan. What failed is not observed afterwards."""
        ...

    def observed(self) -> dict[Front, Portal]: ...

    async def close(self) -> None: ...

    def statistics(self) -> DataplaneStatistics: ...


class SimulatedDataplane:
    """Records what leads where. ``taken``: fronts that cannot be opened, with the reason."""

    def __init__(self) -> None:
        self.portals: dict[Front, Portal] = {}
        self.taken: dict[Front, str] = {}

    async def apply(self, plan: Plan) -> list[Failure]:
        failures: list[Failure] = []
        for front in plan.close:
            del self.portals[front]
        for portal in plan.open:
            if portal.front in self.taken:
                failures.append(Failure(portal, self.taken[portal.front]))
            else:
                self.portals[portal.front] = portal
        for portal in plan.update:
            self.portals[portal.front] = portal
        return failures

    def observed(self) -> dict[Front, Portal]:
        return dict(self.portals)

    async def close(self) -> None:
        self.portals.clear()

    def statistics(self) -> DataplaneStatistics:
        return DataplaneStatistics(len(self.portals), 0, 0, 0)
