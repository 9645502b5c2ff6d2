"""Watch: the request is authorized here, the frames go from the store to the subscriber without us.

Only what the store cannot sort out (label selectors, fields that are not indexed) passes through a child that filters.
A watch that has to begin with the current state answers with its items and goes on from their revision.
"""

from __future__ import annotations

from typing import Any

from actors import Ref, temporary
from orchestrator.apimachinery import errors
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.filtering import FilteredWatch
from orchestrator.apiserver.keys import object_key
from orchestrator.apiserver.selection import Selection, selection
from orchestrator.apiserver.storage import encoded_of
from orchestrator.apiserver.verbs.list import invalid_options, unparsable
from orchestrator.apiserver.versions import form_of
from orchestrator.client.protocol import Response
from orchestrator.store.protocol import Watch


async def watch(env: Environment, call: Call) -> Response:
    if call.subscriber is None:
        raise errors.bad_request("a watch needs a subscriber for its events")
    check_options(call)
    chosen = selection(call.resource, call.options)
    if call.name:
        chosen = Selection(chosen.resource, chosen.labels, chosen.fields, call.name, chosen.indexed)
    version = call.options.resource_version
    if version and not version.isdecimal():
        raise errors.bad_request(unparsable(version))
    if call.options.send_initial_events or version in ("", "0"):
        return await _with_state(env, call, chosen)
    granted = await _grant(env, call, chosen, int(version))
    return Response(200, granted[1], watch=granted[0])


def check_options(call: Call) -> None:
    options = call.options
    if options.send_initial_events and options.resource_version_match != "NotOlderThan":
        raise invalid_options(
            "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        )
    if options.resource_version_match and not options.send_initial_events:
        raise invalid_options("resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch")


async def _with_state(env: Environment, call: Call, chosen: Selection) -> Response:
    """The current items, and a watch from their revision."""
    if chosen.name and (call.namespace or not call.resource.namespaced):
        got = await env.storage.get([_key(call, chosen)])
        revision, values = got.revision, [value for value in got.values if value is not None]
    else:
        reply = await env.storage.range(call.prefix, fields=chosen.indexed)
        revision, values = reply.revision, reply.values
    asked = int(call.options.resource_version or 0)
    if asked > revision:
        raise errors.too_large_resource_version(asked, revision)
    items = [encoded_of(value) for value in values]
    if not chosen.everything:
        items = [item for item in items if chosen.matches(item)]
    granted, _ = await _grant(env, call, chosen, revision)
    return Response(200, revision, items=items, watch=granted)


def _key(call: Call, chosen: Selection) -> str:
    return object_key(call.resource.group, call.resource.plural, call.namespace, chosen.name)


async def _grant(env: Environment, call: Call, chosen: Selection, revision: int) -> tuple[int, int]:
    """The watch's id and the revision it began at."""
    subscriber = call.subscriber
    assert subscriber is not None
    by_name = chosen.name and (call.namespace or not call.resource.namespaced)
    key = _key(call, chosen) if by_name else ""
    prefix = "" if by_name else call.prefix
    form = form_of(call.resource)
    if form is None and chosen.everything and (by_name or not chosen.name):
        asked = _watch(call, subscriber, prefix, key, revision, chosen)
        reply = await env.storage.watch(asked)
        return reply.watch, reply.revision
    child = await env.context.spawn(FilteredWatch, subscriber, chosen, env.storage, form, restart=temporary)
    asked = _watch(call, child, prefix, key, revision, chosen, previous=True)
    reply = await env.storage.watch(asked)
    return reply.watch, reply.revision


def _watch(
    call: Call, subscriber: Ref[Any], prefix: str, key: str, revision: int, chosen: Selection, previous: bool = False
) -> Watch:
    return Watch(
        subscriber,
        prefix,
        key,
        revision,
        chosen.indexed,
        previous=previous,
        progress=call.options.allow_bookmarks,
        tag=call.tag,
    )
