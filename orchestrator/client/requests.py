"""How each verb is said: functions that make one ``Request``, for a call of its own or a place in a batch."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchestrator.apimachinery.encoded import EMPTY, Object, encode_part
from orchestrator.client.kinds import Kind
from orchestrator.client.protocol import Cause, Options, PatchType, Request, Verb, Want
from orchestrator.client.splice import whole, with_revision
from orchestrator.client.view import View

_DEFAULTS = Options()


def get(kind: Kind, name: str, namespace: str = "", subresource: str = "") -> Request:
    return Request(Verb.GET, kind.target(namespace, name, subresource))


def list_(kind: Kind, namespace: str = "", options: Options = _DEFAULTS) -> Request:
    return Request(Verb.LIST, kind.target(namespace), options=options)


def create(
    kind: Kind, obj: Object | bytes, namespace: str = "", *, options: Options = _DEFAULTS, want: Want = Want.OBJECT
) -> Request:
    """``obj`` is the object or its encoded bytes (one map); ``namespace`` defaults to the object's own."""
    if isinstance(obj, bytes):
        return Request(Verb.CREATE, kind.target(namespace), obj, None, options, want)
    namespace = namespace or obj.get("metadata", {}).get("namespace", "")
    return Request(Verb.CREATE, kind.target(namespace), encode_part(obj), None, options, want)


def create_sub(kind: Kind, name: str, namespace: str, subresource: str, body: Object) -> Request:
    """A subresource that is posted to: ``binding``, ``eviction``, ``token``."""
    return Request(Verb.CREATE, kind.target(namespace, name, subresource), encode_part(body))


def update(kind: Kind, obj: Object, *, subresource: str = "", want: Want = Want.OBJECT) -> Request:
    """Replace the object; ``metadata.resourceVersion``, if it stands there, must hold."""
    meta = obj.get("metadata", {})
    target = kind.target(meta.get("namespace", ""), meta.get("name", ""), subresource)
    return Request(Verb.UPDATE, target, encode_part(obj), None, _DEFAULTS, want)


def update_status(kind: Kind, view: View, status: Object, *, want: Want = Want.REVISION) -> Request:
    """Replace the status of what ``view`` shows, at its revision; the other parts go out as the bytes they are."""
    encoded = view.encoded
    body = whole(encoded.rest, with_revision(encoded.metadata, encoded.revision), encode_part(status))
    return Request(Verb.UPDATE, kind.target(view.namespace, view.name, "status"), body, None, _DEFAULTS, want)


def patch(
    kind: Kind,
    name: str,
    namespace: str,
    document: Object | Sequence[Object],
    *,
    patch_type: PatchType = PatchType.MERGE,
    subresource: str = "",
    options: Options = _DEFAULTS,
    want: Want = Want.OBJECT,
) -> Request:
    target = kind.target(namespace, name, subresource)
    body = encode_part(document)  # type: ignore[arg-type]  # a JSON patch is a list
    return Request(Verb.PATCH, target, body, patch_type, options, want)


def apply(kind: Kind, obj: Object, *, manager: str, force: bool = False, subresource: str = "") -> Request:
    meta = obj.get("metadata", {})
    target = kind.target(meta.get("namespace", ""), meta.get("name", ""), subresource)
    options = Options(field_manager=manager, force=force)
    return Request(Verb.PATCH, target, encode_part(obj), PatchType.APPLY, options)


def delete(
    kind: Kind,
    name: str,
    namespace: str = "",
    *,
    uid: str = "",
    revision: int = 0,
    grace_seconds: int | None = None,
    propagation: str = "",
    want: Want = Want.REVISION,
) -> Request:
    """Delete one; ``uid`` and ``revision`` are preconditions when given."""
    options = Options(
        grace_period_seconds=grace_seconds,
        propagation_policy=propagation,
        precondition_uid=uid,
        precondition_resource_version=str(revision) if revision else "",
    )
    return Request(Verb.DELETE, kind.target(namespace, name), EMPTY, None, options, want)


def because(request: Request, key: str, revision: int) -> Request:
    """``request`` with the object on record that it answers to."""
    return msgspec.structs.replace(request, cause=Cause(key, revision))


def delete_collection(kind: Kind, namespace: str = "", options: Options = _DEFAULTS) -> Request:
    return Request(Verb.DELETECOLLECTION, kind.target(namespace), EMPTY, None, options)


def watch(kind: Kind, namespace: str = "", *, revision: int = 0, labels: str = "", fields: str = "") -> Request:
    """Changes after ``revision`` (0: from now on), with progress so that the revision moves on when nothing happens."""
    options = Options(
        label_selector=labels,
        field_selector=fields,
        resource_version=str(revision) if revision else "",
        allow_bookmarks=True,
    )
    return Request(Verb.WATCH, kind.target(namespace), options=options)
