"""Reads of the state machine: at the current revision, or at an older one that is still kept."""

from __future__ import annotations

from bisect import bisect_left
from heapq import merge

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
    """One page of a range."""
    if query.revision and query.revision != machine.revision:
        check_revision(machine, query.revision)
        return _page(query, query.revision, _old(machine, query))
    if query.fields:
        keys = machine.fields.keys(query.fields, query.prefix, query.after)
    elif query.count_only and not query.before:
        return RangeReply(machine.revision, [], count=machine.tree.count(query.prefix, query.after))
    else:
        keys = machine.tree.keys(query.prefix, query.after)
    if query.before:
        keys = keys[: bisect_left(keys, query.before)]
    more = bool(query.limit) and len(keys) > query.limit
    if query.count_only:
        return RangeReply(machine.revision, [], count=len(keys))
    live = machine.live
    values = [live[key] for key in (keys[: query.limit] if more else keys)]
    return RangeReply(machine.revision, values, more, len(keys))


def _old(machine: Machine, query: Range) -> list[Value]:
    """Everything in the range at an older revision."""
    keys = machine.tree.keys(query.prefix, query.after)
    graves = machine.history.graves(query.prefix, query.after)
    history, live, revision = machine.history, machine.live, query.revision
    values = []
    for key in merge(keys, graves) if graves else keys:
        if query.before and key >= query.before:
            break
        value = history.at(key, revision, live.get(key))
        if value is not None and (not query.fields or match(query.fields, value.fields)):
            values.append(value)
    return values


def _page(query: Range, revision: int, values: list[Value]) -> RangeReply:
    if query.count_only:
        return RangeReply(revision, [], count=len(values))
    more = bool(query.limit) and len(values) > query.limit
    return RangeReply(revision, values[: query.limit] if more else values, more, len(values))
