"""Deletecollection: what a list finds is deleted, each object with the options of the request."""

from __future__ import annotations

import msgspec

from orchestrator.apimachinery.encoded import Encoded, Object
from orchestrator.apiserver.call import Call, Environment, answer
from orchestrator.apiserver.keys import split_key
from orchestrator.apiserver.selection import selection
from orchestrator.apiserver.storage import encoded_of
from orchestrator.apiserver.verbs.delete import delete_options, prepare_delete
from orchestrator.apiserver.verbs.list import check_match
from orchestrator.apiserver.write import Pending
from orchestrator.client.protocol import Options, Response, Verb


async def delete_collection(env: Environment, call: Call) -> Response:
    """Answers with the list of what was deleted."""
    check_match(call)
    chosen = selection(call.resource, call.options)
    options = delete_options(call)
    reply = await env.storage.range(call.prefix, limit=call.options.limit, fields=chosen.indexed)
    pending: list[Pending] = []
    found = []
    for value in reply.values:
        encoded = encoded_of(value)
        namespace, name = split_key(value.key)[2:]
        if (chosen.name and chosen.name != name) or not chosen.matches(encoded):
            continue
        one = _delete_of(call, namespace, name, options)
        pending.append(Pending(one, prepare_delete, value.key, len(pending)))
        found.append(encoded)
    for response in await env.writer.write(pending):
        if response.code >= 400 and response.code != 404:
            return response
    resource = call.resource
    body = {
        "kind": resource.list_kind,
        "apiVersion": resource.api_version,
        "metadata": {"resourceVersion": str(reply.revision)},
        "items": [_item(encoded) for encoded in found],
    }
    return answer(body, 200, call.warnings)


def _delete_of(call: Call, namespace: str, name: str, options: Options) -> Call:
    request = call.request
    target = msgspec.structs.replace(request.target, namespace=namespace, name=name)
    one = msgspec.structs.replace(request, verb=Verb.DELETE, target=target, options=options, body=b"")
    return Call(call.identity, one, call.resource, call.now)


def _item(encoded: Encoded) -> Object:
    """Items of a typed list bear neither kind nor apiVersion."""
    obj = encoded.decode()
    obj.pop("kind", None)
    obj.pop("apiVersion", None)
    return obj
