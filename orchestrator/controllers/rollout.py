"""How many replicas each ReplicaSet of a Deployment should have next: rolling, recreating, scaling. Pure.

The numbers are kube-controller-manager's: surge rounds up, unavailable down, both zero mean one unavailable.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from orchestrator.client.view import View
from orchestrator.controllers.revisions import DESIRED, MAXIMUM, by_age

ROLLING = "RollingUpdate"


class Scale(msgspec.Struct, frozen=True):
    view: View
    replicas: int


class Bounds(msgspec.Struct, frozen=True):
    """What a Deployment allows at once."""

    replicas: int
    surge: int
    unavailable: int
    rolling: bool

    @property
    def most(self) -> int:
        return self.replicas + self.surge

    @property
    def least_available(self) -> int:
        return self.replicas - self.unavailable


def bounds(deployment: View) -> Bounds:
    spec = deployment.spec
    replicas: int = spec.get("replicas", 1)
    strategy = spec.get("strategy") or {}
    if strategy.get("type", ROLLING) != ROLLING:
        return Bounds(replicas, 0, 0, False)
    rolling = strategy.get("rollingUpdate") or {}
    surge = share(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Bounds(replicas, surge, min(unavailable, replicas), True)


def share(value: int | str, total: int, *, up: bool) -> int:
    """An int-or-percent of ``total``."""
    if isinstance(value, int):
        return value
    exact = int(value.rstrip("%")) * total / 100
    return math.ceil(exact) if up else math.floor(exact)


def size(view: View) -> int:
    replicas: int = view.spec.get("replicas", 1)
    return replicas


def count(view: View, name: str) -> int:
    value: int = view.status.get(name, 0)
    return value


def total(views: Sequence[View]) -> int:
    return sum(size(view) for view in views)


def active(views: Sequence[View]) -> list[View]:
    return [view for view in views if size(view) > 0]


def new_size(limit: Bounds, others: int, own: int) -> int:
    """What the new ReplicaSet may grow to, when all have ``others + own`` replicas."""
    if not limit.rolling:
        return limit.replicas
    room = limit.most - others - own
    return own if room <= 0 else own + min(room, limit.replicas - own)


def roll_new(limit: Bounds, new: View, old: Sequence[View]) -> list[Scale]:
    held = size(new)
    if held == limit.replicas:
        return []
    wanted = limit.replicas if held > limit.replicas else new_size(limit, total(old), held)
    return [Scale(new, wanted)] if wanted != held else []


def roll_old(limit: Bounds, new: View | None, old: Sequence[View]) -> list[Scale]:
    """First those that were never available, then, while enough are available, the oldest."""
    new_held, new_ready = (size(new), count(new, "availableReplicas")) if new is not None else (0, 0)
    most = total(old) + new_held - limit.least_available - (new_held - new_ready)
    if total(old) == 0 or most <= 0:
        return []
    sizes = {view.name: size(view) for view in old}
    taken = 0
    for view in by_age(old):
        sick = size(view) - count(view, "availableReplicas")
        down = max(0, min(most - taken, sick, size(view)))
        sizes[view.name] -= down
        taken += down
    spare = sum(count(view, "availableReplicas") for view in old) + new_ready - limit.least_available
    for view in by_age(old):
        down = max(0, min(sizes[view.name], spare))
        sizes[view.name] -= down
        spare -= down
    return [Scale(view, sizes[view.name]) for view in by_age(old) if sizes[view.name] != size(view)]


def recreate_old(old: Sequence[View]) -> list[Scale]:
    return [Scale(view, 0) for view in active(old)]


def is_scaling(deployment: View, replicasets: Sequence[View]) -> bool:
    """The Deployment's size was changed since its ReplicaSets were last scaled."""
    wanted = str(deployment.spec.get("replicas", 1))
    return any(view.annotations.get(DESIRED, wanted) != wanted for view in active(replicasets))


def rescale(deployment: View, limit: Bounds, new: View | None, old: Sequence[View]) -> list[Scale]:
    """A new size, spread over what is there in proportion, without touching the rollout."""
    everything = [*old, new] if new is not None else list(old)
    running = active(everything)
    if len(running) <= 1:
        only = running[0] if running else new or (by_age(old)[-1] if old else None)
        return [Scale(only, limit.replicas)] if only is not None and _differs(only, limit.replicas, limit) else []
    if new is not None and _saturated(limit, new):
        return [Scale(view, 0) for view in active(old)]
    if not limit.rolling:
        return []
    return _proportional(deployment, limit, running)


def _saturated(limit: Bounds, new: View) -> bool:
    wanted = limit.replicas
    return (
        size(new) == wanted
        and new.annotations.get(DESIRED) == str(wanted)
        and count(new, "availableReplicas") == wanted
    )


def _proportional(deployment: View, limit: Bounds, running: Sequence[View]) -> list[Scale]:
    allowed = limit.most if limit.replicas > 0 else 0
    add = allowed - total(running)
    newest_first = list(reversed(by_age(running)))
    ordered = sorted(newest_first if add > 0 else by_age(running), key=lambda view: -size(view))
    sizes = {view.name: size(view) for view in ordered}
    added = 0
    for view in ordered:
        part = _part(deployment, limit, view, add, added)
        sizes[view.name] += part
        added += part
    if add != 0:
        first = ordered[0].name
        sizes[first] = max(0, sizes[first] + add - added)
    return [Scale(view, sizes[view.name]) for view in ordered if _differs(view, sizes[view.name], limit)]


def _part(deployment: View, limit: Bounds, view: View, add: int, added: int) -> int:
    left = add - added
    if size(view) == 0 or add == 0 or left == 0:
        return 0
    wish = _fraction(deployment, limit, view)
    return min(wish, left) if add > 0 else max(wish, left)


def _fraction(deployment: View, limit: Bounds, view: View) -> int:
    if limit.replicas == 0:
        return -size(view)
    before = view.annotations.get(MAXIMUM, "")
    most = int(before) if before.isdigit() and int(before) > 0 else count(deployment, "replicas") or limit.most
    return math.floor(size(view) * limit.most / most + 0.5) - size(view)


def _differs(view: View, replicas: int, limit: Bounds) -> bool:
    return replicas != size(view) or view.annotations.get(DESIRED) != str(limit.replicas)
