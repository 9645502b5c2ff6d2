"""The paths of a resource with their operations, as OpenAPI version 3 has them; `second` makes version 2 of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from orchestrator.api.openapi_components import PATCH, custom_name, reference
from orchestrator.api.schema import Resource, Subresource, schema
from orchestrator.apimachinery.encoded import Object

PATCH_TYPES: Final = ("application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json")
STRATEGIC_PATCH: Final = "application/strategic-merge-patch+json"
MEDIA_TYPES: Final = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
STREAM_TYPES: Final = ("application/json;stream=watch",)
STATUS: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.Status"
DELETE_OPTIONS: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
RESOURCE_LIST: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList"

CONNECTIONS: Final = frozenset({"attach", "exec", "portforward", "proxy"})
"""Subresources that are connections and not documents."""

_TEXT: Final[Object] = {"type": "string"}
_NUMBER: Final[Object] = {"type": "integer"}
_FLAG: Final[Object] = {"type": "boolean"}
_READ: Final[dict[str, Object]] = {
    "allowWatchBookmarks": _FLAG,
    "continue": _TEXT,
    "fieldSelector": _TEXT,
    "labelSelector": _TEXT,
    "limit": _NUMBER,
    "resourceVersion": _TEXT,
    "resourceVersionMatch": _TEXT,
    "sendInitialEvents": _FLAG,
    "timeoutSeconds": _NUMBER,
    "watch": _FLAG,
}
_WRITE: Final[dict[str, Object]] = {"dryRun": _TEXT, "fieldManager": _TEXT, "fieldValidation": _TEXT}
_DELETE: Final[dict[str, Object]] = {
    "dryRun": _TEXT,
    "gracePeriodSeconds": _NUMBER,
    "ignoreStoreReadErrorWithClusterBreakingPotential": _FLAG,
    "orphanDependents": _FLAG,
    "propagationPolicy": _TEXT,
}


@dataclass(frozen=True, slots=True)
class _Verb:
    """How a verb appears: ``action`` is x-kubernetes-action, ``word`` begins the operation's name."""

    method: str
    action: str
    word: str
    query: dict[str, Object]
    codes: tuple[str, ...] = ("200",)


_COLLECTION: Final = {
    "list": _Verb("get", "list", "list", _READ),
    "create": _Verb("post", "post", "create", _WRITE, ("200", "201", "202")),
    "deletecollection": _Verb("delete", "deletecollection", "deleteCollection", {**_READ, **_DELETE}),
}
_ITEM: Final = {
    "get": _Verb("get", "get", "read", {}),
    "update": _Verb("put", "put", "replace", _WRITE, ("200", "201")),
    "patch": _Verb("patch", "patch", "patch", {**_WRITE, "force": _FLAG}, ("200", "201")),
    "delete": _Verb("delete", "delete", "delete", _DELETE, ("200", "202")),
}
_CONNECT: Final = {"create": "post", "delete": "delete", "get": "get", "patch": "patch", "update": "put"}
_WORDS: Final = {"post": "Post", "delete": "Delete", "get": "Get", "patch": "Patch", "put": "Put"}


def group_path(root: str, group: str, version: str) -> Object:
    """`GET /apis/<group>/<version>/`: what is served there."""
    operation = {
        "tags": [_tag(group, version)],
        "operationId": f"get{_camel(group, version)}APIResources",
        "responses": _responses(("200",), RESOURCE_LIST, MEDIA_TYPES),
    }
    return {f"{root}/": {"get": operation}}


def paths(resource: Resource, *, custom: bool) -> Object:
    """All paths of a resource; ``custom``: its types are in no schema of ours."""
    return dict(_Paths(resource, custom).all())


