"""Claims and volumes as placement sees them: what stands in the API, and what was decided and is on its way there.

Pure state, beside the arrays of ``snapshot``. The plugins (``plugins/volume_*.py``) ask it, the engine changes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.volume_facts import ClaimFacts, ClassFacts, VolumeFacts


@dataclass(frozen=True, slots=True)
class PodClaims:
    """The claims of a pod: those that have their volume, and those that the scheduler binds with the pod."""

    bound: tuple[ClaimFacts, ...]
    delayed: tuple[ClaimFacts, ...]


@dataclass(frozen=True, slots=True)
class VolumePlan:
    """What must be written before the pod is bound. ``taken``: free volumes for claims; ``made``: to be provisioned."""

    taken: tuple[tuple[VolumeFacts, ClaimFacts], ...] = ()
    made: tuple[ClaimFacts, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.taken or self.made)


@dataclass(slots=True, eq=False)
class Volumes:
    """By key or name. ``users``: placed pods by the claim that they mount, uid to column."""

    claims: dict[str, ClaimFacts] = field(default_factory=dict)
    volumes: dict[str, VolumeFacts] = field(default_factory=dict)
    classes: dict[str, ClassFacts] = field(default_factory=dict)
    limits: dict[str, dict[str, int]] = field(default_factory=dict)
    """Attachable volumes by node and driver."""
    users: dict[str, dict[str, int]] = field(default_factory=dict)
    by_class: dict[str, dict[str, None]] = field(default_factory=dict)
    assumed_volumes: dict[str, ClaimFacts] = field(default_factory=dict)
    """Volumes that were given to a claim, until the watch shows it."""
    assumed_nodes: dict[str, str] = field(default_factory=dict)
    """Claims whose node was chosen, until the watch shows it."""

    # what the watch tells

    def set_claim(self, key: str, claim: ClaimFacts | None) -> None:
        if claim is None:
            self.claims.pop(key, None)
            self.assumed_nodes.pop(key, None)
            return
        self.claims[key] = claim
        if claim.selected_node or claim.volume:
            self.assumed_nodes.pop(key, None)

    def set_volume(self, name: str, volume: VolumeFacts | None) -> None:
        before = self.volumes.pop(name, None)
        if before is not None:
            self.by_class[before.storage_class].pop(name, None)
        if volume is None:
            self.assumed_volumes.pop(name, None)
            return
        self.volumes[name] = volume
        self.by_class.setdefault(volume.storage_class, {})[name] = None
        if volume.claim:
            self.assumed_volumes.pop(name, None)

    # what is decided

    def assume(self, plan: VolumePlan, node: str) -> None:
        for volume, claim in plan.taken:
            self.assumed_volumes[volume.name] = claim
        for claim in plan.made:
            self.assumed_nodes[claim.key] = node

    def forget(self, plan: VolumePlan) -> None:
        for volume, _ in plan.taken:
            self.assumed_volumes.pop(volume.name, None)
        for claim in plan.made:
            self.assumed_nodes.pop(claim.key, None)

    # what placement asks

    def claim(self, key: str) -> ClaimFacts | None:
        """With the node that was chosen for it, if that is not written yet."""
        found = self.claims.get(key)
        node = self.assumed_nodes.get(key)
        return replace(found, selected_node=node) if found is not None and node is not None else found

    def missing(self, shape: Shape) -> str:
        """The first claim of the pod that is not there, in the words of the API."""
        for mount in shape.claims:
            if not mount.ephemeral and f"{shape.namespace}/{mount.name}" not in self.claims:
                return f'persistentvolumeclaim "{mount.name}" not found'
        return ""

    def pod_claims(self, shape: Shape) -> PodClaims | str:
        """A text says why no node can take the pod as its claims stand."""
        bound: list[ClaimFacts] = []
        delayed: list[ClaimFacts] = []
        unready = False
        for mount in shape.claims:
            claim = self.claim(f"{shape.namespace}/{mount.name}")
            if claim is None:
                return self.missing(shape) or (
                    f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{mount.name}"'
                )
            refused = _refused(claim, mount.ephemeral and mount.pod)
            if refused:
                return refused
            if claim.bound:
                bound.append(claim)
            elif self._waits(claim) and not claim.volume:
                delayed.append(claim)
            elif claim.storage_class and claim.storage_class not in self.classes:
                return f'storageclass.storage.k8s.io "{claim.storage_class}" not found'
            else:
                unready = True
        if unready:
            return "pod has unbound immediate PersistentVolumeClaims"
        return PodClaims(tuple(bound), tuple(delayed))

    def _waits(self, claim: ClaimFacts) -> bool:
        held = self.classes.get(claim.storage_class)
        return held is not None and held.waits

    def candidates(self, claim: ClaimFacts) -> Sequence[VolumeFacts]:
        """Volumes the claim could take, its own (reserved for it) before the smallest free one."""
        free: list[VolumeFacts] = []
        for name in self.by_class.get(claim.storage_class, ()):
            volume = self.volumes[name]
            assumed = self.assumed_volumes.get(name)
            if assumed is not None:
                if assumed.key == claim.key:
                    return [volume]
            elif volume.claim:
                if volume.is_for(claim) and volume.size >= claim.size:
                    return [volume]
            elif volume.suits(claim):
                free.append(volume)
        return sorted(free, key=lambda volume: (volume.size, volume.name))

    # which pods use what

    def mount(self, shape: Shape, uid: str, column: int) -> None:
        for each in shape.claims:
            self.users.setdefault(f"{shape.namespace}/{each.name}", {})[uid] = column

    def unmount(self, shape: Shape, uid: str) -> None:
        for each in shape.claims:
            key = f"{shape.namespace}/{each.name}"
            users = self.users.get(key, {})
            users.pop(uid, None)
            if not users:
                self.users.pop(key, None)


def _refused(claim: ClaimFacts, pod: str | bool) -> str:
    if claim.lost:
        return f'persistentvolumeclaim "{claim.name}" bound to non-existent persistentvolume "{claim.volume}"'
    if claim.deleting:
        return f'persistentvolumeclaim "{claim.name}" is being deleted'
    if pod and claim.owner != pod:
        return f"PVC {claim.key} was not created for pod {claim.namespace}/{pod} (pod is not owner)"
    return ""


def choose(
    claims: Iterable[ClaimFacts], volumes: Volumes, usable: dict[str, bool]
) -> tuple[list[tuple[VolumeFacts, ClaimFacts]], list[ClaimFacts]]:
    """The smallest claims choose first: (volumes taken, claims left). ``usable``: by volume, on one node."""
    taken: list[tuple[VolumeFacts, ClaimFacts]] = []
    left: list[ClaimFacts] = []
    used: set[str] = set()
    for claim in sorted(claims, key=lambda claim: claim.size):
        fitting = (v for v in volumes.candidates(claim) if v.name not in used and usable[v.name])
        found = next(fitting, None)
        if found is None:
            left.append(claim)
            continue
        used.add(found.name)
        taken.append((found, claim))
    return taken, left
