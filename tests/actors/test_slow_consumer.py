"""A consumer that takes a tenth of 100,000 tells a second: each policy keeps memory flat and loses count of nothing."""

from __future__ import annotations

import pytest

from actors import Mailbox, drop_newest, drop_oldest, fail, keep_latest
from actors.mailbox import Overflow, wait
from tests.actors.flood import KEYS, RATE, Outcome, Send, flood, tell, tell_nowait

GROWTH_BYTES = 8 << 20
"""What the allocator may take beyond the first tenth; the messages offered in a second are 30 MB."""

CASES = pytest.mark.parametrize(
    ("overflow", "send"),
    [
        pytest.param(wait, tell, id="wait"),
        pytest.param(wait, tell_nowait, id="wait, by tell_nowait"),
        pytest.param(fail, tell, id="fail"),
        pytest.param(drop_oldest, tell, id="drop_oldest"),
        pytest.param(drop_newest, tell, id="drop_newest"),
        pytest.param(keep_latest(lambda message: message.key), tell, id="keep_latest"),  # type: ignore[attr-defined]
    ],
)


@pytest.mark.slow
@pytest.mark.real_loop
@CASES
async def test_counts_add_up_over_a_second(overflow: Overflow, send: Send) -> None:
    """SEMANTICS 2.11"""
    check(overflow, send, await flood(Mailbox(overflow=overflow), 1.0, send))


@pytest.mark.prove
@pytest.mark.real_loop
@CASES
async def test_counts_add_up_and_memory_stays_flat_for_a_minute(overflow: Overflow, send: Send) -> None:
    """SEMANTICS 2.11"""
    outcome = await flood(Mailbox(overflow=overflow), 60.0, send)
    check(overflow, send, outcome)
    assert outcome.grown_bytes < GROWTH_BYTES, f"grew by {outcome.grown_bytes >> 10} KiB"
    print(f"sent {outcome.sent}, handled {outcome.seen.handled}, grew {outcome.grown_bytes >> 10} KiB")


def check(overflow: Overflow, send: Send, outcome: Outcome) -> None:
    seen = outcome.seen
    assert seen.handled + outcome.dropped == outcome.sent
    assert seen.key_disorder == 0
    assert seen.disorder == 0 or overflow.key is not None, "only a message that takes another's place may overtake"
    letters = sum(outcome.dead_letters.values())
    if overflow is wait and send is tell:
        assert outcome.dropped == outcome.refused == letters == 0
        assert seen.last == outcome.sent - 1
        return
    assert outcome.sent >= RATE
    assert outcome.dropped > outcome.sent // 2, "the consumer was not slow"
    if overflow in (wait, fail):
        assert outcome.refused == outcome.dropped
        assert letters == (outcome.dropped if send is tell_nowait else 0), "who is told needs no dead letter"
        return
    assert outcome.refused == 0
    assert outcome.dead_letters == {"dropped": outcome.dropped}
    if overflow is drop_newest:
        assert seen.last < outcome.sent - 1
    elif overflow is drop_oldest:
        assert seen.last == outcome.sent - 1, "the last message is never the one that is dropped"
    else:
        assert sorted(seen.by_key.values()) == list(range(outcome.sent - KEYS, outcome.sent))
