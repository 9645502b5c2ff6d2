"""The collector is left in peace while virtual time passes, and is afterwards as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from orchestrator import Cluster
from orchestrator.embedding.collecting import COLLECT_OBJECTS


@pytest.fixture
def own() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    yield before
    gc.set_threshold(*before)


async def thresholds_within(cluster: Cluster) -> tuple[int, int, int]:
    seen: list[tuple[int, int, int]] = []
    cluster.system.clock.call_later(1.0, lambda: seen.append(gc.get_threshold()))
    await cluster.advance(2)
    return seen[0]


@pytest.mark.real_loop
async def test_it_looks_rarely_while_time_passes_and_as_before_when_it_stands(own: tuple[int, int, int]) -> None:
    async with Cluster(clock="virtual") as cluster, Cluster(clock="virtual") as other:
        assert gc.get_threshold() == own
        assert await thresholds_within(cluster) == COLLECT_OBJECTS
        assert await thresholds_within(other) == COLLECT_OBJECTS
        assert gc.get_threshold() == own
    assert gc.get_threshold() == own


@pytest.mark.real_loop
async def test_who_has_thresholds_of_its_own_keeps_them(own: tuple[int, int, int]) -> None:
    async with Cluster(clock="virtual") as cluster:
        gc.set_threshold(1234, 5, 6)
        assert await thresholds_within(cluster) == (1234, 5, 6)
        assert gc.get_threshold() == (1234, 5, 6)
