"""Rates of what kubelets count, and who is asked when."""

from __future__ import annotations

from typing import Any

import pytest

from actors import Actor, System
from orchestrator.api.usage import Amount, Usage
from orchestrator.kubelet.messages import ContainerUsage, NodeStats, NodeUsage, PodUsage
from orchestrator.metrics import MeasureNow, Metrics, usage_between

SECOND = 1_000_000_000


def node(taken_at: float, cpu_seconds: float, *, started_at: float = 0.0, name: str = "n") -> dict[str, NodeUsage]:
    container = ContainerUsage("c", int(cpu_seconds * SECOND), 1024, started_at)
    pods = [PodUsage("default", "p", "uid", [container])]
    return {name: NodeUsage(name, taken_at, container.cpu_nanoseconds, 1024, pods)}


def test_cpu_is_the_rate_between_two_samples() -> None:
    usage = usage_between(node(100, 10), node(110, 15))
    assert usage.pods["default/p"].amounts == {"c": Amount(SECOND // 2, 1024)}
    assert usage.pods["default/p"].window_seconds == 10
    assert usage.nodes["n"].amounts == {"": Amount(SECOND // 2, 1024)}


def test_a_container_that_began_anew_counts_from_its_start() -> None:
    usage = usage_between(node(100, 10), node(110, 1, started_at=106))
    assert usage.pods["default/p"].amounts["c"].cpu_nanocores == SECOND // 4


def test_a_node_with_one_sample_has_no_figures() -> None:
    assert usage_between({}, node(110, 15)) == Usage({}, {})


class Kubelet(Actor):
    """Uses one core, and counts who asks."""

    def __init__(self, asked: list[float]) -> None:
        self._asked = asked

    async def receive(self, message: Any) -> NodeUsage:
        assert isinstance(message, NodeStats)
        now = self.context.clock.time()
        self._asked.append(now)
        return node(now, now)["n"]


async def test_a_second_question_soon_after_is_answered_from_the_first() -> None:
    asked: list[float] = []
    async with System(seed=1) as system:
        await system.spawn(Kubelet, asked, name="n")
        metrics = await system.spawn(Metrics, lambda: ["n"], system.ref, name="metrics")
        usage = await metrics.ask(MeasureNow())
        assert usage.pods["default/p"].window_seconds > 0
        assert await metrics.ask(MeasureNow()) == usage
        assert len(asked) == 2


async def test_whoever_asks_regularly_gets_the_rate_since_the_last_time() -> None:
    asked: list[float] = []
    async with System(seed=1) as system:
        await system.spawn(Kubelet, asked, name="n")
        metrics = await system.spawn(Metrics, lambda: ["n"], system.ref, name="metrics")
        await metrics.ask(MeasureNow())
        await system.clock.sleep(15.0)
        usage = await metrics.ask(MeasureNow())
        assert len(asked) == 3
        assert round(usage.pods["default/p"].window_seconds) == 15


async def test_a_node_that_is_gone_does_not_hide_the_others() -> None:
    async with System(seed=1) as system:
        await system.spawn(Kubelet, [], name="n")
        metrics = await system.spawn(Metrics, lambda: ["gone", "n"], system.ref, name="metrics")
        assert list((await metrics.ask(MeasureNow())).nodes) == ["n"]


async def test_a_node_that_stays_silent_is_told_of_once(capsys: pytest.CaptureFixture[str]) -> None:
    async with System(seed=1) as system:
        metrics = await system.spawn(Metrics, lambda: ["gone"], system.ref, name="metrics")
        for _ in range(5):
            await metrics.ask(MeasureNow())
            await system.clock.sleep(15.0)
    assert capsys.readouterr().out.count("a node gave no figures") == 1
