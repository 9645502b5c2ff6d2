"""etcd's transaction over the store's: reads, ranges and nested transactions in it, decided at one revision.

The plain case (compares of single keys; puts and reads of keys it does not write) is one transaction of the store, and
its reads are reads at the revision before it or after it. Any other is worked out here at the revision that stands, and
takes place only if that revision stands still: else it is worked out anew.
"""

from __future__ import annotations

from typing import Any

from actors import Ref
from orchestrator.store.gateway.answers import FIRST_REVISION, Header, Json, content_of, key_value, key_values, pruned
from orchestrator.store.gateway.errors import (
    BUSY,
    DUPLICATE_KEY,
    INVALID_ARGUMENT,
    KEY_NOT_FOUND,
    LEASE_PROVIDED,
    RESOURCE_EXHAUSTED,
    TOO_MANY_OPERATIONS,
    VALUE_PROVIDED,
    GatewayError,
)
from orchestrator.store.gateway.kv import ASK_SECONDS, Puts, Reader, at_revision, range_answer, refused
from orchestrator.store.gateway.messages import (
    Comparison,
    DeleteRangeRequest,
    PutRequest,
    RangeRequest,
    RequestOp,
    TxnRequest,
    number_of,
)
from orchestrator.store.gateway.ranges import span, text
from orchestrator.store.protocol import (
    MAX_TXN_OPS,
    Change,
    Compare,
    Get,
    Outcome,
    Relation,
    Target,
    Txn,
    TxnReply,
    Value,
)

RESULTS = ("EQUAL", "GREATER", "LESS", "NOT_EQUAL")
TARGETS = ("VERSION", "CREATE", "MOD", "VALUE", "LEASE")
MAX_TRIES = 64
"""Other writers may move the revision on each time; a client is then told to try again."""
NATIVE = {
    "VERSION": Target.VERSION,
    "CREATE": Target.CREATE_REVISION,
    "MOD": Target.MOD_REVISION,
    "LEASE": Target.LEASE,
}


class Transactions:
    def __init__(self, store: Ref[Any], header: Header, reader: Reader, puts: Puts) -> None:
        self._store = store
        self._header = header
        self._reader = reader
        self._puts = puts

    async def txn(self, request: TxnRequest) -> Json:
        check(request)
        if plain(request):
            return await self._plain(request)
        async with self._puts.exclusive:
            for _ in range(MAX_TRIES):
                answer = await self._worked_out(request)
                if answer is not None:
                    return answer
        raise GatewayError(RESOURCE_EXHAUSTED, BUSY)

    async def delete_range(self, request: DeleteRangeRequest) -> Json:
        """A transaction of one operation."""
        answer = await self.txn(TxnRequest(success=[RequestOp(request_delete_range=request)]))
        deleted = answer["responses"][0]["response_delete_range"]
        return {**deleted, "header": answer["header"]}

    async def put(self, request: PutRequest) -> Json:
        """A put that must look at what stands."""
        answer = await self.txn(TxnRequest(success=[RequestOp(request_put=request)]))
        return {**answer["responses"][0]["response_put"], "header": answer["header"]}

    async def _plain(self, request: TxnRequest) -> Json:
        compares = [_native(one) for one in request.compare]
        success, failure = _changes(request.success), _changes(request.failure)
        reply: TxnReply = await self._store.ask(Txn(compares, success, failure), ASK_SECONDS)
        _raise_refused(reply)
        taken = request.success if reply.succeeded else request.failure
        keys = [text(op.request_range.key) for op in taken if op.request_range is not None]
        found: list[Value | None] = []
        if keys:
            found = (await self._store.ask(Get(keys, reply.revision), ASK_SECONDS)).values
        header = self._header.at(reply.revision)
        responses: list[Json] = []
        for op in taken:
            if op.request_range is not None:
                value = found.pop(0)
                body = range_answer(op.request_range, [value] if value else [], 1 if value else 0)
                responses.append({"response_range": {"header": header, **body}})
            else:
                responses.append({"response_put": {"header": header}})
        return {"header": header, **pruned(succeeded=reply.succeeded, responses=responses)}

    async def _worked_out(self, request: TxnRequest) -> Json | None:
        """None: the store moved on meanwhile."""
        # A read, not the status: this member's own copy may lag behind what was answered by another.
        revision = (await self._store.ask(Get([]), ASK_SECONDS)).revision
        work = _Work(self._reader, self._header, revision)
        answer = await work.txn(request)
        if len(work.written) > MAX_TXN_OPS:
            raise GatewayError(INVALID_ARGUMENT, TOO_MANY_OPERATIONS)
        if not work.written:
            return answer
        guard = Compare("", Target.REVISION, Relation.EQUAL, revision)
        reply = await self._store.ask(Txn([guard], list(work.written.values())), ASK_SECONDS)
        _raise_refused(reply)
        return answer if reply.succeeded else None


