"""When a container is probed next and what the answers mean: thresholds, periods, verdicts. Pure.

A startup probe holds the two others back until it passes (KEP-950). Liveness and startup failures at their threshold
make the container unhealthy; readiness goes up and down.
"""

from __future__ import annotations

from enum import StrEnum
from math import ceil

import msgspec

from orchestrator.kubelet.pod import Container, Probe

GRID_PER_SECOND = 4
"""Probes run at most a quarter of a second late, so that those of a node come in one turn and not in a hundred."""


MAX_SILENCE_SECONDS = 3600.0
"""A prober may say for how long its answer holds, but it is asked once an hour."""


class Kind(StrEnum):
    STARTUP = "startup"
    LIVENESS = "liveness"
    READINESS = "readiness"


class Round(msgspec.Struct, frozen=True, gc=False):
    """One probe of one container: when it runs next, and its run of equal answers."""

    kind: Kind
    next_at: float
    run: int = 0
    succeeding: bool = False


class Probing(msgspec.Struct, frozen=True, gc=False):
    """All probes of one attempt of a container."""

    rounds: tuple[Round, ...]
    started: bool
    ready: bool
    unhealthy: Kind | None = None


class Due(msgspec.Struct, frozen=True, gc=False):
    kind: Kind
    probe: Probe


def probe_of(container: Container, kind: Kind) -> Probe | None:
    if kind is Kind.STARTUP:
        return container.startup_probe
    return container.liveness_probe if kind is Kind.LIVENESS else container.readiness_probe


def has_probes(container: Container) -> bool:
    return (
        container.readiness_probe is not None
        or container.liveness_probe is not None
        or container.startup_probe is not None
    )


def begin(container: Container, started_at: float, *, ready: bool = False, started: bool = False) -> Probing:
    """The state for a container whose program began at ``started_at``; what is known of it already counts."""
    rounds = tuple(
        Round(kind, started_at + probe.initial_delay_seconds)
        for kind in Kind
        if (probe := probe_of(container, kind)) is not None
    )
    return Probing(
        rounds, started=started or container.startup_probe is None, ready=ready or container.readiness_probe is None
    )


def _active(probing: Probing) -> list[Round]:
    if probing.unhealthy is not None:
        return []
    return [one for one in probing.rounds if (one.kind is Kind.STARTUP) is not probing.started]


def due(container: Container, probing: Probing, now: float, *, doubted: bool = False) -> list[Due]:
    """The probes to run now; when something happened to the pod (``doubted``) also those whose answer should hold."""
    found = []
    for one in _active(probing):
        probe = probe_of(container, one.kind)
        if probe is None:
            continue
        if one.next_at <= now or (doubted and one.next_at > now + max(probe.period_seconds, 1) + 1 / GRID_PER_SECOND):
            found.append(Due(one.kind, probe))
    return found


def next_at(probing: Probing) -> float | None:
    """When the next probe is to run."""
    return min([one.next_at for one in _active(probing)], default=None)


def answered(
    container: Container, probing: Probing, kind: Kind, *, success: bool, now: float, until: float = 0.0
) -> Probing:
    """The state after one answer. One that holds ``until`` a moment, and that is enough, is not asked for before."""
    probe = probe_of(container, kind)
    before = next((one for one in probing.rounds if one.kind is kind), None)
    if probe is None or before is None:
        return probing
    run = before.run + 1 if before.run and before.succeeding is success else 1
    reached = run >= max(probe.success_threshold if success else probe.failure_threshold, 1)
    after = Round(kind, _following(probe, now, until if reached else 0.0), run, success)
    rounds = tuple([after if one is before else one for one in probing.rounds])
    probing = Probing(rounds, probing.started, probing.ready, probing.unhealthy)
    return _verdict(probing, kind, success=success) if reached else probing


def _following(probe: Probe, now: float, until: float = 0.0) -> float:
    """When a probe runs again: some periods later, not before ``until``, on a grid of moments that all pods share."""
    period = max(probe.period_seconds, 1)
    periods = max(ceil((min(until, now + MAX_SILENCE_SECONDS) - now) / period), 1)
    return ceil((now + periods * period) * GRID_PER_SECOND) / GRID_PER_SECOND


def _verdict(probing: Probing, kind: Kind, *, success: bool) -> Probing:
    if kind is Kind.READINESS:
        return probing if probing.ready is success else msgspec.structs.replace(probing, ready=success)
    if not success:
        return msgspec.structs.replace(probing, unhealthy=kind)
    if kind is Kind.STARTUP and not probing.started:
        return msgspec.structs.replace(probing, started=True)
    return probing


def running_now(probing: Probing, kinds: list[Due], now: float) -> Probing:
    """The state while these probes are under way: none of them is due again before its period has passed."""
    following = {one.kind: _following(one.probe, now) for one in kinds}
    rounds = [Round(one.kind, following.get(one.kind, one.next_at), one.run, one.succeeding) for one in probing.rounds]
    return msgspec.structs.replace(probing, rounds=tuple(rounds))
