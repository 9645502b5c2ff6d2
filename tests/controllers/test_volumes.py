"""Claims and volumes: binding, provisioning, reclaiming, protection in use."""

from __future__ import annotations

from typing import Any

import pytest

from actors import child
from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import NODES, PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS, STORAGECLASSES
from orchestrator.controllers.volume_binder import VolumeBinder
from orchestrator.controllers.volume_protection import (
    CLAIM_FINALIZER,
    VOLUME_FINALIZER,
    ClaimProtection,
    VolumeProtection,
)
from orchestrator.controllers.volume_provisioner import VolumeProvisioner, default_class
from tests.controllers.stage import Stage, bare_pod, stage

BASE = "/volumes"


def claim(name: str = "data", size: str = "1Gi", **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec},
        "status": {"phase": "Pending"},
    }


def volume(name: str, size: str = "1Gi", labels: dict[str, str] | None = None, **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": size},
            "hostPath": {"path": f"/{name}"},
            "persistentVolumeReclaimPolicy": "Retain",
            **spec,
        },
    }


def node(name: str) -> Object:
    labels = {"kubernetes.io/hostname": name}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": {}}


def user(name: str = "user", **spec: Any) -> Object:
    return bare_pod(name, {}, volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}], **spec)


async def bound(s: Stage, name: str = "data") -> tuple[str, str]:
    """The phase of a claim, and its volume."""
    held = await s.client.get(PERSISTENTVOLUMECLAIMS, name, "default")
    return held["status"]["phase"], held["spec"].get("volumeName", "")


async def phase(s: Stage, name: str) -> str:
    return str((await s.client.get(PERSISTENTVOLUMES, name))["status"]["phase"])


async def play_provisioner(s: Stage, remove: Any = None) -> None:
    def make() -> VolumeProvisioner:
        return VolumeProvisioner(s.client, s.informers, s.recorder, base_path=BASE, remove_directory=remove)

    await s.system.spawn(child(make), name="provisioner")


async def test_a_claim_gets_the_smallest_volume_that_is_large_enough() -> None:
    async with stage() as s:
        await s.play(VolumeBinder)
        for name, size in (("small", "500Mi"), ("large", "5Gi"), ("middle", "2Gi")):
            await s.client.create(PERSISTENTVOLUMES, volume(name, size))
        await s.settle()
        await s.client.create(PERSISTENTVOLUMECLAIMS, claim())
        await s.settle()
        assert await bound(s) == ("Bound", "middle")
        held = await s.client.get(PERSISTENTVOLUMECLAIMS, "data", "default")
        assert held["status"]["capacity"] == {"storage": "2Gi"}
        assert [await phase(s, name) for name in ("small", "middle", "large")] == ["Available", "Bound", "Available"]


@pytest.mark.parametrize(
    "spec",
    [
        {"storageClassName": "other"},
        {"accessModes": ["ReadWriteMany"]},
        {"volumeMode": "Block"},
        {"selector": {"matchLabels": {"tier": "gold"}}},
    ],
    ids=lambda spec: next(iter(spec)),
)
async def test_a_volume_that_differs_is_not_taken(spec: Object) -> None:
    async with stage() as s:
        await s.play(VolumeBinder)
        await s.client.create(PERSISTENTVOLUMES, volume("one", labels={"tier": "silver"}))
        await s.client.create(PERSISTENTVOLUMECLAIMS, claim(**spec))
        await s.settle()
        assert await bound(s) == ("Pending", "")


async def test_a_claim_waits_for_the_volume_that_it_names_and_takes_no_other() -> None:
    async with stage() as s:
        await s.play(VolumeBinder)
        await s.client.create(PERSISTENTVOLUMES, volume("other"))
        await s.client.create(PERSISTENTVOLUMECLAIMS, claim(volumeName="mine"))
        await s.settle()
        assert await bound(s) == ("Pending", "mine")
        await s.client.create(PERSISTENTVOLUMES, volume("mine"))
        await s.settle(5.0)
        assert await bound(s) == ("Bound", "mine")


