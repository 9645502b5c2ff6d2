"""From changes to etcd's transactions and back: pure.

One change is one transaction, with its condition as a compare and a read of the key for when it does not hold. What
keeps parts or fields of the value before it is made whole from the value that is known, under the condition that this
value stands; if it does not, etcd's answer has the one that does, and the transaction is made anew.
"""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.store.etcd.stored import FIRST_REVISION, REQUESTS, b64, encode, value_of
from orchestrator.store.protocol import Change, Compare, Outcome, Relation, Result, Target, Value

Json = dict[str, Any]
NAMES = {Target.MOD_REVISION: "MOD", Target.CREATE_REVISION: "CREATE", Target.VERSION: "VERSION", Target.LEASE: "LEASE"}
OPERANDS = {
    Target.MOD_REVISION: "mod_revision",
    Target.CREATE_REVISION: "create_revision",
    Target.VERSION: "version",
    Target.LEASE: "lease",
}


class Prepared(msgspec.Struct, frozen=True):
    """One change as etcd is to do it. ``refused``: it cannot be done over what stands, whatever the condition."""

    compares: list[Json]
    operation: Json | None
    refused: Result | None = None


def prepare(change: Change, standing: Value | None, prefix: str) -> Prepared:
    """``standing`` is what the mirror knows; a change that depends on it is made conditional on it."""
    key = b64(prefix + change.key)
    compares = [] if change.expect is None else [stands_at(key, change.expect)]
    if change.parts is None:
        operation = {"request_delete_range": {"key": key, "prev_kv": True}}
        return Prepared([*compares, {"key": key, "target": "VERSION", "result": "GREATER", "version": "0"}], operation)
    parts, fields = change.parts, change.fields
    if None in parts or fields is None:
        compares.append(stands_at(key, standing.mod_revision if standing is not None else 0))
        if None in parts and (standing is None or len(standing.parts) < len(parts)):
            revision = standing.mod_revision if standing is not None else 0
            return Prepared(compares, None, Result(Outcome.MISSING, revision))
    before = standing.parts if standing is not None else ()
    whole = tuple([before[i] if part is None else part for i, part in enumerate(parts)])
    if fields is None:
        fields = standing.fields if standing is not None else {}
    put: Json = {"key": key, "value": encode(whole, fields, change.cause)}
    if change.lease:
        put["lease"] = str(change.lease)
    return Prepared(compares, {"request_put": put})


def stands_at(key: str, revision: int) -> Json:
    """The compare that ``key`` (in base64) has this mod revision of the store's (0: is not there)."""
    wanted = revision + FIRST_REVISION if revision else 0
    return {"key": key, "target": "MOD", "result": "EQUAL", "mod_revision": str(wanted)}


def native(compare: Compare, prefix: str) -> Json:
    """A compare that etcd itself can make: of all targets but the value and the store's revision."""
    assert isinstance(compare.operand, int), "the operand was checked"
    operand, relation = compare.operand, compare.relation
    if compare.target in (Target.MOD_REVISION, Target.CREATE_REVISION) and operand > 0:
        operand += FIRST_REVISION
    elif compare.target in (Target.MOD_REVISION, Target.CREATE_REVISION) and operand == 0 and relation is Relation.LESS:
        operand = -1  # nothing is less than what is not there
    return {
        "key": b64(prefix + compare.key),
        "target": NAMES[compare.target],
        "result": relation.name,
        OPERANDS[compare.target]: str(operand),
    }


def explained(change: Change, found: Value | None) -> Result | None:
    """Why ``change`` cannot be done over ``found``; None when only what was known of the key was old."""
    revision = found.mod_revision if found is not None else 0
    if change.expect is not None and change.expect != revision:
        return Result(Outcome.CONFLICT, revision)
    if change.parts is None:
        return Result(Outcome.MISSING, 0) if found is None else None
    if None in change.parts and (found is None or len(found.parts) < len(change.parts)):
        return Result(Outcome.MISSING, revision)
    return None


def read(change: Change, prefix: str) -> Json:
    return {"request_range": {"key": b64(prefix + change.key)}}


def read_value(response: Json, prefix: str) -> Value | None:
    """What a ``request_range`` of one key found."""
    kvs = response.get("response_range", {}).get("kvs", [])
    return value_of(kvs[0], prefix) if kvs else None


def result(change: Change, response: Json, revision: int, prefix: str) -> Result:
    """Of a change that was done. The last value of a delete has that value's own revision."""
    if change.parts is not None:
        return Result(Outcome.DONE, revision)
    previous = response.get("response_delete_range", {}).get("prev_kvs", [])
    return Result(Outcome.DONE, revision, value_of(previous[0], prefix) if previous else None)


def once(request: str) -> tuple[Json, Json]:
    """The compare that a request was not done yet, and the read of what it left when it was."""
    key = b64(REQUESTS + request)
    return {"key": key, "target": "VERSION", "result": "EQUAL", "version": "0"}, {"request_range": {"key": key}}


def done_before(response: Json) -> Json | None:
    """What is left of a request that was done."""
    kvs = response.get("response_range", {}).get("kvs", [])
    return kvs[0] if kvs else None


def remember(request: str, lease: int, words: bytes) -> Json:
    from base64 import b64encode

    value = b64encode(words).decode()
    return {"request_put": {"key": b64(REQUESTS + request), "value": value, "lease": str(lease)}}
