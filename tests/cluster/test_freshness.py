"""What the components rely on so that nobody waits for a silence, and no cause is lost."""

from __future__ import annotations

from actors.testing import Probe, SimulatedClock
from orchestrator.client.kinds import CONFIGMAPS, NODES, SERVICES
from orchestrator.client.workqueue import MAX_CAUSES, WorkQueue
from orchestrator.embedding import Cluster
from orchestrator.store.protocol import Changes, Watch, WatchCredit
from tests.cluster.objects import service


async def test_work_that_is_put_off_keeps_its_causes_in_front_of_newer_ones() -> None:
    clock = SimulatedClock()
    queue = WorkQueue(clock, lambda: None)
    queue.add_after("a", 1.0, [3, 4])
    await clock.advance(2.0)
    queue.add("a", [9])
    item = queue.pop()
    assert item is not None
    assert item.causes == (3, 4, 9)
    queue.done("a")
    queue.add("a")
    again = queue.pop()
    assert again is not None
    assert again.causes == ()


def test_put_off_causes_are_bounded() -> None:
    queue = WorkQueue(SimulatedClock(), lambda: None)
    for number in range(MAX_CAUSES * 2):
        queue.add_after("a", 1.0, [number])
    queue.add("a", [99])
    item = queue.pop()
    assert item is not None
    assert item.causes == tuple(range(MAX_CAUSES))


async def test_a_credit_of_nothing_asks_a_watch_for_progress() -> None:
    async with Cluster(nodes=0, seed=1) as cluster:
        probe = await Probe.spawn(cluster.system)
        granted = await cluster.store.ask(Watch(probe.ref, prefix=CONFIGMAPS.prefix))
        await cluster.apply(service())
        await cluster.store.tell(WatchCredit(granted.watch, 0))
        frame = await probe.get(Changes, seconds=1.0)
        assert frame.events == []
        assert frame.revision > granted.revision


async def test_a_hastened_cache_reaches_the_server_though_nothing_of_its_kind_changes() -> None:
    async with Cluster(nodes=0, seed=1) as cluster:
        cache = await cluster.informers.synced(NODES)
        await cluster.apply(service())
        target = (await cluster.client.list(SERVICES)).revision
        assert cache.revision < target
        cluster.informers.hasten(NODES)
        await cluster.pause(0.1)
        assert cache.revision >= target