async def test_of_two_claims_for_one_volume_one_is_bound() -> None:
    async with stage() as s:
        await s.play(VolumeBinder)
        await s.client.create(PERSISTENTVOLUMECLAIMS, claim("one"))
        await s.client.create(PERSISTENTVOLUMECLAIMS, claim("two"))
        await s.client.create(PERSISTENTVOLUMES, volume("only"))
        await s.settle(5.0)
        assert sorted([await bound(s, "one"), await bound(s, "two")]) == [("Bound", "only"), ("Pending", "")]


async def test_a_reserved_volume_is_for_its_claim_alone() -> None:
    async with stage() as s:
        await s.play(VolumeBinder)
        reserved = volume("reserved", claimRef={"namespace": "default", "name": "data"})
        await s.client.create(PERSISTENTVOLUMES, reserved)
        await s.client.create(PERSISTENTVOLUMECLAIMS, claim("stranger"))
        await s.settle()
        assert await bound(s, "stranger") == ("Pending", "")
        await s.client.create(PERSISTENTVOLUMECLAIMS, claim())
        await s.settle()
        assert await bound(s) == ("Bound", "reserved")


async def test_a_retained_volume_is_released_and_not_given_again() -> None:
    async with stage() as s:
        await s.play(VolumeBinder)
        await s.client.create(PERSISTENTVOLUMES, volume("kept"))
        await s.client.create(PERSISTENTVOLUMECLAIMS, claim())
        await s.settle()
        await s.client.delete(PERSISTENTVOLUMECLAIMS, "data", "default")
        await s.settle()
        assert await phase(s, "kept") == "Released"
        await s.client.create(PERSISTENTVOLUMECLAIMS, claim())
        await s.settle()
        assert await bound(s) == ("Pending", "")


async def test_a_claim_whose_volume_is_gone_is_lost() -> None:
    async with stage() as s:
        await s.play(VolumeBinder)
        await s.client.create(PERSISTENTVOLUMES, volume("doomed"))
        await s.client.create(PERSISTENTVOLUMECLAIMS, claim())
        await s.settle()
        await s.client.delete(PERSISTENTVOLUMES, "doomed")
        await s.settle()
        assert await bound(s) == ("Lost", "doomed")


async def test_a_volume_that_nobody_can_delete_fails() -> None:
    async with stage() as s:
        await s.play(VolumeBinder)
        await s.client.create(PERSISTENTVOLUMES, volume("odd", persistentVolumeReclaimPolicy="Delete"))
        await s.client.create(PERSISTENTVOLUMECLAIMS, claim())
        await s.settle()
        await s.client.delete(PERSISTENTVOLUMECLAIMS, "data", "default")
        await s.settle()
        assert await phase(s, "odd") == "Failed"


async def test_a_claim_of_the_local_class_gets_a_directory_and_gives_it_back() -> None:
    removed: list[str] = []

    async def remove(path: str) -> None:
        removed.append(path)

    async with stage() as s:
        await s.client.create(STORAGECLASSES, default_class())
        await s.play(VolumeBinder)
        await play_provisioner(s, remove)
        made = await s.client.create(PERSISTENTVOLUMECLAIMS, claim(storageClassName="standard"))
        await s.settle()
        name = f"pvc-{made['metadata']['uid']}"
        assert await bound(s) == ("Bound", name)
        held = await s.client.get(PERSISTENTVOLUMES, name)
        path = f"{BASE}/default-data-{name}"
        assert held["spec"]["hostPath"] == {"path": path, "type": "DirectoryOrCreate"}
        assert "nodeAffinity" not in held["spec"]
        await s.client.delete(PERSISTENTVOLUMECLAIMS, "data", "default")
        await s.settle()
        assert (removed, await s.objects(PERSISTENTVOLUMES)) == ([path], [])


