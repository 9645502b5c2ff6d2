"""What it costs to embed a cluster: a start, an answer, a stop, many times in one process."""

from __future__ import annotations

import asyncio
import gc
import threading
import time

import pytest

from orchestrator.embedding import Cluster

TIMES = 20
MAX_CPU_SECONDS = 1.0
"""For one start, answer and stop; about a tenth of it on an idle machine."""
MAX_GROWTH_OBJECTS = 2_000
"""Between the fifth and the last time: caches of the process fill at first."""


async def once() -> float:
    began = time.process_time()
    async with Cluster(nodes=1) as cluster:
        assert await cluster.find("namespace/default")
    return time.process_time() - began


@pytest.mark.slow
@pytest.mark.real_loop
async def test_twenty_starts_and_stops_leave_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    tasks, costs, sizes = asyncio.all_tasks(), [], []
    threads = threading.active_count()
    for _ in range(TIMES):
        costs.append(await once())
        await asyncio.sleep(0)
        gc.collect()
        sizes.append(len(gc.get_objects()))
    assert asyncio.all_tasks() == tasks
    assert threading.active_count() == threads
    assert sizes[-1] - sizes[4] < MAX_GROWTH_OBJECTS, sizes
    assert sorted(costs)[TIMES // 2] < MAX_CPU_SECONDS
    with capsys.disabled():
        print(f"\nstart, answer, stop: first {costs[0]:.3f} s, median {sorted(costs)[TIMES // 2]:.3f} s of CPU")
