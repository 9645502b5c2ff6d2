"""``mirror.py`` in the loop of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from lightkube import ApiError, AsyncClient, KubeConfig
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap
from mirror import ORIGIN, keep, once

from orchestrator import Cluster

pytestmark = pytest.mark.cluster(nodes=1, serve=True)


@asynccontextmanager
async def connected(kubeconfig: Path) -> AsyncIterator[AsyncClient]:
    client = AsyncClient(config=KubeConfig.from_file(kubeconfig), trust_env=False)
    try:
        yield client
    finally:
        await client.aclose()


def named(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": {"mirror": "yes"}}, **fields}


async def test_a_copy_follows_its_original_and_a_new_namespace_gets_one(cluster: Cluster, kubeconfig: Path) -> None:
    await cluster.apply(named("Namespace", "north"))
    await cluster.apply(named("ConfigMap", "motto", data={"text": "one"}))
    async with connected(kubeconfig) as client:
        life = asyncio.create_task(keep(client))
        await cluster.wait("configmap/motto", "exists", namespace="north")
        await cluster.apply(named("ConfigMap", "motto", data={"text": "two"}))
        await cluster.wait("configmap/motto", lambda found: found.data["text"] == "two", namespace="north")
        await cluster.apply(named("Namespace", "south"))
        copy = await cluster.wait("configmap/motto", "exists", namespace="south")
        assert copy.metadata.annotations == {ORIGIN: "default/motto"}
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)


async def test_a_copy_that_somebody_changed_is_put_right_by_one_look(cluster: Cluster, kubeconfig: Path) -> None:
    await cluster.apply([named("Namespace", "north"), named("ConfigMap", "motto", data={"text": "one"})])
    async with connected(kubeconfig) as client:
        assert await once(client) == 1
        await client.patch(ConfigMap, "motto", {"data": {"text": "mine"}}, namespace="north", field_manager="me")
        assert await once(client) == 1
        assert (await client.get(ConfigMap, "motto", namespace="north")).data == {"text": "one"}


async def test_conflicts_and_what_is_not_there_are_the_servers_words(cluster: Cluster, kubeconfig: Path) -> None:
    async with connected(kubeconfig) as client:
        made = ConfigMap(metadata=ObjectMeta(name="motto", namespace="default"), data={"text": "one"})
        await client.apply(made, field_manager="me")
        with pytest.raises(ApiError) as taken:
            await client.apply(ConfigMap(metadata=made.metadata, data={"text": "two"}), field_manager="you")
        assert taken.value.status.code == 409
        assert "conflict with" in taken.value.status.message
        with pytest.raises(ApiError) as missing:
            await client.get(ConfigMap, "none", namespace="default")
        assert missing.value.status.reason == "NotFound"
