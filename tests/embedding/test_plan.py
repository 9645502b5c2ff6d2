"""A plan of faults is drawn from its seed, and each of its faults stands in the trace."""

from __future__ import annotations

import re

import pytest

from actors.system import Tap
from orchestrator import Cluster, Plan
from orchestrator.embedding.faults import Drop, PowerOff
from orchestrator.embedding.plan import DRAWS
from tests.embedding.manifests import WEB

NODES = ("node-1", "node-2", "node-3")


def test_a_seed_is_one_list_of_faults_and_another_is_another() -> None:
    assert Plan(7).steps(NODES) == Plan(7).steps(NODES)
    assert Plan(7).steps(NODES) != Plan(8).steps(NODES)


def test_only_faults_of_the_kinds_that_are_asked_for_are_drawn_in_order_of_time() -> None:
    steps = Plan(7, kinds=("power_off", "drop"), seconds=30.0, count=50).steps(NODES)
    assert {type(step.fault) for step in steps} == {PowerOff, Drop}
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert all(0.0 <= step.at <= 30.0 for step in steps)


def test_every_kind_is_drawn_by_some_seed() -> None:
    drawn = {type(step.fault) for seed in range(20) for step in Plan(seed).steps(NODES)}
    assert len(drawn) == len(DRAWS)


def test_a_kind_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected faults of kill, .* found flood"):
        Plan(7, kinds=("flood",)).steps(NODES)


async def test_a_cluster_lives_through_a_plan_and_is_whole_afterwards() -> None:
    frames: list[str] = []
    tap: Tap = lambda *frame: frames.append(repr(frame))  # noqa: E731
    plan = Plan(7, kinds=("power_off", "drop", "partition"), count=5)
    async with Cluster(nodes=3, seed=1, tap=tap) as cluster:
        await cluster.apply(WEB)
        await cluster.wait("deployment/web", "Available")
        told = await cluster.suffer(plan)
        assert len(told) >= 6
        assert all(re.match(r" *\d+\.\d{3} s  \w", line) for line in told), told
        assert told[-1].endswith("heal")
        assert cluster.off == set()
        await cluster.wait("deployment/web", "Available", timeout=600)
    assert any("PowerOff" in frame or "Partition" in frame or "Drop" in frame for frame in frames)


async def test_a_plan_does_the_same_to_the_same_cluster() -> None:
    async def told() -> list[str]:
        async with Cluster(nodes=3, seed=1) as cluster:
            await cluster.apply(WEB)
            return await cluster.suffer(Plan(3, kinds=("kill",), seconds=5.0, count=6))

    first = await told()
    assert sum("kill" in line for line in first) == 6
    assert await told() == first