async def test_a_directory_that_cannot_be_removed_keeps_its_volume() -> None:
    async def remove(path: str) -> None:
        raise OSError("busy")

    async with stage() as s:
        await s.client.create(STORAGECLASSES, default_class())
        await s.play(VolumeBinder)
        await play_provisioner(s, remove)
        await s.client.create(PERSISTENTVOLUMECLAIMS, claim(storageClassName="standard"))
        await s.settle()
        await s.client.delete(PERSISTENTVOLUMECLAIMS, "data", "default")
        await s.settle()
        assert [one["status"]["phase"] for one in await s.objects(PERSISTENTVOLUMES)] == ["Released"]


async def test_a_waiting_class_provisions_on_the_node_of_the_first_consumer() -> None:
    async with stage() as s:
        await s.client.create(STORAGECLASSES, {**default_class(), "volumeBindingMode": "WaitForFirstConsumer"})
        for name in ("n1", "n2"):
            await s.client.create(NODES, node(name))
        await s.play(VolumeBinder)
        await play_provisioner(s)
        await s.client.create(PERSISTENTVOLUMECLAIMS, claim(storageClassName="standard"))
        await s.settle()
        assert await bound(s) == ("Pending", "")
        await s.client.create(PODS, user(nodeName="n2"))
        await s.settle()
        assert (await bound(s))[0] == "Bound"
        terms = (await s.objects(PERSISTENTVOLUMES))[0]["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
        assert terms[0]["matchExpressions"][0]["values"] == ["n2"]


async def test_the_node_that_the_scheduler_selected_decides_which_volume_is_taken() -> None:
    async with stage() as s:
        await s.client.create(STORAGECLASSES, {**default_class(), "volumeBindingMode": "WaitForFirstConsumer"})
        for name in ("n1", "n2"):
            await s.client.create(NODES, node(name))
            term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [name]}]}
            affinity = {"required": {"nodeSelectorTerms": [term]}}
            local = volume(f"on-{name}", nodeAffinity=affinity, storageClassName="standard")
            await s.client.create(PERSISTENTVOLUMES, local)
        await s.play(VolumeBinder)
        made = claim(storageClassName="standard")
        made["metadata"]["annotations"] = {"volume.kubernetes.io/selected-node": "n2"}
        await s.client.create(PERSISTENTVOLUMECLAIMS, made)
        await s.settle()
        assert await bound(s) == ("Bound", "on-n2")


async def test_a_claim_in_use_stays_until_its_pod_is_gone() -> None:
    async with stage() as s:
        await s.play(ClaimProtection)
        protected = claim()
        protected["metadata"]["finalizers"] = [CLAIM_FINALIZER]
        await s.client.create(PERSISTENTVOLUMECLAIMS, protected)
        await s.client.create(PODS, user(nodeName="n1"))
        await s.settle()
        await s.client.delete(PERSISTENTVOLUMECLAIMS, "data", "default")
        await s.settle()
        assert len(await s.objects(PERSISTENTVOLUMECLAIMS)) == 1
        await s.client.delete(PODS, "user", "default")
        await s.settle()
        assert await s.objects(PERSISTENTVOLUMECLAIMS) == []


async def test_a_bound_volume_stays_until_its_claim_is_gone() -> None:
    async with stage() as s:
        await s.play(VolumeBinder)
        await s.play(VolumeProtection)
        protected = volume("v")
        protected["metadata"]["finalizers"] = [VOLUME_FINALIZER]
        await s.client.create(PERSISTENTVOLUMES, protected)
        await s.client.create(PERSISTENTVOLUMECLAIMS, claim())
        await s.settle()
        await s.client.delete(PERSISTENTVOLUMES, "v")
        await s.settle()
        assert len(await s.objects(PERSISTENTVOLUMES)) == 1
        await s.client.delete(PERSISTENTVOLUMECLAIMS, "data", "default")
        await s.settle()
        assert await s.objects(PERSISTENTVOLUMES) == []