class _Paths:
    """The paths of one resource."""

    def __init__(self, resource: Resource, custom: bool) -> None:
        self.resource = resource
        self.custom = custom
        space = "namespaces/{namespace}/" if resource.namespaced else ""
        self.collection = f"{resource.root}/{space}{resource.plural}"

    def all(self) -> Iterator[tuple[str, Object]]:
        resource = self.resource
        verbs = [verb for verb in _COLLECTION if verb in resource.verbs]
        if verbs:
            yield self.collection, self._path([self._collection(verb) for verb in verbs], named=False)
        if resource.namespaced and "list" in resource.verbs:
            operation = self._collection("list", everywhere=True)
            yield f"{resource.root}/{resource.plural}", {**operation, "parameters": [_query("pretty", _TEXT)]}
        verbs = [verb for verb in _ITEM if verb in resource.verbs]
        if verbs:
            item = self._path([self._item(verb, resource) for verb in verbs], named=True)
            yield f"{self.collection}/{{name}}", item
        for below in resource.subresources.values():
            yield from self._subresource(below)

    def _subresource(self, below: Subresource) -> Iterator[tuple[str, Object]]:
        path = f"{self.collection}/{{name}}/{below.name}"
        if below.name in CONNECTIONS:
            operations = [self._connect(verb, below) for verb in below.verbs]
            yield path, self._path(operations, named=True)
            if below.name == "proxy":
                more = [self._connect(verb, below, "WithPath") for verb in below.verbs]
                tail = {"name": "path", "in": "path", "required": True, "schema": _TEXT}
                made = self._path(more, named=True)
                yield f"{path}/{{path}}", {**made, "parameters": [tail, *made["parameters"]]}
            return
        operations = []
        for verb in below.verbs:
            if verb == "create":
                operations.append(self._operation(_COLLECTION["create"], below, below.name))
            elif verb in _ITEM:
                operations.append(self._item(verb, below, below.name))
        yield path, self._path(operations, named=True)

    def _path(self, operations: list[Object], *, named: bool) -> Object:
        parameters = []
        if named:
            parameters.append({"name": "name", "in": "path", "required": True, "schema": _TEXT})
        if self.resource.namespaced:
            parameters.append({"name": "namespace", "in": "path", "required": True, "schema": _TEXT})
        parameters.append(_query("pretty", _TEXT))
        return {**{method: body for each in operations for method, body in each.items()}, "parameters": parameters}

    def _collection(self, verb: str, *, everywhere: bool = False) -> Object:
        return self._operation(_COLLECTION[verb], self.resource, everywhere=everywhere)

    def _item(self, verb: str, of: Resource | Subresource, suffix: str = "") -> Object:
        return self._operation(_ITEM[verb], of, suffix)

    def _operation(
        self, verb: _Verb, of: Resource | Subresource, suffix: str = "", *, everywhere: bool = False
    ) -> Object:
        resource = self.resource
        space = "Namespaced" if resource.namespaced and not everywhere else ""
        tail = "ForAllNamespaces" if everywhere else "".join(part.title() for part in suffix.split("/"))
        camel = _camel(resource.group, resource.version)
        answer = STATUS if verb.action in ("delete", "deletecollection") else self._name(of)
        types: tuple[str, ...] = MEDIA_TYPES
        if verb.action == "list":
            answer, types = self._list_name(), (*MEDIA_TYPES, *STREAM_TYPES)
        operation: Object = {
            "tags": [_tag(resource.group, resource.version)],
            "operationId": f"{verb.word}{camel}{space}{resource.kind}{tail}",
            "parameters": [_query(name, type) for name, type in verb.query.items()],
            "responses": _responses(verb.codes, answer, ("text/plain",) if suffix == "log" else types),
            **_kubernetes(verb.action, of),
        }
        if suffix == "log":
            operation["parameters"] = _options("PodLogOptions")
        if body := self._body(verb.action, of):
            operation["requestBody"] = body
        return {verb.method: operation}

    def _body(self, action: str, of: Resource | Subresource) -> Object | None:
        if action in ("post", "put"):
            return {"content": {"*/*": {"schema": reference(self._name(of), 3)}}, "required": True}
        if action == "patch":
            types = PATCH_TYPES if self.custom else (*PATCH_TYPES, STRATEGIC_PATCH)
            return {"content": {each: {"schema": reference(PATCH, 3)} for each in types}, "required": True}
        if action in ("delete", "deletecollection"):
            return {"content": {"*/*": {"schema": reference(DELETE_OPTIONS, 3)}}}
        return None

    def _connect(self, verb: str, below: Subresource, suffix: str = "") -> Object:
        resource, method = self.resource, _CONNECT[verb]
        space = "Namespaced" if resource.namespaced else ""
        kind = f"{resource.kind}{below.name.title()}{suffix}"
        camel = _camel(resource.group, resource.version)
        operation = {
            "tags": [_tag(resource.group, resource.version)],
            "operationId": f"connect{camel}{_WORDS[method]}{space}{kind}",
            "parameters": _options(below.kind),
            "responses": {"200": {"description": "OK", "content": {"*/*": {"schema": _TEXT}}}},
            **_kubernetes("connect", below),
        }
        return {method: operation}

    def _name(self, of: Resource | Subresource) -> str:
        if self.custom and of.group == self.resource.group:
            return custom_name(of.group, of.version, of.kind)
        return schema().type(of.group, of.version, of.kind).name

    def _list_name(self) -> str:
        resource = self.resource
        if self.custom:
            return custom_name(resource.group, resource.version, resource.list_kind)
        return schema().type(resource.group, resource.version, resource.list_kind).name


