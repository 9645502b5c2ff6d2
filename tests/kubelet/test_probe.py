"""When probes run and what their answers amount to."""

from __future__ import annotations

from typing import Any

from orchestrator.kubelet.pod import Container
from orchestrator.kubelet.probe import Kind, Probing, answered, begin, due, next_at
from tests.kubelet.pods import NOW, container, pod

TCP = {"tcpSocket": {"port": 80}}


def probed(**probes: Any) -> Container:
    return pod(container(**probes)).spec.containers[0]


def answers(one: Container, state: Probing, kind: Kind, *successes: bool) -> Probing:
    for success in successes:
        state = answered(one, state, kind, success=success, now=NOW)
    return state


def test_the_first_probe_waits_for_its_initial_delay() -> None:
    one = probed(readinessProbe=TCP | {"initialDelaySeconds": 5})
    state = begin(one, NOW)
    assert next_at(state) == NOW + 5
    assert due(one, state, NOW + 4) == []
    assert [found.kind for found in due(one, state, NOW + 5)] == [Kind.READINESS]


def test_a_startup_probe_holds_the_others_back() -> None:
    one = probed(readinessProbe=TCP, livenessProbe=TCP, startupProbe=TCP)
    state = begin(one, NOW)
    assert [found.kind for found in due(one, state, NOW)] == [Kind.STARTUP]
    state = answers(one, state, Kind.STARTUP, True)
    assert state.started
    assert {found.kind for found in due(one, state, NOW)} == {Kind.LIVENESS, Kind.READINESS}


def test_readiness_falls_only_at_its_failure_threshold() -> None:
    one = probed(readinessProbe=TCP | {"failureThreshold": 3})
    state = answers(one, begin(one, NOW), Kind.READINESS, True, False, False)
    assert state.ready
    assert not answers(one, state, Kind.READINESS, False).ready


def test_a_success_in_between_starts_the_count_of_failures_over() -> None:
    one = probed(livenessProbe=TCP | {"failureThreshold": 2})
    state = answers(one, begin(one, NOW), Kind.LIVENESS, False, True, False)
    assert state.unhealthy is None
    assert answers(one, state, Kind.LIVENESS, False).unhealthy is Kind.LIVENESS


def test_readiness_rises_at_its_success_threshold() -> None:
    one = probed(readinessProbe=TCP | {"successThreshold": 2})
    state = answers(one, begin(one, NOW), Kind.READINESS, True)
    assert not state.ready
    assert answers(one, state, Kind.READINESS, True).ready


def test_an_unhealthy_container_is_not_probed_any_more() -> None:
    one = probed(startupProbe=TCP | {"failureThreshold": 1})
    state = answers(one, begin(one, NOW), Kind.STARTUP, False)
    assert state.unhealthy is Kind.STARTUP
    assert next_at(state) is None


def test_what_is_known_of_a_container_counts_from_the_start() -> None:
    one = probed(readinessProbe=TCP, startupProbe=TCP)
    state = begin(one, NOW, ready=True, started=True)
    assert (state.ready, state.started) == (True, True)
