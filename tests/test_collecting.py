"""The collector is left in peace while a cluster in virtual time lives, and is afterwards as it was."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from orchestrator import Cluster
from orchestrator.collecting import COLLECT_OBJECTS, FOUND_OBJECTS, OWN, PASSES, Leisure, Sparing


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


class Looks:
    """A collector that looks when a test says so."""

    def __init__(self) -> None:
        self.frozen = 0
        self.thawed = 0
        self.sparing = Sparing(self.freeze, self.unfreeze)

    def freeze(self) -> None:
        self.frozen += 1

    def unfreeze(self) -> None:
        self.thawed += 1

    def look(self, found: int = 0, generation: int = 0) -> bool:
        """Whether anything was looked at."""
        before = self.frozen
        self.sparing.heard("start", {"generation": generation, "collected": 0})
        looked = self.frozen == before
        self.sparing.heard("stop", {"generation": generation, "collected": found if looked else 0})
        return looked


def test_looks_are_left_out_after_one_that_found_nothing() -> None:
    looks = Looks()
    assert [looks.look() for _ in range(2 * PASSES + 3)] == [True, *[False] * PASSES, True, *[False] * PASSES, True]


def test_the_middle_generation_is_spared_too_and_the_oldest_is_not() -> None:
    looks = Looks()
    assert looks.look()
    assert not looks.look(generation=1)
    assert looks.look(generation=2)
    assert not looks.look(generation=1)


def test_no_look_is_left_out_while_there_is_garbage() -> None:
    looks = Looks()
    assert [looks.look(FOUND_OBJECTS) for _ in range(PASSES)] == [True] * PASSES
    assert looks.look()
    assert not looks.look(FOUND_OBJECTS)


def test_garbage_after_a_look_that_found_none_is_found_by_the_next_one() -> None:
    looks = Looks()
    looks.look()
    while not looks.look(FOUND_OBJECTS):
        assert looks.frozen <= PASSES
    assert looks.look()


def test_at_rest_all_that_was_frozen_is_free_and_the_next_look_looks() -> None:
    looks = Looks()
    looks.look()
    assert not looks.look()
    looks.sparing.rest()
    assert looks.thawed == 1
    assert looks.look()


@pytest.mark.real_loop
def test_what_a_burst_left_in_rings_goes_with_a_look_at_the_oldest_after_it() -> None:
    class Ring:
        pass

    sparing = Sparing()
    before = gc.get_threshold()
    gc.set_threshold(1000, 20, 100)
    sparing.begin()
    sparing.begin()
    try:
        assert gc.callbacks.count(sparing.heard) == 1
        kept = [[number] for number in range(3000)]
        watched = weakref.WeakSet[Ring]()
        ring = Ring()
        ring.itself = ring  # type: ignore[attr-defined]
        watched.add(ring)
        del ring
        kept += [[number] for number in range(3000)]
        assert len(watched) == 1
        assert gc.get_freeze_count() > 0
        sparing.rest()
        gc.collect()
        assert len(watched) == 0
    finally:
        gc.callbacks.remove(sparing.heard)
        gc.set_threshold(*before)
