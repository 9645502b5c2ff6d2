"""Carries out writes: what is asked in one turn of the loop goes together, prepared in memory, one proposal for all.

A kubelet writes five statuses, a thousand kubelets do it at the same moment: their writes share one look at the store
and one batch, cut into pieces so that one piece is made durable while the next is prepared. A write is prepared from
what the server knows to stand (``Standing``) where it does. One that meets a conflict which is not its caller's (an
unconditional update, a patch, a generated name) is prepared again from what then stands. Two writes of one key go one
after the other.

What was asked by itself has a lane of its own, and of each lane a bound number of pieces is under way: a person's write
and a node's heartbeat do not stand behind a burst of thousands, here or at the store.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from actors import Trace
from orchestrator.apimachinery import errors
from orchestrator.apiserver.admission.needs import Need, keys_needed, need_of
from orchestrator.apiserver.admission.quota import charge_quotas
from orchestrator.apiserver.call import Environment, failure
from orchestrator.apiserver.cause import cause_of
from orchestrator.apiserver.settle import answer_of, as_it_stands, settle, undo
from orchestrator.apiserver.write import Pending, Write
from orchestrator.client.protocol import Response, Verb
from orchestrator.store.protocol import Change, Result, Value

PREPARE_SECONDS = 0.005
"""Writes are prepared for so long before others have their turn."""
MAX_PIECE_WRITES = 512
"""Writes in one proposal: the disk is at work on one while the next is prepared."""
MAX_PIECES = 2
"""Of a lane, under way at once. More would only wait at the store, in front of the other lane's."""
UNANSWERED = "a write was left without an answer"


T = TypeVar("T")


class _Order(Generic[T]):
    """The writes of one request, and where its answer is waited for."""

    __slots__ = ("done", "left", "pending", "then", "trace")

    def __init__(self, pending: Sequence[Pending], then: Callable[[list[Response]], T], trace: Trace | None) -> None:
        self.pending = pending
        self.then = then
        self.trace = trace
        self.left = len(pending)
        self.done: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def answered(self) -> None:
        self.left -= 1
        if self.left:
            return
        try:
            made = self.then([one.response or failure(errors.internal(UNANSWERED)) for one in self.pending])
        except Exception as bug:
            if not self.done.done():
                self.done.set_exception(bug)
        else:
            if not self.done.done():
                self.done.set_result(made)


_Item = tuple[Pending, _Order[Any]]
_Written = tuple[_Item, Write, Change]


