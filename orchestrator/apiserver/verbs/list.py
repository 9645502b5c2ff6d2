"""List: what a prefix holds, page by page, decoded only where a selector needs it."""

from __future__ import annotations

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Encoded
from orchestrator.apimachinery.quoting import quote
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.keys import object_key
from orchestrator.apiserver.paging import Page, decode_token, encode_token
from orchestrator.apiserver.selection import Selection, selection
from orchestrator.apiserver.storage import INEXACT, encoded_of
from orchestrator.client.protocol import Response
from orchestrator.store.protocol import Value

PAGE_OF_SELECTED = 1000
"""Keys read at a time when a limited list has to look for matches."""


async def list_objects(env: Environment, call: Call) -> Response:
    check_match(call)
    chosen = selection(call.resource, call.options)
    if chosen.name:
        return await _one(env, call, chosen)
    page = _start(call)
    try:
        if call.options.limit and not chosen.everything:
            return await _limited_selected(env, call, chosen, page)
        return await _plain(env, call, chosen, page)
    except errors.StatusError as error:
        if error.reason == "Expired" and call.options.continue_token:
            raise await _expired(env, call, page) from error
        raise


def check_match(call: Call) -> None:
    """``resourceVersionMatch`` goes with a resourceVersion and nothing else."""
    options = call.options
    if options.send_initial_events:
        raise invalid_options("sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list")
    text, match = options.resource_version, options.resource_version_match
    if text and not text.isdecimal():
        raise errors.bad_request(f"invalid resource version: {unparsable(text)}")
    problem = ""
    if match and not text:
        problem = (
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        )
    elif match and options.continue_token:
        problem = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided"
    elif match and match not in ("Exact", "NotOlderThan"):
        problem = (
            f'resourceVersionMatch: Unsupported value: {quote(match)}: supported values: "Exact", "NotOlderThan", ""'
        )
    elif match == "Exact" and text == "0":
        problem = 'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
    if problem:
        raise invalid_options(problem)


def unparsable(text: str) -> str:
    """What is wrong with a resourceVersion that is no number."""
    return f"resourceVersion: Invalid value: {quote(text)}: strconv.ParseUint: parsing {quote(text)}: invalid syntax"


def invalid_options(problem: str) -> errors.StatusError:
    field, _, text = problem.partition(": ")
    reason = "FieldValueNotSupported" if text.startswith("Unsupported") else "FieldValueForbidden"
    details = {
        "group": "meta.k8s.io",
        "kind": "ListOptions",
        "causes": [{"reason": reason, "message": text, "field": field}],
    }
    return errors.status(422, "Invalid", f'ListOptions.meta.k8s.io "" is invalid: {problem}', details)


def _start(call: Call) -> Page:
    options = call.options
    if options.continue_token:
        if options.resource_version not in ("", "0"):
            raise errors.bad_request("specifying resource version is not allowed when using continue")
        page = decode_token(options.continue_token, call.prefix)
        return Page(max(page.revision, 0), page.after)
    exact = options.resource_version_match == "Exact" or (
        options.limit and options.resource_version_match != "NotOlderThan"
    )
    asked = int(options.resource_version or 0)
    return Page(asked if exact else 0, "")


async def _plain(env: Environment, call: Call, chosen: Selection, page: Page) -> Response:
    reply = await env.storage.range(
        call.prefix,
        after=page.after,
        limit=call.options.limit,
        revision=page.revision,
        fields=chosen.indexed,
    )
    _not_older(call, reply.revision)
    items = [encoded_of(value) for value in reply.values]
    if not chosen.everything:
        items = [item for item in items if chosen.matches(item)]
    if not reply.more:
        return Response(200, reply.revision, items=items)
    token = encode_token(reply.revision, reply.values[-1].key, call.prefix)
    remaining = None if chosen.indexed else reply.count - len(reply.values)
    return Response(200, reply.revision, items=items, continue_token=token, remaining=remaining)


def _not_older(call: Call, revision: int) -> None:
    asked = int(call.options.resource_version or 0)
    if asked > revision:
        raise errors.too_large_resource_version(asked, revision)


async def _limited_selected(env: Environment, call: Call, chosen: Selection, page: Page) -> Response:
    """Reads on until enough match: a page of a selected list is full, or the last."""
    limit = call.options.limit
    found: list[Value] = []
    items: list[Encoded] = []
    revision, after = page.revision, page.after
    while True:
        reply = await env.storage.range(
            call.prefix, after=after, limit=PAGE_OF_SELECTED, revision=revision, fields=chosen.indexed
        )
        _not_older(call, reply.revision)
        revision = reply.revision
        for value in reply.values:
            item = encoded_of(value)
            if chosen.matches(item):
                if len(items) == limit:
                    token = encode_token(revision, found[-1].key, call.prefix)
                    return Response(200, revision, items=items, continue_token=token)
                items.append(item)
                found.append(value)
        if not reply.more:
            return Response(200, revision, items=items)
        after = reply.values[-1].key


async def _one(env: Environment, call: Call, chosen: Selection) -> Response:
    """A list by name is a get, unless it is of all namespaces."""
    if call.resource.namespaced and not call.namespace:
        reply = await env.storage.range(call.prefix, fields=chosen.indexed)
        suffix = f"/{chosen.name}"
        items = [encoded_of(value) for value in reply.values if value.key.endswith(suffix)]
        return Response(200, reply.revision, items=[item for item in items if chosen.matches(item)])
    key = object_key(call.resource.group, call.resource.plural, call.namespace, chosen.name)
    got = await env.storage.get([key])
    value = got.values[0]
    items = [] if value is None else [encoded_of(value)]
    if value is not None and any(value.fields.get(name) != want for name, want in chosen.indexed.items()):
        items = []
    return Response(200, got.revision, items=[item for item in items if chosen.matches(item)])


async def _expired(env: Environment, call: Call, page: Page) -> errors.StatusError:
    """410 with a token that goes on, inconsistently, from the same key at the current revision."""
    error = errors.expired(INEXACT)
    token = encode_token(-1, page.after.removesuffix("\0"), call.prefix)
    error.status["metadata"] = {"continue": token}
    return error
