"""Writes and answers of resources that are served in another form than they are stored in."""

from __future__ import annotations

import msgspec

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.objects import decode_object, settle_name
from orchestrator.apiserver.storage import encoded_of
from orchestrator.apiserver.verbs.patch import finished, patch_document
from orchestrator.apiserver.versions import Form, form_of, read_as, stored_resource
from orchestrator.apiserver.write import Prepare, Write
from orchestrator.client.protocol import PatchType, Response, Verb
from orchestrator.store.protocol import Value

_encode = msgspec.msgpack.Encoder().encode


def through_form(prepare: Prepare, update: Prepare) -> Prepare:
    """``prepare`` for a call in the served form; a patch of that form becomes an ``update``."""

    def run(env: Environment, call: Call, current: Value | None) -> Write:
        form = form_of(call.resource)
        assert form is not None
        if call.verb == Verb.DELETE or call.subresource == "scale":
            return prepare(env, stored_call(env, call, None), current)
        if call.verb == Verb.PATCH and call.request.patch_type is not PatchType.APPLY:
            obj = _patched(env, call, form, current)
            return update(env, stored_call(env, call, obj), current)
        body = call.body()
        if not isinstance(body, dict):
            raise errors.bad_request("the body of the request is no object")
        if call.verb == Verb.PATCH:
            return prepare(env, stored_call(env, call, form.write({"metadata": {}} | body)), current)
        obj = decode_object(env, call, body)
        return prepare(env, stored_call(env, call, form.write(obj)), current)

    return run


def _patched(env: Environment, call: Call, form: Form, current: Value | None) -> Object:
    if current is None:
        raise call.not_found()
    served = form.read(encoded_of(current).decode())
    patched = patch_document(env, call, served, call.body())
    if not isinstance(patched, dict):
        raise errors.bad_request("the patched document is no object")
    obj = finished(env, call, patched, call.body())
    settle_name(call, obj["metadata"])
    return form.write(obj)


def stored_call(env: Environment, call: Call, body: Object | None) -> Call:
    """The same call about the stored resource, with a body in its form."""
    resource = stored_resource(env.schema, call.resource)
    request = call.request if body is None else msgspec.structs.replace(call.request, body=_encode(body), problems=())
    return call.about(resource, request, call.resource)


def in_form(call: Call, response: Response) -> Response:
    """An answer of stored objects in the form that was asked for."""
    if response.object is None and response.items is None:
        return response
    form = form_of(call.resource)
    if form is None:
        return response
    return msgspec.structs.replace(
        response,
        object=None if response.object is None else read_as(form, response.object),
        items=None if response.items is None else [read_as(form, item) for item in response.items],
    )
