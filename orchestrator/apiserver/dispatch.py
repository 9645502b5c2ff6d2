"""Which handler takes a request: tables from verb and subresource, nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import lru_cache

import msgspec

from orchestrator.api.schema import Resource
from orchestrator.apimachinery import errors
from orchestrator.apiserver.admission.namespace_lifecycle import check_deletable
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.special.binding import binding_key, prepare_binding
from orchestrator.apiserver.special.eviction import evict
from orchestrator.apiserver.special.finalize import prepare_finalize
from orchestrator.apiserver.special.forms import through_form
from orchestrator.apiserver.special.measured import METRICS_GROUP, measured
from orchestrator.apiserver.special.reviews import REVIEWS, review
from orchestrator.apiserver.special.scale import get_scale, prepare_scale
from orchestrator.apiserver.special.token import issue_token
from orchestrator.apiserver.verbs.collection import delete_collection
from orchestrator.apiserver.verbs.create import prepare_create
from orchestrator.apiserver.verbs.delete import prepare_delete
from orchestrator.apiserver.verbs.get import get
from orchestrator.apiserver.verbs.list import list_objects
from orchestrator.apiserver.verbs.patch import prepare_patch
from orchestrator.apiserver.verbs.status import prepare_status
from orchestrator.apiserver.verbs.update import prepare_update
from orchestrator.apiserver.verbs.watch import watch
from orchestrator.apiserver.versions import form_of
from orchestrator.apiserver.write import Pending, Prepare
from orchestrator.client.protocol import Response, Verb

MAX_HANDLERS = 4096
"""Remembered: kinds times verbs times subresources."""

Handler = Callable[[Environment, Call], Awaitable[Response]]

WRITERS: dict[Verb, Prepare] = {
    Verb.CREATE: prepare_create,
    Verb.UPDATE: prepare_update,
    Verb.PATCH: prepare_patch,
    Verb.DELETE: prepare_delete,
}
SUBRESOURCE_WRITERS: dict[tuple[str, Verb], Prepare] = {
    ("binding", Verb.CREATE): prepare_binding,
    ("scale", Verb.UPDATE): prepare_scale,
    ("scale", Verb.PATCH): prepare_scale,
    ("finalize", Verb.UPDATE): prepare_finalize,
    **{
        (name, verb): WRITERS[verb]
        for name in ("status", "approval", "ephemeralcontainers", "resize")
        for verb in (Verb.UPDATE, Verb.PATCH)
    },
    ("status", Verb.UPDATE): prepare_status,
}
READERS: dict[Verb, Handler] = {
    Verb.GET: get,
    Verb.LIST: list_objects,
    Verb.WATCH: watch,
    Verb.DELETECOLLECTION: delete_collection,
}
SUBRESOURCE_HANDLERS: dict[tuple[str, Verb], Handler] = {
    ("scale", Verb.GET): get_scale,
    ("eviction", Verb.CREATE): evict,
    ("token", Verb.CREATE): issue_token,
    **{(name, Verb.GET): get for name in ("status", "approval", "ephemeralcontainers", "resize")},
}


def writer_of(call: Call) -> Pending | None:
    """The write that this call is; None: it is no write of one key."""
    prepare = preparing(call.resource, call.subresource, call.verb)
    return None if prepare is None else pending_of(call, prepare)


def preparing(resource: Resource, subresource: str, verb: Verb) -> Prepare | None:
    """What prepares the writes of this verb; None: it is no write of one key."""
    prepare = _prepare_of(_built_in(resource), subresource, verb)
    if prepare is None or form_of(resource) is None:
        return prepare
    return through_form(prepare, prepare_update)


def pending_of(call: Call, prepare: Prepare) -> Pending:
    """A call as a write that is prepared so."""
    if call.verb == Verb.DELETE:
        check_deletable(call)
    return Pending(call, prepare, _key(call, prepare), 0)


def _built_in(resource: Resource) -> str:
    """The kind, where it is Kubernetes' own: a custom kind may bear the name of one that is no object."""
    return resource.kind if resource.custom is None else ""


@lru_cache(MAX_HANDLERS)
def _prepare_of(kind: str, subresource: str, verb: Verb) -> Prepare | None:
    if subresource:
        return SUBRESOURCE_WRITERS.get((subresource, verb))
    if kind == "Binding":
        return prepare_binding
    return None if kind in REVIEWS else WRITERS.get(verb)


class _Metadata(msgspec.Struct):
    name: str = ""


class _Named(msgspec.Struct):
    metadata: _Metadata | None = None


_named = msgspec.msgpack.Decoder(_Named).decode


def _key(call: Call, prepare: Prepare) -> str:
    """The key that is written; it ends with a slash when the name is yet to be generated."""
    if prepare is prepare_binding:
        return binding_key(call)
    if call.name or call.verb != Verb.CREATE:
        return call.key
    try:
        metadata = _named(call.request.body).metadata
    except (msgspec.DecodeError, msgspec.ValidationError):
        return call.key  # The handler's own decoding says what is wrong with it.
    return call.key + (metadata.name if metadata is not None else "")


def handler_of(call: Call) -> Handler:
    """The handler of a call that is no write."""
    if call.subresource:
        found = SUBRESOURCE_HANDLERS.get((call.subresource, call.verb))
    elif _built_in(call.resource) in REVIEWS:
        found = review
    elif call.resource.group == METRICS_GROUP:
        found = measured
    else:
        found = READERS.get(call.verb)
    if found is None:
        raise errors.method_not_allowed(call.resource.group, call.resource.plural, call.verb)
    return found
