"""Carries out writes, one or hundreds: one read of all the keys they need, each prepared in memory, one proposal.

A write that meets a conflict which is not its caller's (an unconditional update, a patch, a generated name) is
prepared again from what then stands. Two writes of one key in one batch go one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Encoded
from orchestrator.apiserver.admission.needs import keys_needed
from orchestrator.apiserver.admission.quota import charge_quotas
from orchestrator.apiserver.call import Environment, failure, stored
from orchestrator.apiserver.cause import cause_of
from orchestrator.apiserver.write import Pending, Write
from orchestrator.client.protocol import Response, Verb, Want
from orchestrator.store.protocol import Change, Outcome, Result, Value

PREPARED_AT_ONCE = 32
"""Writes prepared before others have their turn: about as long as the loop may be held."""
MAX_ATTEMPTS = 8
"""Times a write is prepared before its conflict is told to the caller."""


async def write_all(env: Environment, pending: Sequence[Pending]) -> list[Response]:
    """The answers, in order."""
    left = list(pending)
    while left:
        left = await _round(env, left)
    return [one.response or failure(errors.internal("a write was left without an answer")) for one in pending]


async def _round(env: Environment, left: list[Pending]) -> list[Pending]:
    """Prepare and commit the first write of each key; returns those that must go again."""
    now, later = _first_of_each_key(left)
    values = await _read(env, now)
    for position, one in enumerate(now):
        _prepare(env, one, values)
        if position % PREPARED_AT_ONCE == PREPARED_AT_ONCE - 1:
            await asyncio.sleep(0)
    await charge_quotas(env, [one for one in now if one.write])
    again = await _commit(env, [one for one in now if one.write and not one.response])
    return again + later


def _first_of_each_key(left: list[Pending]) -> tuple[list[Pending], list[Pending]]:
    seen: set[str] = set()
    now: list[Pending] = []
    later: list[Pending] = []
    for one in left:
        if one.key in seen:
            later.append(one)
        else:
            now.append(one)
            if not one.key.endswith("/"):
                seen.add(one.key)
    return now, later


async def _read(env: Environment, now: list[Pending]) -> dict[str, Value]:
    keys: dict[str, None] = {}
    for one in now:
        if one.call.verb != Verb.CREATE or one.call.subresource or one.call.options.dry_run:
            keys[one.key] = None
        for key in keys_needed(env, one.call):
            keys[key] = None
    if not keys:
        return {}
    reply = await env.storage.get(list(keys))
    values = {value.key: value for value in reply.values if value is not None}
    for value in values.values():
        env.mirror.put(value.key, value.parts, value.mod_revision)
    return values


def _prepare(env: Environment, one: Pending, values: dict[str, Value]) -> None:
    one.write = None
    one.attempts += 1
    one.call.warnings.clear()
    try:
        one.write = one.prepare(env, one.call, values.get(one.key))
    except errors.StatusError as error:
        one.response = failure(error, one.call.warnings)
    except Exception as bug:
        env.log.exception("a write handler failed", verb=str(one.call.verb), key=one.key)
        one.response = failure(errors.internal(str(bug)))


async def _commit(env: Environment, ready: list[Pending]) -> list[Pending]:
    changes: list[Change] = []
    writers: list[tuple[Pending, Write]] = []
    trace = env.context.cause
    for one in ready:
        write = one.write
        assert write is not None
        if write.change is None or one.call.options.dry_run:
            _undo(write)
            one.response = _answer(one, write, _as_it_stands(write))
        else:
            cause = cause_of(trace, one.call.identity.user, one.call.request.cause)
            changes.append(_with_cause(write.change, cause))
            writers.append((one, write))
    if not changes:
        return []
    try:
        changes = await env.events.attach(env.storage, changes, env.clock.time())
        results = await env.storage.commit(changes)
    except errors.StatusError as error:
        for one, write in writers:
            _undo(write)
            one.response = failure(error)
        return []
    return [
        one
        for (one, write), change, result in zip(writers, changes, results, strict=True)
        if _settle(env, one, write, change, result)
    ]


def _as_it_stands(write: Write) -> Encoded | None:
    """The answer of a dry run bears the revision that stands."""
    encoded, change = write.encoded, write.change
    if encoded is None or encoded.revision or change is None or not change.expect:
        return encoded
    return Encoded(encoded.metadata, encoded.status, encoded.rest, change.expect)


def _with_cause(change: Change, cause: bytes) -> Change:
    return Change(change.key, change.parts, change.expect, change.fields, change.lease, cause)


def _settle(env: Environment, one: Pending, write: Write, change: Change, result: Result) -> bool:
    """Answer what the store said; True: go again."""
    if result.outcome == Outcome.DONE:
        _done(env, one, write, change, result)
        return False
    _undo(write)
    if result.outcome == Outcome.NO_SPACE:
        one.response = failure(errors.service_unavailable("the store is out of space: only deletes are taken"))
        return False
    if write.retry and one.attempts < MAX_ATTEMPTS:
        return True
    one.response = failure(_conflict(one, write, result))
    return False


def _conflict(one: Pending, write: Write, result: Result) -> errors.StatusError:
    name = (write.key or one.key).rpartition("/")[2]
    resource = one.call.resource
    if result.outcome == Outcome.MISSING or (result.revision == 0 and write.code != 201):
        return one.call.not_found(name)
    if write.code != 201:
        return one.call.conflict(name)
    if write.generated:
        return errors.generate_name_conflict(resource.group, resource.plural, name)
    return errors.already_exists(resource.group, resource.plural, name)


def _done(env: Environment, one: Pending, write: Write, change: Change, result: Result) -> None:
    encoded = write.encoded
    if encoded is not None:
        encoded = Encoded(encoded.metadata, encoded.status, encoded.rest, result.revision)
    if env.mirror.mirrors(change.key):
        if change.parts is None:
            env.mirror.drop(change.key, result.revision)
        elif encoded is not None:
            env.mirror.put(change.key, encoded.parts(), result.revision)
    one.response = _answer(one, write, encoded)


def _answer(one: Pending, write: Write, encoded: Encoded | None) -> Response:
    warnings = one.call.warnings
    if write.respond is not None and encoded is not None:
        return write.respond(encoded)
    assert encoded is not None
    if one.call.request.want is Want.REVISION:
        return Response(write.code, encoded.revision, warnings=tuple(warnings))
    return stored(encoded, write.code, warnings)


def _undo(write: Write) -> None:
    if write.undo is not None:
        write.undo()
