"""Transactions over etcd's: compares outside, conditions of the changes inside, so that an answer says which held.

A compare of a value is decided here, over the value that the mirror knows, on condition that this one stands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from actors import Refused
from orchestrator.store.compare import holds
from orchestrator.store.etcd import writing
from orchestrator.store.etcd.client import NO_LEASE, NO_SPACE, EtcdClient, EtcdRefused
from orchestrator.store.etcd.mirror import Mirror
from orchestrator.store.etcd.stored import b64, content_of, revision_of
from orchestrator.store.protocol import Change, Outcome, Result, Target, Txn, TxnReply, Value

MAX_TRIES = 100
NEVER = {"key": b64("\x01never"), "target": "VERSION", "result": "GREATER", "version": "0"}
"""A compare that does not hold: nobody writes such a key."""

Json = dict[str, Any]


class Remembered(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of a transaction that may be asked for again."""

    succeeded: bool
    changes: int


class Transactions:
    def __init__(self, client: EtcdClient, mirror: Mirror, prefix: str, lease: Callable[[], int]) -> None:
        self._client = client
        self._mirror = mirror
        self._prefix = prefix
        self._lease = lease

    async def txn(self, txn: Txn) -> TxnReply:
        if any(compare.target is Target.REVISION for compare in txn.compares):
            raise Refused("invalid", "an etcd does not compare with its own revision")
        known: dict[str, Value | None] = {}
        for _ in range(MAX_TRIES):
            reply = await self._try(txn, known)
            if reply is not None:
                return reply
        raise Refused("busy", "the keys of the transaction change faster than they can be read: try again")

    async def _try(self, txn: Txn, known: dict[str, Value | None]) -> TxnReply | None:
        """None: what was known of some key is old; ``known`` is corrected."""
        body = self._body(txn, known)
        try:
            answer = await self._client.call("kv/txn", body)
        except EtcdRefused as error:
            return self._refused(error, txn)
        revision = revision_of(answer["header"]["revision"])
        if not answer.get("succeeded"):
            return self._pins_failed(txn, answer, known)
        chosen = answer["responses"][0]["response_txn"]
        succeeded = bool(chosen.get("succeeded"))
        changes = txn.success if succeeded else txn.failure
        inner = chosen.get("responses", [{}])[0].get("response_txn", {})
        responses = inner.get("responses", [])
        if inner.get("succeeded"):
            results = [
                writing.result(change, response, revision, self._prefix)
                for change, response in zip(changes, responses, strict=False)
            ]
            return TxnReply(succeeded, revision, results)
        return self._explain(changes, responses, revision, known)

    def _body(self, txn: Txn, known: dict[str, Value | None]) -> Json:
        """Pins, then the compares, then the conditions of the changes: each a transaction in the one before."""
        values = [compare for compare in txn.compares if compare.target is Target.VALUE]
        pins = [self._stands(compare.key, known) for compare in values]
        pinned = [writing.read(Change(compare.key, None), self._prefix) for compare in values]
        compares = [
            writing.native(compare, self._prefix) for compare in txn.compares if compare.target is not Target.VALUE
        ]
        if not all(holds(compare, self._known(compare.key, known), 0) for compare in values):
            compares.append(NEVER)
        chosen = {
            "compare": compares,
            "success": [self._branch(txn, txn.success, True, known)],
            "failure": [self._branch(txn, txn.failure, False, known)],
        }
        if txn.request_id:
            not_yet, was_done = writing.once(txn.request_id)
            pins.append(not_yet)
            pinned.append(was_done)
        return {"compare": pins, "success": [{"request_txn": chosen}], "failure": pinned}

    def _branch(self, txn: Txn, changes: list[Change], succeeded: bool, known: dict[str, Value | None]) -> Json:
        prepared = [writing.prepare(change, self._known(change.key, known), self._prefix) for change in changes]
        compares = [compare for one in prepared for compare in one.compares]
        reads = [writing.read(change, self._prefix) for change in changes]
        if any(one.operation is None for one in prepared):
            compares.append(NEVER)
        operations = [one.operation for one in prepared if one.operation is not None]
        if txn.request_id and changes:
            words = msgspec.msgpack.encode(Remembered(succeeded, len(changes)))
            operations.append(writing.remember(txn.request_id, self._lease(), words))
        return {"request_txn": {"compare": compares, "success": operations, "failure": reads}}

    def _known(self, key: str, known: dict[str, Value | None]) -> Value | None:
        return known[key] if key in known else self._mirror.machine.live.get(key)

    def _stands(self, key: str, known: dict[str, Value | None]) -> Json:
        value = self._known(key, known)
        return writing.stands_at(b64(self._prefix + key), value.mod_revision if value is not None else 0)

    def _pins_failed(self, txn: Txn, answer: Json, known: dict[str, Value | None]) -> TxnReply | None:
        responses = answer.get("responses", [])
        if txn.request_id and (left := writing.done_before(responses.pop())) is not None:
            kept = msgspec.msgpack.decode(content_of(left), type=Remembered)
            revision = revision_of(left["mod_revision"])
            return TxnReply(kept.succeeded, revision, [Result(Outcome.DONE, revision)] * kept.changes)
        values = [compare.key for compare in txn.compares if compare.target is Target.VALUE]
        for key, response in zip(values, responses, strict=True):
            known[key] = writing.read_value(response, self._prefix)
        return None

    def _explain(
        self, changes: list[Change], responses: list[Json], revision: int, known: dict[str, Value | None]
    ) -> TxnReply | None:
        results: list[Result] = []
        refused = False
        for change, response in zip(changes, responses, strict=True):
            found = known[change.key] = writing.read_value(response, self._prefix)
            why = writing.explained(change, found)
            refused = refused or why is not None
            results.append(why or Result(Outcome.DONE, 0))
        return TxnReply(False, revision, results) if refused else None

    def _refused(self, error: EtcdRefused, txn: Txn) -> TxnReply:
        """etcd does not say which change it was; all that could be are named."""
        outcome = {NO_LEASE: Outcome.NO_LEASE, NO_SPACE: Outcome.NO_SPACE}.get(error.message)
        if outcome is None:
            raise error
        named = [
            Result(outcome if change.lease or outcome is Outcome.NO_SPACE else Outcome.DONE, 0)
            for change in txn.success
        ]
        return TxnReply(False, self._mirror.machine.revision, named)
