"""From a ``Response`` to the bytes of an HTTP answer, in the form that was asked for."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
import orjson
from aiohttp import web

from orchestrator.api.schema import Resource
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Encoded, Object
from orchestrator.apiserver.http.jsoncache import JsonCache, ordered
from orchestrator.apiserver.http.negotiation import JSON, PROTOBUF, YAML, MediaType
from orchestrator.apiserver.http.tables import list_metadata, partial_of, table_of
from orchestrator.client.protocol import Response

GZIP_FROM_BYTES = 128 * 1024
"""Smaller answers are not worth the time (upstream's bound)."""
PACKED = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}

LIST_ITEMS = 64
"""Items of a list written before others have their turn: a list of all pods may be seconds of work."""
Blocking = Callable[..., Awaitable[bytes]]
"""``Context.blocking``."""

_decode = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True, slots=True)
class View:
    """How the caller wants the answer. ``include``: what table rows carry."""

    media: MediaType
    pretty: bool = False
    gzip: bool = False
    include: str = "Metadata"


async def answer(
    response: Response, view: View, resource: Resource, cache: JsonCache, now: float, blocking: Blocking
) -> web.Response:
    """The HTTP answer of a request about a resource; what is large is compressed by ``blocking``."""
    headers = {}
    if response.code >= 400 or response.body:
        document: Object = _decode(response.body)
        retry = (document.get("details") or {}).get("retryAfterSeconds") if response.code >= 400 else None
        if retry:
            headers["Retry-After"] = str(retry)
        if view.media.as_kind and response.code < 400 and document.get("kind") != "Status":
            raise errors.not_acceptable((JSON, YAML, PROTOBUF))
        body = orjson.dumps(document)
    elif response.items is not None:
        body = await _list(response, view, resource, cache, now)
    elif response.object is not None:
        body = _one(response.object, view, resource, cache, now)
    else:
        body = b"{}"
    content_type, body = _formed(body, view)
    if _is_packed(body, view):
        body = await blocking(_packed, body)
        headers |= PACKED
    made = web.Response(status=response.code, body=body, content_type=content_type, headers=headers)
    for warning in response.warnings:
        made.headers.add("Warning", f'299 - "{escaped(warning)}"')
    return made


def document_answer(code: int, body: bytes, view: View, headers: dict[str, str]) -> web.Response:
    """Bytes of JSON in the caller's form: indented, as YAML, compressed."""
    content_type, body = _formed(body, view)
    if _is_packed(body, view):
        body = _packed(body)
        headers |= PACKED
    return web.Response(status=code, body=body, content_type=content_type, headers=headers)


def _formed(body: bytes, view: View) -> tuple[str, bytes]:
    """The content type, and the body in it."""
    if view.media.type == YAML:
        import yaml  # 30 ms that a start does without

        return YAML, yaml.safe_dump(orjson.loads(body), sort_keys=True).encode()
    if view.pretty:
        return JSON, orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2)
    return JSON, body


def _is_packed(body: bytes, view: View) -> bool:
    return view.gzip and len(body) > GZIP_FROM_BYTES


def _packed(body: bytes) -> bytes:
    return gzip.compress(body, 1, mtime=0)


def escaped(text: str) -> str:
    """A quoted string of an HTTP header: no quotes, no line breaks."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ")


def _one(encoded: Encoded, view: View, resource: Resource, cache: JsonCache, now: float) -> bytes:
    version = view.media.parameters.get("v", "v1")
    match view.media.as_kind:
        case "Table":
            table = table_of(resource, [encoded], now, include=view.include, version=version)
            table["metadata"] = {"resourceVersion": str(encoded.revision)}
            return orjson.dumps(table)
        case "PartialObjectMetadata":
            return orjson.dumps(partial_of(encoded, version))
    return cache.get(encoded, resource.api_version)


async def _list(response: Response, view: View, resource: Resource, cache: JsonCache, now: float) -> bytes:
    items = response.items or []
    version = view.media.parameters.get("v", "v1")
    metadata = list_metadata(response)
    if view.media.as_kind == "Table":
        table = table_of(resource, items[:LIST_ITEMS], now, include=view.include, version=version)
        for start in range(LIST_ITEMS, len(items), LIST_ITEMS):
            await asyncio.sleep(0)
            some = items[start : start + LIST_ITEMS]
            table["rows"] += table_of(resource, some, now, include=view.include, version=version)["rows"]
        return orjson.dumps(table | {"metadata": metadata})
    if view.media.as_kind.startswith("PartialObjectMetadata"):
        head = {"kind": "PartialObjectMetadataList", "apiVersion": f"meta.k8s.io/{version}", "metadata": metadata}
        return orjson.dumps(head | {"items": [partial_of(item, version) for item in items]})
    head = {"kind": resource.list_kind, "apiVersion": resource.api_version, "metadata": metadata}
    # Items of a typed list bear neither kind nor apiVersion: they are the first two keys of the JSON that is kept.
    skipped = len(orjson.dumps({"kind": resource.kind, "apiVersion": resource.api_version}))
    written: list[bytes] = []
    for start in range(0, len(items), LIST_ITEMS):
        if start:
            await asyncio.sleep(0)
        some = items[start : start + LIST_ITEMS]
        written += [b"{" + cache.get(item, resource.api_version)[skipped:] for item in some]
    return b"".join((orjson.dumps(head)[:-1], b',"items":[', b",".join(written), b"]}"))


def status_answer(status: Object, view: View) -> web.Response:
    """A ``Status`` as an answer."""
    headers = {}
    retry = (status.get("details") or {}).get("retryAfterSeconds")
    if retry:
        headers["Retry-After"] = str(retry)
    return document_answer(int(status.get("code", 500)), orjson.dumps(ordered(status)), view, headers)
