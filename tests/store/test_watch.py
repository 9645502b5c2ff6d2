"""What becomes of frames that a watcher's mailbox does not take."""

from __future__ import annotations

from typing import Any, cast

from actors import Ref
from orchestrator.store.commands import Write
from orchestrator.store.machine import Machine
from orchestrator.store.protocol import Change, Changes, Refusal, Watch, WatchEnded
from orchestrator.store.watch import AGAIN_SECONDS, MAX_AGAIN_SECONDS, Watches


class Subscriber:
    """Stands for a mailbox; ``full``: it takes nothing."""

    def __init__(self) -> None:
        self.full = False
        self.ref = cast(Ref[Any], self)
        self.got: list[Changes | WatchEnded] = []
        self.again: list[float] = []
        self.watches = Watches(self._take, self.again.append)
        self.machine = Machine()
        self.number = self.watches.open(Watch(self.ref, prefix="", credit=4), 0, [])

    def _take(self, subscriber: Ref[Any], message: Changes | WatchEnded) -> bool:
        if not self.full:
            self.got.append(message)
        return not self.full

    def put(self, key: str) -> None:
        applied = self.machine.apply(Write(0, [Change(key, (b"1",))]))
        self.watches.publish(applied.records, self.machine.revision)

    def revisions(self) -> list[int]:
        return [message.revision for message in self.got if isinstance(message, Changes)]


def test_what_a_full_mailbox_did_not_take_is_sent_a_moment_later() -> None:
    one = Subscriber()
    one.full = True
    one.put("a")
    one.put("b")
    assert (one.got, one.again) == ([], [AGAIN_SECONDS])
    one.full = False
    one.watches.retry()
    assert (one.revisions(), one.again) == ([2], [AGAIN_SECONDS])
    one.put("c")
    assert one.revisions() == [2, 3]


def test_a_mailbox_that_stays_full_is_tried_less_and_less_often() -> None:
    one = Subscriber()
    one.full = True
    one.put("a")
    for _ in range(9):
        one.watches.retry()
    assert one.again[:4] == [AGAIN_SECONDS, 2 * AGAIN_SECONDS, 4 * AGAIN_SECONDS, 8 * AGAIN_SECONDS]
    assert one.again[-1] == MAX_AGAIN_SECONDS
    one.full = False
    one.watches.retry()
    one.full = True
    one.put("b")
    assert one.again[-1] == AGAIN_SECONDS


def test_that_a_watch_is_over_is_told_when_the_mailbox_has_room() -> None:
    one = Subscriber()
    one.full = True
    one.watches.end_all(Refusal.STOPPED, "the store stops")
    assert (len(one.watches), one.got) == (0, [])
    one.full = False
    one.watches.retry()
    assert [type(message) for message in one.got] == [WatchEnded]


def test_who_is_gone_is_not_tried_again() -> None:
    one = Subscriber()
    one.full = True
    one.watches.end_all(Refusal.STOPPED, "the store stops")
    one.watches.close_subscriber(one.ref)
    one.full = False
    one.watches.retry()
    assert one.got == []
