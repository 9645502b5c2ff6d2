"""Paths that are no resources: discovery, OpenAPI, version, health, metrics, the token issuer's documents."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import orjson
from aiohttp import web

from orchestrator.api import discovery, openapi_protobuf
from orchestrator.api.custom.catalog import Catalog
from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.config import ServerConfig
from orchestrator.apiserver.http.answers import View, document_answer
from orchestrator.apiserver.http.negotiation import parse_accept

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
KEPT = 4
"""Documents of a sort that are kept: of this generation of the catalog, and of the one before."""
METRICS_TEXT = "text/plain; version=0.0.4; charset=utf-8"
CHECKS = ("ping", "log", "etcd", "poststarthook/rbac/bootstrap-roles")
"""What ``?verbose`` lists; they all say whether the store answers."""


@dataclass(frozen=True, slots=True)
class Document:
    body: bytes
    content_type: str = "application/json"
    etag: str = ""
    code: int = 200
    vary: bool = False


@lru_cache(maxsize=256)
def tag_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest().upper()


def plain_document(path: str, accept: str, config: ServerConfig, address: str, catalog: Catalog) -> Document | None:
    """The document at ``path``; None: there is none."""
    path = path.rstrip("/") or "/"
    if path in ("/api", "/apis"):
        return discovery_document(path, accept, address, catalog)
    fixed = FIXED.get(path)
    if fixed is not None:
        return fixed(config, catalog)
    parts = path.strip("/").split("/")
    if parts[0] == "openapi":
        return openapi_document(parts, accept, catalog)
    return group_document(parts, catalog)


def discovery_document(path: str, accept: str, address: str, catalog: Catalog) -> Document:
    """The aggregated form for those who know it, else the legacy one."""
    if wants_aggregated(accept):
        body = _aggregated(catalog, catalog.generation, path == "/api")
        return Document(body, AGGREGATED, tag_of(body), vary=True)
    legacy = discovery.api_versions(address) if path == "/api" else discovery.api_group_list(catalog.served)
    return Document(orjson.dumps(legacy), vary=True)


def wants_aggregated(accept: str) -> bool:
    for clause in parse_accept(accept) if accept else ():
        if clause.as_kind == "APIGroupDiscoveryList":
            if clause.parameters.get("v") == "v2":
                return True
        elif clause.type in ("application/json", "*/*"):
            return False
    return False


@lru_cache(maxsize=KEPT)
def _aggregated(catalog: Catalog, _generation: int, core: bool) -> bytes:
    return orjson.dumps(discovery.aggregated(catalog.served, core=core))


def group_document(parts: list[str], catalog: Catalog) -> Document | None:
    resources = catalog.served
    found: Object | None = None
    match parts:
        case ["api", version]:
            found = discovery.api_resource_list("", version, resources)
        case ["apis", group]:
            found = discovery.api_group(group, resources)
        case ["apis", group, version]:
            found = discovery.api_resource_list(group, version, resources)
    return None if found is None else Document(orjson.dumps(found))


def openapi_document(parts: list[str], accept: str, catalog: Catalog) -> Document | None:
    match parts:
        case ["openapi", "v2"]:
            if wants_protobuf(accept):
                body = _openapi_v2_protobuf(catalog, catalog.generation)
                return Document(body, openapi_protobuf.CONTENT_TYPE, etag=tag_of(body), vary=True)
            body = _openapi_v2(catalog, catalog.generation)
        case ["openapi", "v3"]:
            body = _openapi_v3_root(catalog, catalog.generation)
        case ["openapi", "v3", *rest]:
            made = _openapi_v3(catalog, catalog.generation, "/".join(rest))
            if made is None:
                return Document(b"", content_type="", code=404)
            body = made
        case _:
            return None
    return Document(body, etag=tag_of(body), vary=True)


def wants_protobuf(accept: str) -> bool:
    """A client that lists the protobuf form first."""
    first = accept.partition(",")[0].partition(";")[0].strip()
    return first in openapi_protobuf.CONTENT_TYPES


@lru_cache(maxsize=KEPT)
def _openapi_v2_protobuf(catalog: Catalog, _generation: int) -> bytes:
    from orchestrator.api import openapi

    return openapi_protobuf.document(openapi.openapi_v2(catalog.resources, catalog.schemas))


@lru_cache(maxsize=KEPT)
def _openapi_v2(catalog: Catalog, _generation: int) -> bytes:
    from orchestrator.api import openapi

    return orjson.dumps(openapi.openapi_v2(catalog.resources, catalog.schemas))


@lru_cache(maxsize=KEPT)
def _openapi_v3_root(catalog: Catalog, _generation: int) -> bytes:
    from orchestrator.api import openapi

    return orjson.dumps(openapi.openapi_v3_root(catalog.resources, catalog.schemas))


@lru_cache(maxsize=128)
def _openapi_v3(catalog: Catalog, _generation: int, name: str) -> bytes | None:
    from orchestrator.api import openapi

    made = openapi.openapi_v3(name, catalog.resources, catalog.schemas)
    return None if made is None else orjson.dumps(made)


def version_document(config: ServerConfig, catalog: Catalog) -> Document:
    info = {
        "major": config.major,
        "minor": config.minor,
        "emulationMajor": config.major,
        "emulationMinor": config.minor,
        "minCompatibilityMajor": config.major,
        "minCompatibilityMinor": str(int(config.minor) - 1),
        "gitVersion": config.git_version,
        "gitCommit": config.git_commit,
        "gitTreeState": "clean",
        "buildDate": config.build_date,
        "goVersion": f"python{platform.python_version()}",
        "compiler": platform.python_implementation().lower(),
        "platform": f"linux/{GO_MACHINES.get(platform.machine(), platform.machine())}",
    }
    return Document(orjson.dumps(info, option=orjson.OPT_INDENT_2))


GO_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def process_metrics() -> bytes:
    from prometheus_client import REGISTRY, generate_latest  # 25 ms that a start does without

    return generate_latest(REGISTRY)


def root_document(config: ServerConfig, catalog: Catalog) -> Document:
    groups = {resource.root for resource in catalog.served}
    names = ["/api", "/apis", "/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
    return Document(orjson.dumps({"paths": sorted([*names, *groups])}))


FIXED: dict[str, Callable[[ServerConfig, Catalog], Document]] = {
    "/": root_document,
    "/version": version_document,
}


def is_health(path: str) -> bool:
    first = path.strip("/").split("/")[0]
    return first in ("healthz", "livez", "readyz")


def health_document(path: str, *, verbose: bool, ready: bool) -> Document:
    """``ok``, or each check with its mark. 404 for a check that is not there."""
    name, _, check = path.strip("/").partition("/")
    if check and check not in CHECKS:
        return Document(b"404 page not found\n", "text/plain; charset=utf-8", code=404)
    code = 200 if ready else 500
    if not verbose and ready:
        return Document(b"ok", "text/plain; charset=utf-8")
    checks = [check] if check else list(CHECKS)
    lines = [f"[+]{one} ok" if ready or one == "ping" else f"[-]{one} failed: reason withheld" for one in checks]
    lines.append(f"{name} check {'passed' if ready else 'failed'}")
    return Document("\n".join([*lines, ""]).encode(), "text/plain; charset=utf-8", code=code)


def respond(document: Document, view: View, if_none_match: str) -> web.Response:
    """The answer, or 304 when the caller has it already."""
    if not document.body:
        return web.Response(status=document.code)
    headers = {"Content-Type": document.content_type}
    if document.etag:
        headers["ETag"] = f'"{document.etag}"'
        if if_none_match.strip('W/"') == document.etag:
            return web.Response(status=304, headers={"ETag": headers["ETag"]})
    if document.vary:
        headers["Vary"] = "Accept"
    if not document.content_type.startswith("application/json"):
        return web.Response(status=document.code, body=document.body, headers=headers)
    made = document_answer(document.code, document.body, view, {})
    made.headers.update(headers)
    return made
