"""What every store promises, whatever its log: each function takes a running store and asserts one promise.

``Made`` gives the store's ref, the system that it runs in, and a way to stop and start it again over the same log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from actors import Actor, Ref, Refused, System
from orchestrator.store.protocol import (
    Batch,
    Change,
    Changes,
    Compact,
    Compare,
    Get,
    LeaseGrant,
    LeaseKeepAlive,
    LeaseRevoke,
    Outcome,
    Range,
    Refusal,
    Relation,
    StoreStatus,
    Target,
    Txn,
    Unwatch,
    Watch,
    WatchCredit,
    WatchEnded,
)

WAIT_SECONDS = 5.0


@dataclass
class Made:
    system: System
    store: Ref[Any]
    restart: Callable[[], Awaitable[None]]


class Subscriber(Actor):
    """Keeps what it is told, for the test to look at."""

    def __init__(self, frames: asyncio.Queue[Any]) -> None:
        self._frames = frames

    async def receive(self, message: Any) -> None:
        self._frames.put_nowait(message)


class Seen:
    """The frames of one subscriber."""

    def __init__(self, ref: Ref[Any], frames: asyncio.Queue[Any]) -> None:
        self.ref = ref
        self._frames = frames

    async def frame(self) -> Any:
        return await asyncio.wait_for(self._frames.get(), WAIT_SECONDS)

    async def events(self, count: int) -> list[tuple[str, str, int]]:
        """The next ``count`` events, as what happened, key and revision."""
        found: list[tuple[str, str, int]] = []
        while len(found) < count:
            frame = await self.frame()
            assert isinstance(frame, Changes), f"expected changes, found {frame}"
            for event in frame.events:
                what = "deleted" if event.deleted else "created" if event.created else "changed"
                found.append((what, event.value.key, event.value.mod_revision))
        return found

    def quiet(self) -> bool:
        return self._frames.empty()


async def subscribe(made: Made) -> Seen:
    frames: asyncio.Queue[Any] = asyncio.Queue()
    return Seen(await made.system.spawn(Subscriber, frames), frames)


def put(key: str, *parts: bytes | None, **options: Any) -> Change:
    return Change(key, parts or (b"meta", b"status", b"rest"), **options)


async def write(made: Made, *changes: Change, request_id: str = "") -> Any:
    return await made.store.ask(Batch(list(changes), request_id))


async def keys(made: Made, prefix: str = "", **query: Any) -> list[str]:
    return [value.key for value in (await made.store.ask(Range(prefix, **query))).values]


async def refusal(asked: Awaitable[Any]) -> str:
    with pytest.raises(Refused) as caught:
        await asked
    return caught.value.code


async def a_write_that_is_answered_can_be_read(made: Made) -> None:
    await write(made, put("a/1", b"m", b"s", b"r"))
    reply = await made.store.ask(Get(["a/1", "a/2"]))
    assert [value and value.parts for value in reply.values] == [(b"m", b"s", b"r"), None]


async def each_change_of_a_batch_has_its_own_outcome(made: Made) -> None:
    await write(made, put("a/1"))
    reply = await write(made, put("a/1", expect=0), put("a/2"), Change("a/9", None))
    assert [result.outcome for result in reply.results] == [Outcome.CONFLICT, Outcome.DONE, Outcome.MISSING]


async def of_many_who_expect_the_same_revision_one_succeeds(made: Made) -> None:
    await write(made, put("a/1"))
    replies = await asyncio.gather(*[write(made, put("a/1", b"%d" % i, expect=1)) for i in range(20)])
    outcomes = [reply.results[0].outcome for reply in replies]
    assert outcomes.count(Outcome.DONE) == 1
    assert outcomes.count(Outcome.CONFLICT) == 19


async def a_transaction_is_all_or_nothing(made: Made) -> None:
    reply = await made.store.ask(Txn([], [put("a/1"), put("a/2", expect=5)]))
    assert not reply.succeeded
    assert await keys(made) == []
    reply = await made.store.ask(Txn([Compare("a/1", Target.VERSION, Relation.EQUAL, 0)], [put("a/1"), put("a/2")]))
    assert reply.succeeded
    assert {result.revision for result in reply.results} == {reply.revision}


async def a_transaction_that_names_a_key_twice_is_invalid(made: Made) -> None:
    assert await refusal(made.store.ask(Txn([], [put("a/1"), put("a/1")]))) == "invalid"


async def a_retried_proposal_is_applied_once(made: Made) -> None:
    first = await write(made, put("a/1"), request_id="r")
    assert await write(made, put("a/1"), request_id="r") == first


async def a_list_is_paged_at_one_revision(made: Made) -> None:
    await write(made, *[put(f"p/{i}") for i in range(5)])
    first = await made.store.ask(Range("p/", limit=2))
    await write(made, put("p/3", b"new"), Change("p/4", None))
    second = await made.store.ask(Range("p/", after="p/1", limit=9, revision=first.revision))
    assert (first.more, first.count) == (True, 5)
    assert [(value.key, value.mod_revision) for value in second.values] == [("p/2", 3), ("p/3", 4), ("p/4", 5)]


async def a_range_is_filtered_by_fields(made: Made) -> None:
    await write(made, put("p/1", fields={"node": "a"}), put("p/2", fields={"node": "b"}))
    assert await keys(made, "p/", fields={"node": "b"}) == ["p/2"]


async def a_future_revision_is_refused(made: Made) -> None:
    assert await refusal(made.store.ask(Range("", revision=9))) == "future"
    assert await refusal(made.store.ask(Get(["a"], revision=9))) == "future"


async def a_compacted_revision_is_refused(made: Made) -> None:
    await write(made, put("a/1", b"1"), put("a/1", b"2"), put("a/1", b"3"))
    await made.store.ask(Compact(2))
    assert await refusal(made.store.ask(Range("", revision=1))) == "compacted"
    [then] = (await made.store.ask(Get(["a/1"], revision=2))).values
    assert then is not None
    assert then.parts == (b"2",)
    seen = await subscribe(made)
    assert await refusal(made.store.ask(Watch(seen.ref, revision=1))) == "compacted"


async def a_watch_sees_every_change_once_in_order(made: Made) -> None:
    seen = await subscribe(made)
    await made.store.ask(Watch(seen.ref, prefix="a/"))
    await write(made, put("a/1"), put("b/1"), put("a/1"), Change("a/1", None))
    assert await seen.events(3) == [("created", "a/1", 1), ("changed", "a/1", 3), ("deleted", "a/1", 4)]
    assert seen.quiet()


async def a_watch_begins_at_an_old_revision(made: Made) -> None:
    await write(made, put("a/1"), put("a/2"), put("a/3"))
    seen = await subscribe(made)
    await made.store.ask(Watch(seen.ref, prefix="a/", revision=1, tag="mine"))
    await write(made, put("a/4"))
    assert [revision for _, _, revision in await seen.events(3)] == [2, 3, 4]


async def a_batch_comes_as_one_frame(made: Made) -> None:
    seen = await subscribe(made)
    await made.store.ask(Watch(seen.ref, prefix="a/", tag="mine"))
    reply = await write(made, *[put(f"a/{i:03}") for i in range(500)])
    frame = await seen.frame()
    assert (len(frame.events), frame.revision, frame.tag) == (500, reply.revision, "mine")


async def watchers_of_the_same_get_the_same(made: Made) -> None:
    watchers = [await subscribe(made) for _ in range(3)]
    for seen in watchers:
        await made.store.ask(Watch(seen.ref, prefix="a/"))
    await write(made, put("a/1", b"x", fields={"node": "n"}))
    frames = [await seen.frame() for seen in watchers]
    assert [frame.events[0].value.parts for frame in frames] == [(b"x",)] * 3
    assert len({frame.watch for frame in frames}) == 3


async def a_watch_of_one_key_sees_no_other(made: Made) -> None:
    seen = await subscribe(made)
    await made.store.ask(Watch(seen.ref, key="a/1"))
    await write(made, put("a/11"), put("a/1"), put("a"))
    assert await seen.events(1) == [("created", "a/1", 2)]
    assert seen.quiet()


async def a_value_enters_and_leaves_a_watch_by_its_fields(made: Made) -> None:
    seen = await subscribe(made)
    await made.store.ask(Watch(seen.ref, prefix="p/", fields={"node": "a"}, previous=True))
    await write(made, put("p/1", b"0"), put("p/1", b"1", fields={"node": "a"}))
    await write(made, put("p/1", b"2"), put("p/1", b"3", fields={"node": "b"}))
    assert await seen.events(3) == [("created", "p/1", 2), ("changed", "p/1", 3), ("deleted", "p/1", 4)]


async def a_watch_gives_the_value_before_when_asked(made: Made) -> None:
    seen = await subscribe(made)
    await made.store.ask(Watch(seen.ref, prefix="p/", previous=True))
    await write(made, put("p/1", b"0"), put("p/1", b"1"))
    frame = await seen.frame()
    assert frame.events[0].previous is None
    assert frame.events[1].previous.parts == (b"0",)


async def a_watcher_without_credit_waits(made: Made) -> None:
    seen = await subscribe(made)
    watch = (await made.store.ask(Watch(seen.ref, prefix="a/", credit=1))).watch
    await write(made, put("a/1"))
    await write(made, put("a/2"))
    await write(made, put("a/3"))
    assert await seen.events(1) == [("created", "a/1", 1)]
    assert seen.quiet()
    await made.store.tell(WatchCredit(watch, 1))
    frame = await seen.frame()
    assert [event.value.key for event in frame.events] == ["a/2", "a/3"]


async def a_slow_watcher_is_ended_and_told_so(made: Made) -> None:
    seen, other = await subscribe(made), await subscribe(made)
    await made.store.ask(Watch(seen.ref, prefix="a/", credit=0, tag="slow"))
    await made.store.ask(Watch(other.ref, prefix="a/"))
    changes = [put(f"a/{number}", b"x") for number in range(4096)]
    for _ in range(5):
        await made.store.ask(Batch(changes), timeout=60)
    frame = await seen.frame()
    assert isinstance(frame, WatchEnded)
    assert (frame.reason, frame.tag) == (Refusal.SLOW, "slow")
    assert len(await other.events(5 * 4096)) == 5 * 4096


async def an_ended_watch_is_silent(made: Made) -> None:
    seen = await subscribe(made)
    watch = (await made.store.ask(Watch(seen.ref, prefix="a/"))).watch
    await made.store.tell(Unwatch(watch))
    await write(made, put("a/1"))
    assert (await made.store.ask(StoreStatus())).watches == 0
    assert seen.quiet()


async def a_dead_subscriber_ends_its_watch(made: Made) -> None:
    seen = await subscribe(made)
    await made.store.ask(Watch(seen.ref, prefix="a/"))
    made.system.kill(seen.ref.path)
    for _ in range(100):
        if (await made.store.ask(StoreStatus())).watches == 0:
            return
    raise AssertionError("the watch of a dead subscriber is still there")


async def a_revoked_lease_takes_its_keys_along(made: Made) -> None:
    lease = (await made.store.ask(LeaseGrant(60.0))).lease
    await write(made, put("a/1", lease=lease), put("a/2"))
    await made.store.ask(LeaseRevoke(lease))
    assert await keys(made) == ["a/2"]
    assert await refusal(made.store.ask(LeaseKeepAlive(lease))) == "lease"


async def a_put_on_an_unknown_lease_is_refused(made: Made) -> None:
    reply = await write(made, put("a/1", lease=99))
    assert reply.results[0].outcome is Outcome.NO_LEASE


async def a_restart_keeps_everything(made: Made) -> None:
    await write(made, put("a/1", b"m", b"s", b"r", fields={"node": "a"}, cause=b"why"), put("a/2"))
    await write(made, put("a/1", None, b"new", None), Change("a/2", None))
    before = await made.store.ask(Range(""))
    await made.restart()
    assert await made.store.ask(Range("")) == before
    assert await keys(made, revision=2) == ["a/1", "a/2"]
    seen = await subscribe(made)
    await made.store.ask(Watch(seen.ref, revision=2))
    assert await seen.events(2) == [("changed", "a/1", 3), ("deleted", "a/2", 4)]


async def revisions_go_on_after_a_restart(made: Made) -> None:
    await write(made, put("a/1"), put("a/2"))
    await made.restart()
    assert (await write(made, put("a/3"))).revision == 3


PROMISES: list[Callable[[Made], Awaitable[None]]] = [
    a_write_that_is_answered_can_be_read,
    each_change_of_a_batch_has_its_own_outcome,
    of_many_who_expect_the_same_revision_one_succeeds,
    a_transaction_is_all_or_nothing,
    a_transaction_that_names_a_key_twice_is_invalid,
    a_retried_proposal_is_applied_once,
    a_list_is_paged_at_one_revision,
    a_range_is_filtered_by_fields,
    a_future_revision_is_refused,
    a_compacted_revision_is_refused,
    a_watch_sees_every_change_once_in_order,
    a_watch_begins_at_an_old_revision,
    a_batch_comes_as_one_frame,
    watchers_of_the_same_get_the_same,
    a_watch_of_one_key_sees_no_other,
    a_value_enters_and_leaves_a_watch_by_its_fields,
    a_watch_gives_the_value_before_when_asked,
    a_watcher_without_credit_waits,
    a_slow_watcher_is_ended_and_told_so,
    an_ended_watch_is_silent,
    a_dead_subscriber_ends_its_watch,
    a_revoked_lease_takes_its_keys_along,
    a_put_on_an_unknown_lease_is_refused,
    a_restart_keeps_everything,
    revisions_go_on_after_a_restart,
]
