"""Typed verbs over a transport: what every component and embedder asks the API server with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Encoded, Object, decode_part
from orchestrator.client import requests
from orchestrator.client.kinds import Kind
from orchestrator.client.protocol import MAX_BATCH_REQUESTS, Options, PatchType, Request, Response
from orchestrator.client.transport import Transport

LIST_PAGE = 5000
"""Objects in one answer to a list: the frame of a page of pods stays under 20 MB."""


class Listing(msgspec.Struct, frozen=True):
    """Every object of a list and the revision at which they all stood."""

    items: list[Encoded]
    revision: int

    def objects(self) -> list[Object]:
        return [item.decode() for item in self.items]


class Client:
    """All verbs raise ``StatusError`` for what the server refuses and ``TransportError`` when no answer came."""

    __slots__ = ("transport",)

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    async def request(self, request: Request) -> Response:
        """One request; an answer from 400 on is raised."""
        return raised(await self.transport.request(request))

    async def batch(self, requests: list[Request]) -> list[Response]:
        """Independent writes in order, in as few frames as the bound allows; each answer has its own code."""
        if len(requests) <= MAX_BATCH_REQUESTS:
            return await self.transport.batch(requests) if requests else []
        responses: list[Response] = []
        for start in range(0, len(requests), MAX_BATCH_REQUESTS):
            responses += await self.transport.batch(requests[start : start + MAX_BATCH_REQUESTS])
        return responses

    async def get(self, kind: Kind, name: str, namespace: str = "", *, subresource: str = "") -> Object:
        return _object(await self.request(requests.get(kind, name, namespace, subresource)))

    async def list(self, kind: Kind, namespace: str | None = None, *, labels: str = "", fields: str = "") -> Listing:
        """All pages at one revision; ``namespace`` None is every namespace."""
        items: list[Encoded] = []
        token = ""
        while True:
            options = Options(label_selector=labels, field_selector=fields, limit=LIST_PAGE, continue_token=token)
            response = await self.request(requests.list_(kind, namespace or "", options))
            items += response.items or []
            token = response.continue_token
            if not token:
                return Listing(items, response.revision)

    async def create(self, kind: Kind, obj: Object, namespace: str = "", *, options: Options | None = None) -> Object:
        return _object(await self.request(requests.create(kind, obj, namespace, options=options or Options())))

    async def create_sub(self, kind: Kind, name: str, namespace: str, subresource: str, body: Object) -> Object:
        return _object(await self.request(requests.create_sub(kind, name, namespace, subresource, body)))

    async def update(self, kind: Kind, obj: Object) -> Object:
        return _object(await self.request(requests.update(kind, obj)))

    async def update_status(self, kind: Kind, obj: Object) -> Object:
        return _object(await self.request(requests.update(kind, obj, subresource="status")))

    async def patch(
        self,
        kind: Kind,
        name: str,
        namespace: str = "",
        document: Object | Sequence[Object] | None = None,
        *,
        patch_type: PatchType = PatchType.MERGE,
        subresource: str = "",
        options: Options | None = None,
    ) -> Object:
        request = requests.patch(
            kind,
            name,
            namespace,
            document or {},
            patch_type=patch_type,
            subresource=subresource,
            options=options or Options(),
        )
        return _object(await self.request(request))

    async def apply(self, kind: Kind, obj: Object, *, manager: str = "podium", force: bool = True) -> Object:
        """Server-side apply: ``manager`` owns what ``obj`` says and nothing else."""
        return _object(await self.request(requests.apply(kind, obj, manager=manager, force=force)))

    async def delete(self, kind: Kind, name: str, namespace: str = "", **options: Any) -> None:
        await self.request(requests.delete(kind, name, namespace, **options))

    async def delete_collection(
        self, kind: Kind, namespace: str = "", *, labels: str = "", fields: str = "", propagation: str = ""
    ) -> None:
        options = Options(label_selector=labels, field_selector=fields, propagation_policy=propagation)
        await self.request(requests.delete_collection(kind, namespace, options))


def raised(response: Response) -> Response:
    """The response itself, or its status as ``StatusError``."""
    if response.code >= 400:
        raise errors.from_status(decode_part(response.body))
    return response


def status_of(response: Response) -> Object:
    """The ``Status`` of a refused response: what a batch's caller looks into."""
    return decode_part(response.body)


def _object(response: Response) -> Object:
    if response.object is not None:
        return response.object.decode()
    return decode_part(response.body)
