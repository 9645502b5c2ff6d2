"""What the engine tells its shell to do: bind, write to claims and volumes, tell why not, make room."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.scheduler.snapshot import Placed
from orchestrator.scheduler.volumes import VolumePlan


@dataclass(frozen=True, slots=True)
class Assignment:
    """Bind this pod to this node."""

    key: str
    uid: str
    node: str


@dataclass(frozen=True, slots=True)
class VolumeWork:
    """Write this, so that the volumes of the pod are bound; the pod follows when they are."""

    assignment: Assignment
    plan: VolumePlan


@dataclass(frozen=True, slots=True)
class Refusal:
    """No node can take the pod. ``nominated``: where room is made for it; None: keep what its status says."""

    key: str
    uid: str
    message: str
    victims: tuple[Placed, ...] = ()
    nominated: str | None = None
    displaced: tuple[Placed, ...] = ()
    """Waiting pods for which room is no longer kept."""


@dataclass(slots=True)
class Outcome:
    assignments: list[Assignment] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    volumes: list[VolumeWork] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.assignments or self.refusals or self.volumes)
