"""The collector is left in peace while a cluster in virtual time lives, and is afterwards as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from orchestrator import Cluster
from orchestrator.collecting import COLLECT_OBJECTS, OWN, Leisure


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int, int]]:
    """As in a program of its own: this session has the collector look rarely too."""
    before = gc.get_threshold()
    gc.set_threshold(*OWN[0])
    monkeypatch.setattr("orchestrator.embedding.cluster.LEISURE", Leisure())
    yield OWN[0]
    gc.set_threshold(*before)


@pytest.mark.real_loop
async def test_it_looks_rarely_while_one_lives_and_as_before_when_the_last_has_stopped(
    own: tuple[int, int, int],
) -> None:
    async with Cluster(clock="virtual"):
        assert gc.get_threshold() == COLLECT_OBJECTS
        async with Cluster(clock="virtual"):
            assert gc.get_threshold() == COLLECT_OBJECTS
        assert gc.get_threshold() == COLLECT_OBJECTS
    assert gc.get_threshold() == own


@pytest.mark.real_loop
async def test_a_cluster_in_real_time_leaves_it_as_it_is(own: tuple[int, int, int]) -> None:
    async with Cluster():
        assert gc.get_threshold() == own


@pytest.mark.real_loop
async def test_a_cluster_that_cannot_start_sets_it_back(
    own: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(cluster: Cluster) -> None:
        raise RuntimeError("it cannot be used")

    monkeypatch.setattr(Cluster, "_until_usable", fail)
    with pytest.raises(RuntimeError, match="it cannot be used"):
        async with Cluster(clock="virtual"):
            pytest.fail("it has not started")
    assert gc.get_threshold() == own


@pytest.mark.real_loop
async def test_who_has_thresholds_of_its_own_keeps_them(own: tuple[int, int, int]) -> None:
    gc.set_threshold(1234, 5, 6)
    async with Cluster(clock="virtual"):
        assert gc.get_threshold() == (1234, 5, 6)
    assert gc.get_threshold() == (1234, 5, 6)
