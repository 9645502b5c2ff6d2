"""Chaos on an ordinary loop: a random actor is killed every 50 ms through a rollout of a thousand pods."""

from __future__ import annotations

import asyncio
import os
import random
import time
from contextlib import suppress

import pytest

from orchestrator import Cluster, Unmet
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.client.errors import TransportError
from orchestrator.client.kinds import PODS
from orchestrator.embedding.faulty import FAULTS
from orchestrator.kubelet.runtime.behaviour import Behaviour, Rule
from orchestrator.testing.swarm.observers import is_ready

PODS_WANTED = 1000
KILL_SECONDS = 0.05
MAX_CHAOS_SECONDS = 30.0
HEALED_SECONDS = 240.0
TIMES = int(os.environ.get("CHAOS_TIMES", "100"))
"""Of the proof."""


def web(version: int) -> Object:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": f"web:{version}"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": PODS_WANTED, "selector": {"matchLabels": labels}, "template": template},
    }


def rolled_out(obj: Object) -> bool:
    status = obj.get("status") or {}
    if status.get("observedGeneration", 0) < obj["metadata"]["generation"]:
        return False
    return [status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas")] == [PODS_WANTED] * 3


async def rolled_out_under_fire(seed: int) -> tuple[int, int]:
    """(kills, wrong pods)."""
    async with Cluster(nodes=20) as cluster:
        cluster.behave(Rule(Behaviour(start_seconds=0.5, jitter_seconds=0.5)))
        await cluster.apply(web(1))
        await cluster.wait("deployment/web", rolled_out, timeout=HEALED_SECONDS)
        await cluster.apply(web(2))
        killed: list[str] = []
        killer = asyncio.create_task(kill_all_the_time(cluster, random.Random(seed), killed))
        with suppress(Unmet, StatusError, TransportError):
            await cluster.wait("deployment/web", rolled_out, timeout=MAX_CHAOS_SECONDS)
        killer.cancel()
        await asyncio.gather(killer, return_exceptions=True)
        await cluster.wait("deployment/web", rolled_out, timeout=HEALED_SECONDS)
        pods = (await cluster.client.list(PODS, "default")).objects()
        images = [pod["spec"]["containers"][0]["image"] for pod in pods if is_ready(pod)]
        return len(killed), abs(len(pods) - PODS_WANTED) + sum(image != "web:2" for image in images) + len(pods) - len(
            images
        )


async def kill_all_the_time(cluster: Cluster, choice: random.Random, killed: list[str]) -> None:
    while True:
        await asyncio.sleep(KILL_SECONDS)
        path = choice.choice([path for path in cluster.system.cells if path not in ("", FAULTS)])
        if await cluster.kill(path):
            killed.append(path)


@pytest.mark.slow
@pytest.mark.real_loop
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_rollout_of_a_thousand_pods_survives_a_kill_every_50_ms(
    seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    kills, wrong = await rolled_out_under_fire(seed)
    with capsys.disabled():
        print(f"\nseed {seed}: {kills} kills, {wrong} wrong pods, {time.monotonic() - began:.0f} s")
    assert kills > 0
    assert wrong == 0


@pytest.mark.prove
@pytest.mark.real_loop
async def test_a_hundred_rollouts_survive(capsys: pytest.CaptureFixture[str]) -> None:
    total = 0
    for seed in range(TIMES):
        kills, wrong = await rolled_out_under_fire(seed)
        total += kills
        with capsys.disabled():
            print(f"\nseed {seed}: {kills} kills, {wrong} wrong pods", flush=True)
        assert wrong == 0
    with capsys.disabled():
        print(f"\n{TIMES} rollouts of {PODS_WANTED} pods, {total} kills, 0 wrong pods")
