"""What one look at a DaemonSet's pods and nodes asks for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.view import View
from orchestrator.controllers.controller_history import HASH_LABEL
from orchestrator.controllers.daemonset_pod import DaemonFacts, node_of, scaled
from orchestrator.controllers.node_fit import Fit, fit
from orchestrator.controllers.pods import FAILED, available, created_at, pod


class Plan(msgspec.Struct):
    """Filled while nodes are looked at, read by the executor."""

    create: list[str] = []
    """Names of nodes."""
    delete: list[View] = []
    failed: list[View] = []
    """Those of ``delete`` that ended badly: they are replaced with back-off."""
    again_seconds: float | None = None


class Scene(msgspec.Struct, frozen=True):
    """The nodes, how each stands to the daemon, and the daemon's pods by node."""

    wanted: DaemonFacts
    nodes: dict[str, Fit]
    pods: dict[str, list[View]]
    hash: str
    now: float

    @property
    def desired(self) -> int:
        return sum(one.start for one in self.nodes.values())

    def ripe(self, view: View) -> bool:
        return not view.deleting and available(pod(view), self.wanted.min_ready_seconds, self.now)

    def updated(self, view: View) -> bool:
        return view.labels.get(HASH_LABEL) == self.hash


def scene(wanted: DaemonFacts, nodes: Iterable[View], pods: Iterable[View], suffix: str, now: float) -> Scene:
    placed: dict[str, list[View]] = {}
    for view in pods:
        placed.setdefault(node_of(view), []).append(view)
    for views in placed.values():
        views.sort(key=lambda view: (created_at(view), view.name))
    fits = {node.name: fit(wanted.spec, wanted.tolerations, node) for node in nodes}
    return Scene(wanted, fits, placed, suffix, now)


def plan(look: Scene, backing_off: Mapping[str, float]) -> Plan:
    """One pod where one belongs; ``backing_off`` has the seconds that a node must still wait after failures."""
    made = Plan([], [], [])
    for name, placed in look.pods.items():
        if name not in look.nodes:
            made.delete += _leave(placed)
    for name, standing in look.nodes.items():
        placed = look.pods.get(name, [])
        if standing.start and not placed:
            made.create.append(name)
        elif placed and not standing.stay:
            made.delete += _leave(placed)
        elif placed:
            _keep_one(look, name, placed, backing_off, made)
    if look.wanted.rolling and not (made.create or made.delete):
        _roll(look, made)
    _ripen(look, made)
    return made


def _leave(placed: Sequence[View]) -> list[View]:
    return [view for view in placed if not view.deleting]


def _keep_one(look: Scene, name: str, placed: list[View], backing_off: Mapping[str, float], made: Plan) -> None:
    """Ended pods are replaced; of several that run the oldest stays (while surging: one of each revision)."""
    running: list[View] = []
    for view in placed:
        if view.deleting:
            continue
        if not pod(view).finished:
            running.append(view)
        elif pod(view).phase == FAILED and backing_off.get(name, 0.0) > 0:
            made.again_seconds = _least(made.again_seconds, backing_off[name])
        else:
            made.delete.append(view)
            if pod(view).phase == FAILED:
                made.failed.append(view)
    if len(running) < 2:
        return
    if not scaled(look.wanted.max_surge, look.desired):
        made.delete += running[1:]
        return
    new = [view for view in running if look.updated(view)]
    old = [view for view in running if not look.updated(view)]
    made.delete += new[1:] + old[1:]
    if new and old and (look.ripe(new[0]) or not look.ripe(old[0])):
        made.delete.append(old[0])


def _roll(look: Scene, made: Plan) -> None:
    surge = scaled(look.wanted.max_surge, look.desired)
    if surge:
        _roll_with_surge(look, surge, made)
    else:
        _roll_in_place(look, max(1, scaled(look.wanted.max_unavailable, look.desired)), made)


def _roll_in_place(look: Scene, budget: int, made: Plan) -> None:
    """Outdated pods that are not available go at once, the others as far as the budget allows."""
    candidates: list[View] = []
    for name, standing in look.nodes.items():
        if not standing.start:
            continue
        alive = _leave(look.pods.get(name, []))
        if not alive:
            budget -= 1
        elif look.updated(alive[0]):
            budget -= not look.ripe(alive[0])
        elif look.ripe(alive[0]):
            candidates.append(alive[0])
        else:
            made.delete.append(alive[0])
            budget -= 1
    made.delete += candidates[: max(0, budget)]


def _roll_with_surge(look: Scene, budget: int, made: Plan) -> None:
    """The new pod comes beside the old one, which goes when the new one is available."""
    candidates: list[str] = []
    for name, standing in look.nodes.items():
        if not standing.start:
            continue
        alive = _leave(look.pods.get(name, []))
        new = [view for view in alive if look.updated(view)]
        old = [view for view in alive if not look.updated(view)]
        if new and old:
            budget -= 1
        elif old and look.ripe(old[0]):
            candidates.append(name)
        elif old:
            made.create.append(name)
    made.create += candidates[: max(0, budget)]


def _ripen(look: Scene, made: Plan) -> None:
    for placed in look.pods.values():
        for view in placed:
            held = pod(view)
            if held.ready and held.ready_since and not view.deleting and not look.ripe(view):
                left = held.ready_since + look.wanted.min_ready_seconds - look.now
                made.again_seconds = _least(made.again_seconds, left)


def _least(one: float | None, other: float) -> float:
    return other if one is None else min(one, other)


def status_of(owner: View, look: Scene, collisions: int) -> Object:
    """The counters of the status."""
    current = misplaced = ready = ripe = updated = 0
    for name, standing in look.nodes.items():
        placed = look.pods.get(name, [])
        if not placed:
            continue
        if not standing.start:
            misplaced += 1
            continue
        current += 1
        shown = next((view for view in placed if pod(view).ready and not view.deleting), placed[0])
        ready += pod(shown).ready
        ripe += look.ripe(shown)
        updated += any(look.updated(view) for view in placed)
    status: Object = {
        "currentNumberScheduled": current,
        "numberMisscheduled": misplaced,
        "desiredNumberScheduled": look.desired,
        "numberReady": ready,
        "observedGeneration": owner.generation,
    }
    counts = {
        "updatedNumberScheduled": updated,
        "numberAvailable": ripe,
        "numberUnavailable": max(0, look.desired - ripe),
        "collisionCount": collisions,
    }
    status.update({name: count for name, count in counts.items() if count})
    if owner.status.get("conditions"):
        status["conditions"] = owner.status["conditions"]
    return status