class _Lane:
    """Writes that wait for their piece, and the pieces under way."""

    __slots__ = ("pieces", "preparing", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[_Item] = deque()
        self.pieces = 0
        self.preparing = asyncio.Lock()
        """One piece is prepared at a time: two that take turns would both be late."""


class Writer:
    """One per server. Bounded by its callers: each waits for its answers."""

    def __init__(self, env: Environment) -> None:
        self._env = env
        self._single = _Lane()
        """What was asked by itself."""
        self._bulk = _Lane()

    async def write(self, pending: Sequence[Pending], *, single: bool = False) -> list[Response]:
        """The answers, in order. ``single``: it was no part of a batch."""
        return await self.order(pending, list, single=single) if pending else []

    def order(
        self, pending: Sequence[Pending], then: Callable[[list[Response]], T], *, single: bool = False
    ) -> asyncio.Future[T]:
        """What ``then`` makes of the answers, which come in order. ``pending`` is not empty."""
        assert pending, "who writes nothing has its answer"
        lane = self._single if single else self._bulk
        order = _Order(pending, then, self._env.context.cause)
        idle = not lane.waiting
        lane.waiting.extend([(one, order) for one in pending])
        if idle and lane.pieces < MAX_PIECES:
            self._env.context.task(self._turn(lane), "writes")
        return order.done

    async def _turn(self, lane: _Lane) -> None:
        """All that is asked until the loop comes round, as far as there is room."""
        await asyncio.sleep(0)
        while lane.waiting and lane.pieces < MAX_PIECES:
            piece = [lane.waiting.popleft() for _ in range(min(len(lane.waiting), MAX_PIECE_WRITES))]
            lane.pieces += 1
            self._env.context.task(self._piece(lane, piece), "writes")

    async def _piece(self, lane: _Lane, left: list[_Item]) -> None:
        await self._rounds(lane, left)
        lane.pieces -= 1
        if lane.waiting:
            self._env.context.task(self._turn(lane), "writes")

    async def _rounds(self, lane: _Lane, left: list[_Item]) -> None:
        """Until every write of the piece is answered."""
        while left:
            now, later = _first_of_each_key(left)
            try:
                again = await self._round(lane, now)
            except Exception as bug:
                self._env.log.exception("a round of writes failed", writes=len(now))
                again = []
                for one, _ in now:
                    one.response = one.response or failure(errors.internal(str(bug)))
            left = [*again, *later]
            waiting = {id(one) for one, _ in again}
            for one, order in now:
                if id(one) not in waiting:
                    order.answered()

    async def _round(self, lane: _Lane, now: list[_Item]) -> list[_Item]:
        """Prepare and commit; returns those that must go again."""
        env = self._env
        monotonic = env.clock.monotonic
        values = await _read(env, [one for one, _ in now])
        async with lane.preparing:
            began = monotonic()
            for one, _ in now:
                _prepare(env, one, values)
                if monotonic() - began >= PREPARE_SECONDS:
                    await asyncio.sleep(0)
                    began = monotonic()
        await charge_quotas(env, [one for one, _ in now if one.write])
        unsure = [item for item in now if not item[0].write and not item[0].response]
        return unsure + await _commit(env, [item for item in now if item[0].write and not item[0].response])


def _first_of_each_key(left: list[_Item]) -> tuple[list[_Item], list[_Item]]:
    seen: set[str] = set()
    now: list[_Item] = []
    later: list[_Item] = []
    for item in left:
        key = item[0].key
        if key in seen:
            later.append(item)
        else:
            now.append(item)
            if not key.endswith("/"):
                seen.add(key)
    return now, later


async def _read(env: Environment, now: list[Pending]) -> dict[str, Value]:
    """What the writes are made from: what is known to stand, the rest from the store."""
    values: dict[str, Value] = {}
    keys: dict[str, None] = {}
    needs: dict[Need | None, None] = {}
    for one in now:
        one.remembered = False
        dry = one.call.options.dry_run
        if one.call.verb != Verb.CREATE or one.call.subresource or dry:
            standing = None if one.attempts or dry else env.standing.get(one.key)
            if standing is None:
                keys[one.key] = None
            else:
                values[one.key] = standing
                one.remembered = True
        needs[need_of(one.call)] = None
    for need in needs:
        if need is not None:
            keys.update(dict.fromkeys(keys_needed(env, need)))
    if not keys:
        return values
    for value in (await env.storage.get(list(keys))).values:
        if value is not None:
            values[value.key] = value
            env.standing.put(value)
            env.mirror.put(value.key, value.parts, value.mod_revision)
    return values


def _prepare(env: Environment, one: Pending, values: dict[str, Value]) -> None:
    """Its change; neither change nor answer when only a fresh look at the store can tell."""
    one.write = None
    one.attempts += 1
    one.call.warnings.clear()
    try:
        write = one.prepare(env, one.call, values.get(one.key))
    except errors.StatusError as error:
        if not one.remembered:
            one.response = failure(error, one.call.warnings)
    except Exception as bug:
        env.log.exception("a write handler failed", verb=str(one.call.verb), key=one.key)
        one.response = failure(errors.internal(str(bug)))
    else:
        if one.remembered and (write.change is None or one.call.options.dry_run):
            undo(write)
        else:
            write.view = env.ranges.view
            one.write = write


async def _commit(env: Environment, ready: list[_Item]) -> list[_Item]:
    others: list[_Written] = []
    taking: list[_Written] = []
    for item in ready:
        one, order = item
        write = one.write
        assert write is not None
        if write.change is None or one.call.options.dry_run:
            undo(write)
            one.response = answer_of(one, write, as_it_stands(write))
        else:
            change = _with_cause(write.change, cause_of(order.trace, one.call.identity.user, one.call.request.cause))
            (taking if write.undo is not None else others).append((item, write, change))
    again = await _send(env, others, lambda changes: _commit_each(env, changes)) if others else []
    if taking:
        views = [write.view for _, write, _ in taking]
        again += await _send(env, taking, lambda changes: env.ranges.commit(list(zip(views, changes, strict=True))))
    return again


async def _commit_each(env: Environment, changes: list[Change]) -> Sequence[Result | None]:
    return await env.storage.commit(await env.events.attach(env.storage, changes, env.clock.time()))


async def _send(
    env: Environment, written: list[_Written], commit: Callable[[list[Change]], Awaitable[Sequence[Result | None]]]
) -> list[_Item]:
    """Commit and settle; returns those that must go again."""
    try:
        results = await commit([change for _, _, change in written])
    except errors.StatusError as error:
        for (one, _), write, _ in written:
            undo(write)
            env.standing.drop(one.key)
            one.response = failure(error)
        return []
    return [
        item
        for (item, write, change), result in zip(written, results, strict=True)
        if settle(env, item[0], write, change, result)
    ]


def _with_cause(change: Change, cause: bytes) -> Change:
    return Change(change.key, change.parts, change.expect, change.fields, change.lease, cause)
