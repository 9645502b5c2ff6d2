"""What the store said of a change, told to who asked for it: an answer, a refusal, or that it has to go again."""

from __future__ import annotations

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Encoded
from orchestrator.apiserver.call import Environment, failure, stored
from orchestrator.apiserver.write import Pending, Write
from orchestrator.client.protocol import Response, Want
from orchestrator.store.protocol import Change, Outcome, Result

MAX_ATTEMPTS = 8
"""Times a write is prepared before its conflict is told to the caller."""

MAX_RACES = 64
"""Times that other servers may be faster to take an address, or what was written beside it be refused."""


def as_it_stands(write: Write) -> Encoded | None:
    """The answer of a dry run bears the revision that stands."""
    encoded, change = write.encoded, write.change
    if encoded is None or encoded.revision or change is None or not change.expect:
        return encoded
    return Encoded(encoded.metadata, encoded.status, encoded.rest, change.expect)


def settle(env: Environment, one: Pending, write: Write, change: Change, result: Result | None) -> bool:
    """Answer what the store said (None: not asked, another server gave addresses away); True: go again."""
    if result is None:
        undo(write)
        env.standing.drop(change.key)
        if one.attempts >= MAX_RACES:
            one.response = failure(errors.service_unavailable("other servers take addresses all the time: try again"))
        return one.response is None
    if result.outcome == Outcome.DONE:
        _done(env, one, write, change, result)
        return False
    undo(write)
    if result.outcome == Outcome.NO_SPACE:
        one.response = failure(errors.service_unavailable("the store is out of space: only deletes are taken"))
        return False
    env.standing.drop(change.key)
    if one.remembered or (write.retry and one.attempts < MAX_ATTEMPTS):
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
    if change.parts is None:
        env.standing.drop(change.key)
    elif encoded is not None and not change.lease:
        env.standing.wrote(change, encoded, result.revision)
    resource = one.call.resource
    if env.mirror.mirrors(resource.group, resource.plural):
        if change.parts is None:
            env.mirror.drop(change.key, result.revision)
        elif encoded is not None:
            env.mirror.put(change.key, encoded.parts(), result.revision)
    one.response = answer_of(one, write, encoded)


def answer_of(one: Pending, write: Write, encoded: Encoded | None) -> Response:
    warnings = one.call.warnings
    if write.respond is not None and encoded is not None:
        return write.respond(encoded)
    assert encoded is not None
    if one.call.request.want is Want.REVISION:
        return Response(write.code, encoded.revision, warnings=tuple(warnings))
    return stored(encoded, write.code, warnings)


def undo(write: Write) -> None:
    if write.undo is not None:
        write.undo()