class _Work:
    """A transaction at ``revision``: what it would answer and write, if it took place as the very next."""

    def __init__(self, reader: Reader, header: Header, revision: int) -> None:
        self._reader = reader
        self._header = header
        self._at = revision
        self.written: dict[str, Change] = {}
        self._overlay: dict[str, Value | None] = {}
        self._succeeded: dict[int, bool] = {}
        # By the identity of a transaction, which lives as long as this.

    async def txn(self, request: TxnRequest) -> Json:
        await self._choose(request)
        answer = await self._branch(request)
        header = self._header.at(self._at + 1 if self.written else self._at)
        _head(answer, header)
        return {**answer, "header": header}

    async def _choose(self, request: TxnRequest) -> None:
        """Which branch is taken: of all, the nested too, before anything is written."""
        holds = [await self._holds(comparison) for comparison in request.compare]
        self._succeeded[id(request)] = all(holds)
        for op in request.success if all(holds) else request.failure:
            if op.request_txn is not None:
                await self._choose(op.request_txn)

    async def _branch(self, request: TxnRequest) -> Json:
        succeeded = self._succeeded[id(request)]
        responses = [await self._op(op) for op in (request.success if succeeded else request.failure)]
        return pruned(succeeded=succeeded, responses=responses)

    async def _values(self, key: bytes, end: bytes) -> list[Value]:
        """What is in a range as the transaction stands now."""
        wanted = span(key, end)
        # An empty store cannot be asked for its revision 0: that is "now", and the guard sees that it is the same.
        values, _, _ = await self._reader.values(wanted, self._at)
        found: dict[str, Value | None] = {value.key: value for value in values}
        found.update((name, value) for name, value in self._overlay.items() if wanted.holds(name))
        return [value for _, value in sorted(found.items()) if value is not None]

    async def _holds(self, comparison: Comparison) -> bool:
        values: list[Value | None] = list(await self._values(comparison.key, comparison.range_end))
        return all(compare(comparison, value) for value in values or [None])

    async def _op(self, op: RequestOp) -> Json:
        if op.request_range is not None:
            return {"response_range": await self._range(op.request_range)}
        if op.request_put is not None:
            return {"response_put": await self._put(op.request_put)}
        if op.request_delete_range is not None:
            return {"response_delete_range": await self._delete(op.request_delete_range)}
        if op.request_txn is not None:
            return {"response_txn": await self._branch(op.request_txn)}
        raise GatewayError(INVALID_ARGUMENT, KEY_NOT_FOUND)

    async def _range(self, request: RangeRequest) -> Json:
        if request.revision:
            values, _, _ = await self._reader.values(
                span(request.key, request.range_end), at_revision(request.revision)
            )
        else:
            values = await self._values(request.key, request.range_end)
        return range_answer(request, values, len(values))

    async def _put(self, request: PutRequest) -> Json:
        key = text(request.key)
        standing = next(iter(await self._values(request.key, b"")), None)
        if (request.ignore_value or request.ignore_lease) and standing is None:
            raise GatewayError(INVALID_ARGUMENT, KEY_NOT_FOUND)
        content = request.value if standing is None or not request.ignore_value else content_of(standing)
        lease = request.lease if standing is None or not request.ignore_lease else standing.lease
        self.written[key] = Change(key, (content,), lease=lease)
        revision = self._at + 1
        created, version = (standing.create_revision, standing.version + 1) if standing else (revision, 1)
        self._overlay[key] = Value(key, (content,), revision, created, version, {}, lease)
        return pruned(prev_kv=key_value(standing)) if standing is not None and request.prev_kv else {}

    async def _delete(self, request: DeleteRangeRequest) -> Json:
        values = await self._values(request.key, request.range_end)
        for value in values:
            self.written[value.key] = Change(value.key, None)
            self._overlay[value.key] = None
        return pruned(deleted=len(values), prev_kvs=key_values(values) if request.prev_kv else [])


def _head(answer: Json, header: Json) -> None:
    """Each response has the header; that of a nested transaction is empty, as in etcd."""
    for response in answer.get("responses", []):
        for kind, body in response.items():
            if kind == "response_txn":
                _head(body, header)
            body["header"] = {} if kind == "response_txn" else header


