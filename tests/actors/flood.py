"""A producer of 100,000 tells a second, a consumer that takes a tenth of them, and what became of each message."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from actors import Actor, Mailbox, MailboxFull, Ref, System, Tell, wait

RATE = 100_000
"""Messages a second that are offered."""
TICK_SECONDS = 0.01
CONSUMER_BATCH = 100
"""Messages after which the consumer pauses for a tick: it takes 10,000 a second."""
KEYS = 64
"""For ``keep_latest``: fewer than the mailbox holds, so that only a newer one of its key replaces a message."""
PAYLOAD = b"x" * 256
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Sample(Tell):
    number: int
    key: int
    payload: bytes


class Consumer(Actor):
    """Slow on purpose; remembers how many came, the last number of each key, and what came out of order."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    async def receive(self, message: Any) -> None:
        seen = self.seen
        seen.handled += 1
        seen.disorder += message.number <= seen.last
        seen.key_disorder += message.number <= seen.by_key.get(message.key, -1)
        seen.last = message.number
        seen.by_key[message.key] = message.number
        if seen.handled % CONSUMER_BATCH == 0:
            await asyncio.sleep(TICK_SECONDS)


@dataclass
class Seen:
    handled: int = 0
    disorder: int = 0
    key_disorder: int = 0
    last: int = -1
    by_key: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    sent: int
    refused: int
    """The sender was told: ``MailboxFull``, or False."""
    seen: Seen
    dropped: int
    """As the actor's statistics say."""
    dead_letters: dict[str, int]
    grown_bytes: int
    """The most resident memory above that of the first tenth."""


async def flood(mailbox: Mailbox, seconds: float, send: Send) -> Outcome:
    """Offer ``RATE`` messages a second for ``seconds``; a sender that must wait offers fewer."""
    seen = Seen()
    memory = Memory()
    async with System() as system:
        ref: Ref[Any] = await system.spawn(Consumer, seen, mailbox=mailbox)
        held = mailbox.overflow is wait and send is tell
        sent, refused = await _produce(ref, seconds if held else math.inf, int(RATE * seconds), send, memory)
        while True:
            found = system.statistics_of(ref)
            assert found is not None
            if seen.handled + found.dropped >= sent:
                break
            await asyncio.sleep(TICK_SECONDS)
        await asyncio.sleep(10 * TICK_SECONDS)  # one more than was sent would come now
        letters = system.statistics().dead_letters
    return Outcome(sent, refused, seen, found.dropped, letters, memory.grown())


async def _produce(ref: Ref[Any], seconds: float, total: int, send: Send, memory: Memory) -> tuple[int, int]:
    """How many messages were sent, and of them not taken. A machine that is too slow takes longer for as many."""
    sent = refused = 0
    begun = time.monotonic()
    while sent < total and time.monotonic() - begun < seconds:
        for _ in range(int(RATE * TICK_SECONDS)):
            refused += not await send(ref, Sample(sent, sent % KEYS, PAYLOAD))
            sent += 1
        memory.sample(sent / total)
        ahead = begun + sent / RATE - time.monotonic()
        await asyncio.sleep(max(0.0, ahead))
    return sent, refused


Send = Callable[[Ref[Any], Sample], Awaitable[bool]]


async def tell(ref: Ref[Any], message: Sample) -> bool:
    try:
        await ref.tell(message)
    except MailboxFull:
        return False
    return True


async def tell_nowait(ref: Ref[Any], message: Sample) -> bool:
    return ref.tell_nowait(message)


class Memory:
    """Resident memory over the run: its first tenth is the baseline."""

    def __init__(self) -> None:
        self._base = self._most = 0

    def sample(self, part: float) -> None:
        now = int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES
        if part < 0.1:
            self._base = max(self._base, now)
        self._most = max(self._most, now)

    def grown(self) -> int:
        return self._most - self._base
