"""Custom kinds in a whole cluster: established, served, owned, collected, and gone with their definition."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.client.kinds import CONFIGMAPS, CUSTOMRESOURCEDEFINITIONS, NAMESPACES, Kind
from orchestrator.embedding import Cluster
from tests.api.custom.definitions import crontab, definition

pytestmark = pytest.mark.slow

CRONTABS = Kind("stable.example.com", "v1", "crontabs", "CronTab")
BETA = Kind("stable.example.com", "v1beta1", "crontabs", "CronTab")


def fresh(**names: Any) -> Object:
    made = definition(**names)
    del made["status"], made["metadata"]["uid"]
    return made


def condition(obj: Object | None, type: str) -> Object:
    listed = ((obj or {}).get("status") or {}).get("conditions") or ()
    return next((each for each in listed if each["type"] == type), {})


async def established(cluster: Cluster, made: Object) -> None:
    await cluster.client.create(CUSTOMRESOURCEDEFINITIONS, made)
    name = made["metadata"]["name"]
    await cluster.wait(f"crd/{name}", "Established")


async def test_an_object_of_a_new_kind_lives_like_any_other() -> None:
    async with Cluster(nodes=0) as cluster:
        with pytest.raises(StatusError, match="could not find the requested resource"):
            await cluster.client.create(CRONTABS, crontab())
        await established(cluster, fresh())
        made = await cluster.client.create(CRONTABS, crontab())
        assert made["spec"]["image"] == "nginx"
        assert made["metadata"]["generation"] == 1
        with pytest.raises(StatusError, match="should be less than or equal to 10"):
            await cluster.client.patch(CRONTABS, "one", "default", {"spec": {"replicas": 11}})
        with pytest.raises(StatusError, match="cronSpec is immutable"):
            await cluster.client.patch(CRONTABS, "one", "default", {"spec": {"cronSpec": "1 1 1 1 1"}})
        made["status"] = {"replicas": 2, "unknown": 1}
        told = await cluster.client.update_status(CRONTABS, made)
        assert told["status"] == {"replicas": 2}
        assert told["metadata"]["generation"] == 1
        beta = await cluster.client.get(BETA, "one", "default")
        assert beta["apiVersion"] == "stable.example.com/v1beta1"
        listed = await cluster.client.list(CRONTABS, "default", fields="spec.image=nginx")
        assert len(listed.items) == 1
        await cluster.client.delete(CRONTABS, "one", "default")
        assert not (await cluster.client.list(CRONTABS, "default")).items


async def test_a_new_definition_has_a_list_of_conditions_before_there_is_one() -> None:
    async with Cluster(nodes=0) as cluster:
        made = await cluster.client.create(CUSTOMRESOURCEDEFINITIONS, fresh())
        assert made["status"]["conditions"] == []
        assert made["status"]["storedVersions"] == ["v1"]


async def test_two_definitions_cannot_have_one_name() -> None:
    async with Cluster(nodes=0) as cluster:
        await established(cluster, fresh())
        other = fresh(plural="others", singular="other", listKind="OtherList")
        await cluster.client.create(CUSTOMRESOURCEDEFINITIONS, other)
        name = "others.stable.example.com"
        told = await cluster.wait(f"crd/{name}", lambda obj: bool(condition(obj, "NamesAccepted")))
        assert condition(told, "NamesAccepted")["reason"] == "KindConflict"
        assert condition(told, "NamesAccepted")["message"] == '"CronTab" is already in use'
        assert condition(told, "Established")["status"] == "False"
        await cluster.client.delete(CUSTOMRESOURCEDEFINITIONS, "crontabs.stable.example.com")
        await cluster.wait(f"crd/{name}", "Established")


async def test_with_a_definition_its_objects_go_and_with_an_owner_what_it_owns() -> None:
    async with Cluster(nodes=0) as cluster:
        await established(cluster, fresh())
        owner = await cluster.client.create(CRONTABS, crontab())
        reference = {"apiVersion": "stable.example.com/v1", "kind": "CronTab", "name": "one"}
        owned = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": "owned",
                "namespace": "default",
                "ownerReferences": [reference | {"uid": owner["metadata"]["uid"]}],
            },
        }
        await cluster.client.create(CONFIGMAPS, owned)
        await cluster.client.delete(CUSTOMRESOURCEDEFINITIONS, "crontabs.stable.example.com")
        await cluster.wait("crd/crontabs.stable.example.com", "deleted")
        await cluster.wait("configmap/owned", "deleted")
        with pytest.raises(StatusError, match="could not find the requested resource"):
            await cluster.client.list(CRONTABS, "default")


async def test_a_definition_goes_soon_after_the_finalizers_of_its_objects() -> None:
    async with Cluster(nodes=0, clock="virtual") as cluster:
        await established(cluster, fresh())
        made = crontab()
        made["metadata"]["finalizers"] = ["example.com/held"]
        await cluster.client.create(CRONTABS, made)
        await cluster.client.delete(CUSTOMRESOURCEDEFINITIONS, "crontabs.stable.example.com")
        await cluster.pause(0.02)
        began = cluster.system.clock.monotonic()
        await cluster.client.patch(CRONTABS, "one", "default", {"metadata": {"finalizers": None}})
        await cluster.wait("crd/crontabs.stable.example.com", "deleted")
        assert cluster.system.clock.monotonic() - began < 0.15


async def test_a_namespace_takes_custom_objects_along() -> None:
    async with Cluster(nodes=0) as cluster:
        await established(cluster, fresh())
        await cluster.client.create(NAMESPACES, {"metadata": {"name": "ops"}, "apiVersion": "v1", "kind": "Namespace"})
        there = crontab()
        there["metadata"]["namespace"] = "ops"
        await cluster.client.create(CRONTABS, there)
        await cluster.client.delete(NAMESPACES, "ops")
        await cluster.wait("namespace/ops", "deleted")
        assert not (await cluster.client.list(CRONTABS)).items


async def test_a_restarted_server_serves_what_was_defined() -> None:
    async with Cluster(nodes=0) as cluster:
        await established(cluster, fresh())
        await cluster.client.create(CRONTABS, crontab())
        await cluster.kill("server/apiserver")
        found = await cluster.wait("crontab/one", "exists")
        assert found is not None
        assert found["spec"]["cronSpec"] == "* * * * */5"
