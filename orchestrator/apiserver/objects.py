"""From a request's body to an object that may be stored: the steps that create, update and patch share."""

from __future__ import annotations

from typing import Any

from orchestrator.api.check import check
from orchestrator.api.custom.catalog import Catalog
from orchestrator.api.rules import Rules, rules
from orchestrator.api.schema import Resource, Type
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Encoded, Object, encode
from orchestrator.apimachinery.quoting import quote
from orchestrator.apiserver.call import Call, Environment
from orchestrator.client.protocol import Verb

SYSTEM_METADATA = ("selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "uid", "creationTimestamp")
"""What a client may send with a new object and the server decides."""

STRICT = "Strict"
IGNORE = "Ignore"


def rules_of(resource: Resource) -> Rules:
    return rules(resource.group, resource.kind) if resource.custom is None else resource.custom.rules


def type_of(env: Environment, resource: Resource) -> Type:
    if resource.custom is not None:
        return resource.custom.type
    return env.schema.type(resource.group, resource.version, resource.kind)


def decode_object(env: Environment, call: Call, body: Any) -> Object:
    """The body as an object of the resource's kind: right types, unknown fields dropped, defaults set."""
    if not isinstance(body, dict):
        raise errors.bad_request("the body of the request is not an object")
    resource = call.resource
    check_kind(env.schema, resource.api_version, resource.kind, body)
    obj = checked(env, call, body, resource)
    obj["apiVersion"], obj["kind"] = resource.api_version, resource.kind
    obj.setdefault("metadata", {})
    rules_of(resource).default(obj)
    return obj


def typed_body(env: Environment, call: Call, kind: tuple[str, str, str]) -> Object:
    """The body of a subresource or review: an object of ``kind`` (group, version, kind). Raises BadRequest."""
    body = call.body()
    group, version, name = kind
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise errors.bad_request(f"expected an object of kind {name}, found none")
    check_kind(env.schema, f"{group}/{version}" if group else version, name, body)
    result = check(body, env.schema.type(*kind))
    title = f"{name} in version {quote(version)} cannot be handled as a {name}"
    if result.errors:
        raise errors.bad_request(f"{title}: {result.errors[0]}")
    report_unknown(call, [*call.request.problems, *result.unknown], title)
    obj: Object = result.obj
    return obj


def check_kind(schema: Catalog, api_version: str, kind: str, body: Object) -> None:
    """BadRequest when the body says that it is something else; silence is consent."""
    found_version, found_kind = body.get("apiVersion") or api_version, body.get("kind") or kind
    if (found_version, found_kind) == (api_version, kind):
        return
    if not isinstance(found_version, str) or not isinstance(found_kind, str):
        raise errors.bad_request("apiVersion and kind of the body are no strings")
    group, _, version = found_version.rpartition("/")
    title = f"{found_kind} in version {quote(version)} cannot be handled as a {kind}"
    if not schema.has_type(group, version, found_kind):
        where = f'for version {quote(found_version)} in scheme "pkg/runtime/scheme.go:111"'
        raise errors.bad_request(f"{title}: no kind {quote(found_kind)} is registered {where}")
    if found_kind == kind:
        raise errors.bad_request(
            f"the API version in the data ({found_version}) does not match the expected API version ({api_version})"
        )
    package = api_version.rpartition("/")[0].partition(".")[0] or "core"
    raise errors.bad_request(f"{title}: converting ({version}.{found_kind}) to ({package}.{kind}): unknown conversion")


def checked(env: Environment, call: Call, body: Object, resource: Resource) -> Object:
    """The body after the decoder: BadRequest for a wrong type, unknown fields as ``fieldValidation`` says."""
    result = check(body, type_of(env, resource))
    title = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'
    if result.errors:
        raise errors.bad_request(f"{title}: {result.errors[0]}")
    report_unknown(call, [*call.request.problems, *result.unknown], title)
    obj: Object = result.obj
    return obj


def report_unknown(call: Call, unknown: list[str], title: str) -> None:
    if not unknown or call.options.field_validation == IGNORE:
        return
    if call.options.field_validation == STRICT:
        raise errors.bad_request(f"{title}: strict decoding error: {', '.join(unknown)}")
    call.warnings.extend(unknown)


def settle_name(call: Call, metadata: Object) -> None:
    """Namespace and name of the body agree with the path."""
    if call.resource.namespaced:
        found = metadata.get("namespace") or call.namespace
        if found != call.namespace:
            raise errors.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        metadata["namespace"] = found
    elif metadata.get("namespace"):
        raise errors.bad_request("namespace may not be set on a cluster scoped object")
    if call.name:
        found = metadata.get("name") or ("" if call.verb is Verb.UPDATE else call.name)
        if not found:
            raise unnamed(call)
        if found != call.name:
            raise errors.bad_request(
                f"the name of the object ({found}) does not match the name on the URL ({call.name})"
            )
        metadata["name"] = found


def unnamed(call: Call) -> errors.StatusError:
    """A body without a name, where the path alone does not do."""
    return errors.bad_request(
        f"the name of the object ({call.name} based on URL) was undeterminable: name must be provided"
    )


def index_fields(resource: Resource, obj: Object) -> dict[str, str]:
    """The fields that the store indexes for this kind."""
    its = rules_of(resource)
    if not its.index:
        return {}
    fields = its.fields(obj)
    return {name: fields[name] for name in its.index if fields.get(name)}


def encoded(obj: Object) -> Encoded:
    return encode(obj)


def revision_in(metadata: Object, call: Call) -> int:
    """The resourceVersion of a body; 0 for none. BadRequest for one that is no number."""
    text = metadata.get("resourceVersion") or ""
    if not text or text == "0":
        return 0
    if not text.isdecimal():
        raise errors.bad_request(f"invalid resource version {quote(text)} of {call.resource.plural} {quote(call.name)}")
    return int(text)