def check(request: TxnRequest) -> None:
    """Raises ``GatewayError`` for what etcd refuses before it looks at any key."""
    for branch in (request.success, request.failure):
        if max(len(branch), len(request.compare)) > MAX_TXN_OPS:
            raise GatewayError(INVALID_ARGUMENT, TOO_MANY_OPERATIONS)
        puts: set[bytes] = set()
        deleted = [op.request_delete_range for op in branch if op.request_delete_range is not None]
        for op in branch:
            if op.request_txn is not None:
                check(op.request_txn)
            if op.request_put is not None:
                check_put(op.request_put)
                key = op.request_put.key
                if key in puts or any(span(one.key, one.range_end).holds(text(key)) for one in deleted):
                    raise GatewayError(INVALID_ARGUMENT, DUPLICATE_KEY)
                puts.add(key)


def check_put(put: PutRequest) -> None:
    span(put.key, b"")
    if put.ignore_value and put.value:
        raise GatewayError(INVALID_ARGUMENT, VALUE_PROVIDED)
    if put.ignore_lease and put.lease:
        raise GatewayError(INVALID_ARGUMENT, LEASE_PROVIDED)


def compare(comparison: Comparison, value: Value | None) -> bool:
    """etcd's comparison of one key; a key that is not there has no value that could compare."""
    target = TARGETS[number_of(comparison.target, TARGETS, "target")]
    relation = RESULTS[number_of(comparison.result, RESULTS, "result")]
    found: int | bytes
    wanted: int | bytes
    if target == "VALUE":
        if value is None:
            return False
        found, wanted = content_of(value), comparison.value
        return _stands(relation, (found > wanted) - (found < wanted))
    if target == "VERSION":
        found, wanted = (value.version if value else 0), comparison.version
    elif target == "LEASE":
        found, wanted = (value.lease if value else 0), comparison.lease
    elif target == "CREATE":
        found, wanted = (value.create_revision + FIRST_REVISION if value else 0), comparison.create_revision
    else:
        found, wanted = (value.mod_revision + FIRST_REVISION if value else 0), comparison.mod_revision
    return _stands(relation, (found > wanted) - (found < wanted))


def _stands(relation: str, sign: int) -> bool:
    return {"EQUAL": sign == 0, "GREATER": sign > 0, "LESS": sign < 0, "NOT_EQUAL": sign != 0}[relation]


def plain(request: TxnRequest) -> bool:
    """Whether the store's own transaction says the same."""
    if any(one.range_end or TARGETS[number_of(one.target, TARGETS, "target")] == "VALUE" for one in request.compare):
        return False
    return all(_plain_branch(branch) for branch in (request.success, request.failure))


def _plain_branch(branch: list[RequestOp]) -> bool:
    written = set()
    for op in branch:
        put, read = op.request_put, op.request_range
        if put is not None:
            if put.prev_kv or put.ignore_value or put.ignore_lease:
                return False
            written.add(put.key)
        elif read is None or read.range_end or read.revision:
            return False
    return not any(op.request_range is not None and op.request_range.key in written for op in branch)


def _native(one: Comparison) -> Compare:
    target = TARGETS[number_of(one.target, TARGETS, "target")]
    relation = Relation(number_of(one.result, RESULTS, "result"))
    operand = {"VERSION": one.version, "LEASE": one.lease, "CREATE": one.create_revision, "MOD": one.mod_revision}[
        target
    ]
    if target in ("CREATE", "MOD"):
        operand = _moved(operand, relation)
    return Compare(text(one.key), NATIVE[target], relation, operand)


def _moved(revision: int, relation: Relation) -> int:
    """The store's revision to compare with for etcd's. A key that is not there counts as 0 in both."""
    if revision == FIRST_REVISION:
        # No key has it: nothing equals it, and what is less is only what is not there.
        return {Relation.GREATER: 0, Relation.LESS: 1}.get(relation, -1)
    return revision - FIRST_REVISION if revision > 0 else revision


def _changes(branch: list[RequestOp]) -> list[Change]:
    puts = [op.request_put for op in branch if op.request_put is not None]
    return [Change(text(put.key), (put.value,), lease=put.lease) for put in puts]


def _raise_refused(reply: TxnReply) -> None:
    if reply.succeeded:
        return
    for result in reply.results:
        if result.outcome is not Outcome.DONE and (error := refused(result)) is not None:
            raise error
