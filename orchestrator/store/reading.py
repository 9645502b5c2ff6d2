"""Reads of the state machine: at the current revision, or at an older one that is still kept."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from heapq import merge
from itertools import islice

from orchestrator.store.fields import match
from orchestrator.store.machine import Machine
from orchestrator.store.protocol import Get, GetReply, Range, RangeReply, Refusal, Value


class Unreadable(Exception):
    """The revision asked for is no longer, or not yet, to be had."""

    def __init__(self, refusal: Refusal, asked: int, limit: int) -> None:
        if refusal is Refusal.FUTURE:
            message = f"revision {asked} is in the future: the current one is {limit}"
        else:
            message = f"revision {asked} is compacted: the oldest that is kept is {limit}"
        super().__init__(message)
        self.refusal = refusal
        self.asked = asked
        self.limit = limit


def check_revision(machine: Machine, revision: int) -> None:
    """Raises ``Unreadable`` for a revision outside what is kept."""
    if revision > machine.revision:
        raise Unreadable(Refusal.FUTURE, revision, machine.revision)
    if revision < machine.history.compacted:
        raise Unreadable(Refusal.COMPACTED, revision, machine.history.compacted)


def get(machine: Machine, query: Get) -> GetReply:
    if not query.revision or query.revision == machine.revision:
        return GetReply(machine.revision, [machine.live.get(key) for key in query.keys])
    check_revision(machine, query.revision)
    history, live = machine.history, machine.live
    return GetReply(query.revision, [history.at(key, query.revision, live.get(key)) for key in query.keys])


def read(machine: Machine, query: Range) -> RangeReply:
    """One page of a range: it costs its own keys, whatever else is in the range."""
    revision = query.revision or machine.revision
    check_revision(machine, revision)
    if query.fields:
        return _page(query, revision, _matching(machine, query, revision))
    if query.count_only:
        return RangeReply(revision, [], count=_count(machine, query, revision))
    values = list(islice(_standing(machine, query, revision), query.limit + 1 if query.limit else None))
    if not query.limit or len(values) <= query.limit:
        return RangeReply(revision, values, count=len(values))
    del values[query.limit :]
    return RangeReply(revision, values, True, _count(machine, query, revision))


def _standing(machine: Machine, query: Range, revision: int) -> Iterator[Value]:
    """What is in the range at ``revision``, in order of keys."""
    live = machine.live
    keys = machine.tree.between(query.prefix, query.after, query.before)
    if revision == machine.revision:
        return (live[key] for key in keys)
    history = machine.history
    keys = merge(keys, history.graves(query.prefix, query.after, query.before))
    stood = (history.at(key, revision, live.get(key)) for key in keys)
    return (value for value in stood if value is not None)


def _count(machine: Machine, query: Range, revision: int) -> int:
    now = machine.tree.count(query.prefix, query.after, query.before)
    if revision == machine.revision:
        return now
    return now - machine.history.grown(revision, query.prefix, query.after, query.before)


def _matching(machine: Machine, query: Range, revision: int) -> list[Value]:
    """Everything in the range at ``revision`` that carries the fields: by the index, or by looking at all of it."""
    if revision != machine.revision:
        return [value for value in _standing(machine, query, revision) if match(query.fields, value.fields)]
    keys = machine.fields.keys(query.fields, query.prefix, query.after)
    if query.before:
        keys = keys[: bisect_left(keys, query.before)]
    return [machine.live[key] for key in keys]


def _page(query: Range, revision: int, values: list[Value]) -> RangeReply:
    if query.count_only:
        return RangeReply(revision, [], count=len(values))
    more = bool(query.limit) and len(values) > query.limit
    return RangeReply(revision, values[: query.limit] if more else values, more, len(values))
