"""Garbage collection: background, foreground, orphan, circles."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import CONFIGMAPS, PODS, REPLICASETS, SECRETS, Kind
from orchestrator.controllers.garbage import GarbageCollector
from orchestrator.controllers.replicaset import ReplicaSets
from orchestrator.store.protocol import Refusal
from tests.controllers.stage import Stage, replicaset, stage


async def owned(s: Stage, name: str, *owners: Object, kind: Kind = CONFIGMAPS, block: bool = True) -> Object:
    references = [
        {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": block,
        }
        for owner in owners
    ]
    metadata = {"name": name, "namespace": "default", "ownerReferences": references}
    return await s.client.create(kind, {"apiVersion": "v1", "kind": kind.kind, "metadata": metadata})


async def names(s: Stage, kind: Kind = CONFIGMAPS) -> list[str]:
    return sorted(held["metadata"]["name"] for held in await s.objects(kind))


async def test_dependents_follow_their_owner() -> None:
    async with stage() as s:
        await s.play(GarbageCollector)
        await s.play(ReplicaSets)
        await s.client.create(REPLICASETS, replicaset(replicas=100))
        await s.settle()
        assert len(await s.objects(PODS)) == 100
        await s.client.delete(REPLICASETS, "web", "default")
        await s.settle()
        assert await s.objects(PODS) == []


async def test_the_foreground_waits_for_the_dependents_that_block() -> None:
    async with stage() as s:
        await s.play(GarbageCollector)
        owner = await owned(s, "owner")
        child = await owned(s, "child", owner)
        await s.client.patch(CONFIGMAPS, "child", "default", {"metadata": {"finalizers": ["example.com/hold"]}})
        await s.settle()
        await s.client.delete(CONFIGMAPS, "owner", "default", propagation="Foreground")
        await s.settle()
        assert await names(s) == ["child", "owner"]
        assert (await s.client.get(CONFIGMAPS, "child", "default"))["metadata"].get("deletionTimestamp")
        await s.client.patch(CONFIGMAPS, "child", "default", {"metadata": {"finalizers": None}})
        await s.settle()
        assert await names(s) == []
        assert child["metadata"]["uid"] != owner["metadata"]["uid"]


async def test_orphans_lose_the_reference_and_stay() -> None:
    async with stage() as s:
        await s.play(GarbageCollector)
        owner = await owned(s, "owner")
        await owned(s, "child", owner)
        await s.settle()
        await s.client.delete(CONFIGMAPS, "owner", "default", propagation="Orphan")
        await s.settle()
        assert await names(s) == ["child"]
        assert not (await s.client.get(CONFIGMAPS, "child", "default"))["metadata"].get("ownerReferences")


async def test_an_object_with_another_owner_stays_without_the_reference_that_dangles() -> None:
    async with stage() as s:
        await s.play(GarbageCollector)
        one, two = await owned(s, "one"), await owned(s, "two")
        await owned(s, "child", one, two)
        await s.settle()
        await s.client.delete(CONFIGMAPS, "one", "default")
        await s.settle()
        assert await names(s) == ["child", "two"]
        references = (await s.client.get(CONFIGMAPS, "child", "default"))["metadata"]["ownerReferences"]
        assert [held["name"] for held in references] == ["two"]


async def test_an_owner_that_never_was_is_absent() -> None:
    async with stage() as s:
        await s.play(GarbageCollector)
        ghost = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ghost", "uid": "u-1"}}
        await owned(s, "child", ghost)
        await s.settle()
        assert await names(s) == []
        assert await names(s, SECRETS) == []


async def test_an_owner_of_the_same_name_and_another_uid_is_absent() -> None:
    async with stage() as s:
        await s.play(GarbageCollector)
        old = await owned(s, "owner")
        await s.client.delete(CONFIGMAPS, "owner", "default")
        await owned(s, "owner")
        await owned(s, "child", old)
        await s.settle()
        assert await names(s) == ["owner"]


async def test_an_owner_that_was_replaced_while_nobody_watched_is_absent() -> None:
    async with stage() as s:
        await s.play(GarbageCollector)
        await owned(s, "child", await owned(s, "owner"))
        await s.settle()
        s.api.end_watches(Refusal.STOPPED)
        await s.client.delete(CONFIGMAPS, "owner", "default", propagation="Background")
        await owned(s, "owner")
        s.api.forget_history()
        await s.settle(10.0)
        assert await names(s) == ["owner"]


async def test_a_circle_of_blocking_owners_is_deleted() -> None:
    async with stage() as s:
        await s.play(GarbageCollector)
        one = await owned(s, "one")
        two = await owned(s, "two", one)
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "two", "uid": two["metadata"]["uid"]}
        change = {"metadata": {"ownerReferences": [{**reference, "blockOwnerDeletion": True}]}}
        await s.client.patch(CONFIGMAPS, "one", "default", change)
        await s.settle()
        await s.client.delete(CONFIGMAPS, "one", "default", propagation="Foreground")
        await s.settle(5.0)
        assert await names(s) == []
