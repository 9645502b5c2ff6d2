"""The OpenAPI documents: version 3 (a root, and one document for each group and version) and version 2 (one for all).

Made from what is served, custom kinds included. Building one takes milliseconds to tens of them: the caller keeps the
bytes until a definition changes. kubectl reads them on every run to validate, explain and patch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

import orjson

from orchestrator.api.openapi_components import (
    LIST_META,
    OBJECT_META,
    PATCH,
    Dialect,
    components,
    custom_components,
)
from orchestrator.api.openapi_paths import DELETE_OPTIONS, RESOURCE_LIST, STATUS, group_path, paths, second
from orchestrator.api.schema import Resource, Type, schema
from orchestrator.apimachinery.encoded import Object

Custom = Mapping[tuple[str, str, str], Object | None]
"""Group, version and kind of custom kinds to their openAPIV3Schema; None: one without a schema."""

NO_CUSTOM: Final[Custom] = {}

_META: Final = (STATUS, DELETE_OPTIONS, RESOURCE_LIST, OBJECT_META, LIST_META)


def openapi_v3_root(resources: Iterable[Resource], custom: Custom = NO_CUSTOM) -> Object:
    """`/openapi/v3`: where the documents are, each with a hash that changes when it does."""
    found: dict[str, list[Resource]] = {}
    for each in resources:
        found.setdefault(each.root.lstrip("/"), []).append(each)
    return {
        "paths": {
            path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={fingerprint(served, custom)}"}
            for path, served in sorted(found.items())
        }
    }


def fingerprint(resources: Iterable[Resource], custom: Custom = NO_CUSTOM) -> str:
    """A text that is equal when the documents of the resources are."""
    digest = hashlib.sha256(schema().kubernetes.encode())
    for each in sorted(resources, key=lambda each: (each.group, each.version, each.plural)):
        digest.update(repr(each).encode())
        digest.update(orjson.dumps(custom.get((each.group, each.version, each.kind)), option=orjson.OPT_SORT_KEYS))
    return digest.hexdigest()[:32].upper()


def openapi_v3(path: str, resources: Iterable[Resource], custom: Custom = NO_CUSTOM) -> Object | None:
    """`/openapi/v3/<path>`, as ``apis/apps/v1`` or ``api/v1``; None: nothing is served there."""
    served = [each for each in resources if each.root == f"/{path}"]
    if not served:
        return None
    found = group_path(f"/{path}", served[0].group, served[0].version)
    for each in served:
        found |= paths(each, custom=_key(each) in custom)
    return {
        "openapi": "3.0.0",
        "info": _info(),
        "paths": found,
        "components": {"schemas": _schemas(served, custom, 3), "securitySchemes": _security()},
    }


def openapi_v2(resources: Iterable[Resource], custom: Custom = NO_CUSTOM) -> Object:
    """`/openapi/v2`: everything in one document."""
    served = list(resources)
    found: Object = {}
    for root, each in {each.root: each for each in served}.items():
        found |= group_path(root, each.group, each.version)
    for each in served:
        found |= paths(each, custom=_key(each) in custom)
    return {
        "swagger": "2.0",
        "info": _info(),
        "paths": {path: second(found[path]) for path in sorted(found)},
        "definitions": _schemas(served, custom, 2),
        "securityDefinitions": _security(),
        "security": [{"BearerToken": []}],
    }


def _key(resource: Resource) -> tuple[str, str, str]:
    return (resource.group, resource.version, resource.kind)


def _schemas(served: list[Resource], custom: Custom, dialect: Dialect) -> Object:
    roots: list[Type] = [schema().named(name) for name in _META]
    own: Object = {}
    for each in served:
        if _key(each) in custom:
            own |= custom_components(*_key(each), custom[_key(each)], dialect)
        else:
            roots += _types(each)
        roots += _bodies(each)
    found = {**components(roots, dialect), PATCH: {"type": "object"}, **own}
    return {name: found[name] for name in sorted(found)}


def _types(resource: Resource) -> list[Type]:
    facts = schema()
    kinds = [resource.kind, resource.list_kind, "WatchEvent"]
    present = [kind for kind in kinds if facts.has_type(resource.group, resource.version, kind)]
    return [facts.type(resource.group, resource.version, kind) for kind in present]


def _bodies(resource: Resource) -> list[Type]:
    """What travels through subresources. Options of connections are query parameters."""
    facts = schema()
    kinds = [(below.group, below.version, below.kind) for below in resource.subresources.values()]
    return [facts.type(*kind) for kind in kinds if facts.has_type(*kind) and not kind[2].endswith("Options")]


def _info() -> Object:
    return {"title": "Kubernetes", "version": f"v{schema().kubernetes}.0"}


def _security() -> Object:
    return {"BearerToken": {"type": "apiKey", "name": "authorization", "in": "header"}}
