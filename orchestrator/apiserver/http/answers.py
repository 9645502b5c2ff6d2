"""From a ``Response`` to the bytes of an HTTP answer, in the form that was asked for."""

from __future__ import annotations

import gzip
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

_decode = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True, slots=True)
class View:
    """How the caller wants the answer. ``include``: what table rows carry."""

    media: MediaType
    pretty: bool = False
    gzip: bool = False
    include: str = "Metadata"


def answer(response: Response, view: View, resource: Resource, cache: JsonCache, now: float) -> web.Response:
    """The HTTP answer of a request about a resource."""
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
        body = _list(response, view, resource, cache, now)
    elif response.object is not None:
        body = _one(response.object, view, resource, cache, now)
    else:
        body = b"{}"
    made = document_answer(response.code, body, view, headers)
    for warning in response.warnings:
        made.headers.add("Warning", f'299 - "{escaped(warning)}"')
    return made


def document_answer(code: int, body: bytes, view: View, headers: dict[str, str]) -> web.Response:
    """Bytes of JSON in the caller's form: indented, as YAML, compressed."""
    content_type = JSON
    if view.media.type == YAML:
        import yaml  # 30 ms that a start does without

        content_type = YAML
        body = yaml.safe_dump(orjson.loads(body), sort_keys=True).encode()
    elif view.pretty:
        body = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2)
    if view.gzip and len(body) > GZIP_FROM_BYTES:
        body = gzip.compress(body, 1, mtime=0)
        headers["Content-Encoding"] = "gzip"
        headers["Vary"] = "Accept-Encoding"
    return web.Response(status=code, body=body, content_type=content_type, headers=headers)


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


def _list(response: Response, view: View, resource: Resource, cache: JsonCache, now: float) -> bytes:
    items = response.items or []
    version = view.media.parameters.get("v", "v1")
    metadata = list_metadata(response)
    if view.media.as_kind == "Table":
        table = table_of(resource, items, now, include=view.include, version=version)
        return orjson.dumps(table | {"metadata": metadata})
    if view.media.as_kind.startswith("PartialObjectMetadata"):
        head = {"kind": "PartialObjectMetadataList", "apiVersion": f"meta.k8s.io/{version}", "metadata": metadata}
        return orjson.dumps(head | {"items": [partial_of(item, version) for item in items]})
    head = {"kind": resource.list_kind, "apiVersion": resource.api_version, "metadata": metadata}
    # Items of a typed list bear neither kind nor apiVersion: they are the first two keys of the JSON that is kept.
    skipped = len(orjson.dumps({"kind": resource.kind, "apiVersion": resource.api_version})) - 1
    joined = b",".join([b"{" + cache.get(item, resource.api_version)[skipped + 1 :] for item in items])
    return orjson.dumps(head)[:-1] + b',"items":[' + joined + b"]}"


def status_answer(status: Object, view: View) -> web.Response:
    """A ``Status`` as an answer."""
    headers = {}
    retry = (status.get("details") or {}).get("retryAfterSeconds")
    if retry:
        headers["Retry-After"] = str(retry)
    return document_answer(int(status.get("code", 500)), orjson.dumps(ordered(status)), view, headers)
