"""Pods that have their node and wait there until their volumes are bound."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.scheduler.outcome import Assignment, VolumeWork
from orchestrator.scheduler.volumes import VolumePlan, Volumes


@dataclass(frozen=True, slots=True)
class _Binding:
    work: VolumeWork
    deadline: float


class VolumeBindings:
    """By the uid of the pod; at most one for each pod that is assumed."""

    def __init__(self, volumes: Volumes) -> None:
        self._volumes = volumes
        self._bindings: dict[str, _Binding] = {}

    def begin(self, work: VolumeWork, deadline: float) -> None:
        self._volumes.assume(work.plan, work.assignment.node)
        self._bindings[work.assignment.uid] = _Binding(work, deadline)

    def pop(self, uid: str) -> None:
        """The pod is bound or gone. What is written stays written."""
        self._bindings.pop(uid, None)

    def undo(self, uid: str) -> bool:
        """What was decided for the pod is forgotten. False: nothing was, or no longer."""
        binding = self._bindings.pop(uid, None)
        if binding is not None:
            self._volumes.forget(binding.work.plan)
        return binding is not None

    def deadline(self) -> float | None:
        return min((binding.deadline for binding in self._bindings.values()), default=None)

    def follow(self, now: float) -> tuple[list[Assignment], list[Assignment]]:
        """(pods whose volumes are bound: they are no longer followed; pods whose volumes are late or lost)"""
        bound: list[Assignment] = []
        lost: list[Assignment] = []
        for uid, binding in list(self._bindings.items()):
            if self._is_bound(binding.work.plan):
                del self._bindings[uid]
                bound.append(binding.work.assignment)
            elif binding.deadline <= now or self._is_lost(binding.work):
                lost.append(binding.work.assignment)
        return bound, lost

    def _is_bound(self, plan: VolumePlan) -> bool:
        claims = (self._volumes.claim(key) for key in _keys(plan))
        return all(claim is not None and claim.bound for claim in claims)

    def _is_lost(self, work: VolumeWork) -> bool:
        """A claim is gone, or the provisioner gave it back: it took away the node that was written there."""
        volumes = self._volumes
        if any(claim is None or claim.deleting for claim in map(volumes.claim, _keys(work.plan))):
            return True
        made = [volumes.claim(claim.key) for claim in work.plan.made]
        node = work.assignment.node
        return any(claim is not None and not claim.bound and claim.selected_node != node for claim in made)


def _keys(plan: VolumePlan) -> list[str]:
    return [claim.key for _, claim in plan.taken] + [claim.key for claim in plan.made]