def second(item: Object) -> Object:
    """A path of version 3 as version 2 says it."""
    made: Object = {}
    for key, value in item.items():
        made[key] = [_second_parameter(each) for each in value] if key == "parameters" else _second_operation(value)
    return made


def _second_operation(operation: Object) -> Object:
    made = {key: value for key, value in operation.items() if key not in ("requestBody", "responses", "parameters")}
    parameters = [_second_parameter(each) for each in operation.get("parameters", ())]
    made["consumes"] = ["*/*"]
    if body := operation.get("requestBody"):
        types = list(body["content"])
        made["consumes"] = types
        entry = {"name": "body", "in": "body", "schema": _second_schema(body["content"][types[0]]["schema"])}
        parameters.insert(0, {**entry, "required": True} if body.get("required") else entry)
    made["parameters"] = parameters
    produces: dict[str, None] = {}
    made["responses"] = {}
    for code, answer in operation["responses"].items():
        content = answer.get("content", {})
        produces.update(dict.fromkeys(content))
        entry = {"description": answer["description"]}
        for first in list(content.values())[:1]:
            entry["schema"] = _second_schema(first["schema"])
        made["responses"][code] = entry
    made["produces"] = list(produces)
    return made


def _second_parameter(parameter: Object) -> Object:
    rest = {key: value for key, value in parameter.items() if key != "schema"}
    return {**rest, **parameter["schema"], "uniqueItems": True}


def _second_schema(given: Object) -> Object:
    if "$ref" in given:
        return reference(given["$ref"].rpartition("/")[2], 2)
    return given


def _responses(codes: tuple[str, ...], name: str, types: tuple[str, ...]) -> Object:
    answer: Any = _TEXT if types == ("text/plain",) else reference(name, 3)
    words = {"200": "OK", "201": "Created", "202": "Accepted"}
    content = {each: {"schema": answer} for each in types}
    made: Object = {code: {"description": words[code], "content": content} for code in codes}
    return {**made, "401": {"description": "Unauthorized"}}


def _kubernetes(action: str, of: Resource | Subresource) -> Object:
    kind = {"group": of.group, "version": of.version, "kind": of.kind}
    return {"x-kubernetes-action": action, "x-kubernetes-group-version-kind": kind}


def _options(kind: str) -> list[Object]:
    """Query parameters that are the fields of a kind."""
    types = {"boolean": _FLAG, "int64": _NUMBER, "int32": _NUMBER}
    fields = schema().type("", "v1", kind).fields.values()
    return [
        _query(each.name, types.get(each.type.kind, _TEXT))
        for each in fields
        if each.name not in ("kind", "apiVersion")
    ]


def _query(name: str, type: Object) -> Object:
    return {"name": name, "in": "query", "schema": type}


def _tag(group: str, version: str) -> str:
    return f"{_short(group)}_{version}"


def _camel(group: str, version: str) -> str:
    return "".join(part.title() for part in _short(group).split(".")) + version.title()


def _short(group: str) -> str:
    """A group's name in tags: ``core``, ``rbacAuthorization``."""
    first, *rest = (group or "core").removesuffix(".k8s.io").split(".")
    return first + "".join(part.title() for part in rest)
