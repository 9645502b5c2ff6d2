"""With ``lightkube``: a ConfigMap with the label ``mirror`` is in every namespace that has it too.

``keep`` goes on for as long as it is let; ``once`` is one look. Both own the copies by server-side apply.
"""

from __future__ import annotations

import asyncio

from lightkube import AsyncClient
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap, Namespace

LABEL = "mirror"
ORIGIN = "example.com/origin"


async def once(client: AsyncClient) -> int:
    """How many copies were written."""
    targets = [space.metadata.name async for space in client.list(Namespace, labels={LABEL: None})]
    written = 0
    async for original in client.list(ConfigMap, namespace="*", labels={LABEL: None}):
        written += await _copy(client, original, targets)
    return written


async def keep(client: AsyncClient) -> None:
    """Copy at each change of an original, and all of them when a namespace joins."""
    await asyncio.gather(_follow_originals(client), _follow_namespaces(client))


async def _follow_originals(client: AsyncClient) -> None:
    async for kind, original in client.watch(ConfigMap, namespace="*", labels={LABEL: None}):
        if kind != "DELETED":
            targets = [space.metadata.name async for space in client.list(Namespace, labels={LABEL: None})]
            await _copy(client, original, targets)


async def _follow_namespaces(client: AsyncClient) -> None:
    async for kind, _ in client.watch(Namespace, labels={LABEL: None}):
        if kind == "ADDED":
            await once(client)


async def _copy(client: AsyncClient, original: ConfigMap, targets: list[str]) -> int:
    home = original.metadata.namespace
    for target in targets:
        if target != home:
            metadata = ObjectMeta(
                name=original.metadata.name, namespace=target, annotations={ORIGIN: f"{home}/{original.metadata.name}"}
            )
            await client.apply(ConfigMap(metadata=metadata, data=original.data), field_manager="mirror", force=True)
    return len([target for target in targets if target != home])
