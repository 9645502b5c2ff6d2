"""One member on a machine of its own: a disk, a clock that runs a little wrong, and lives that end without warning."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from actors import Ref, Tell
from orchestrator.raft.ready import Ready
from orchestrator.raft.settings import Settings
from orchestrator.store.member import Member
from orchestrator.store.replica import Done, Replica
from orchestrator.store.watch import Watches
from orchestrator.store.wire import Wire
from tests.store.simulation.disk import SimulatedLog, Wait
from tests.store.simulation.software import Software
from tests.store.simulation.world import EPOCH_MILLISECONDS, World

TICK_MILLISECONDS = 50.0
ELECTION_TICKS = 10
LEASE_TICKS = 6
"""The most that is safe: 6 slow ticks are 360 ms, the 9 whole fast ones of who promised to elect nobody 375 ms."""
EXPIRE_MILLISECONDS = 300.0
MAX_SKEW = 1.2
"""How much faster or slower than real time a clock may run."""


class _Observed(Member):
    """A member that shows what it applied."""

    observe: Callable[[Done], None]
    extended: Callable[[int, int], None]
    restored: Callable[[], None]

    def _seen(self, ready: Ready, done: Done) -> None:
        self.observe(done)
        super()._seen(ready, done)

    def _extend(self, number: int) -> int:
        ttl = super()._extend(number)
        if ttl:
            self.extended(number, ttl)
        return ttl

    def _on_restored(self) -> None:
        self.restored()
        super()._on_restored()


class Node:
    """Tells its universe what happens: ``applied`` (node, what was), ``extended`` (node, lease, milliseconds), ``led``
    (node) when it has become the leader of a term, ``told`` (subscriber, frame) of its watches.
    """

    def __init__(
        self,
        world: World,
        number: int,
        founders: tuple[int, ...],
        software: Software,
        *,
        leases: bool,
        send: Callable[[Wire], None],
        applied: Callable[[Node, Done], None],
        extended: Callable[[Node, int, int], None],
        led: Callable[[Node], None],
        told: Callable[[Ref[Any], Tell], bool],
    ) -> None:
        draw = world.random
        self.number = number
        self.software = software
        self.log = SimulatedLog(draw, world.tally, software.format)
        self.life = 0
        self.up = False
        self.paused = False
        self.snapshot_due = False
        self._world = world
        self._founders = founders if number in founders else ()
        self._leases = leases
        self._send = send
        self._applied = applied
        self._extended = extended
        self._led_by = led
        self._told = told
        self._rate = draw.choice([1 / MAX_SKEW, MAX_SKEW, draw.uniform(1 / MAX_SKEW, MAX_SKEW)])
        if abs(self._rate - 1) > 0.02:
            world.tally.happened("fast clock" if self._rate > 1 else "slow clock")
        self._offset = draw.uniform(0.0, 1000.0)
        self._append_bytes = draw.choice([1, 1, 500, 1 << 20])
        self._kept = draw.choice([4, 30, 1000])
        self._coroutine: Coroutine[Wait, None, None] | None = None
        self._again = False
        self._backlog: list[Callable[[], None]] = []
        self._led = 0
        self.member: _Observed

    @property
    def ready(self) -> bool:
        return self.up and not self.paused

    def seconds(self) -> float:
        return self._offset + self._world.now * self._rate / 1000

    def milliseconds(self) -> int:
        return EPOCH_MILLISECONDS + round(self._world.now)

    # Lives

    def start(self) -> None:
        """Raises ``UnknownFormat`` when newer software has been here."""
        self.life += 1
        self._again = False
        settings = Settings(
            self.number,
            self._founders,
            self._world.random.randrange,
            ELECTION_TICKS,
            heartbeat_ticks=2,
            append_bytes=self._append_bytes,
            lease_ticks=LEASE_TICKS if self._leases else 0,
        )
        self._replica = Replica(self.log, settings, self._send, kept_entries=self._kept)
        self.watches = Watches(self._told, partial(self._tell_again, self.life))
        self.member = _Observed(
            self._replica,
            send=self._send,
            now=self.seconds,
            name=f"{self.number}.{self.life}",
            watches=self.watches,
            tick_seconds=TICK_MILLISECONDS / 1000,
        )
        self.log.software = self.software.format
        self.member.restored = lambda: self._world.tally.happened("snapshot installed")
        self.member.observe = lambda done: self._applied(self, done)
        self.member.extended = lambda lease, ttl: self._extended(self, lease, ttl)
        self._coroutine = self._open()
        self._resume(self.life)

    def crash(self) -> None:
        if self._coroutine is not None:
            self._coroutine.close()
            self._coroutine = None
        self.up = self.paused = False
        self.life += 1
        self._backlog.clear()
        self.log.crash()

    def pause(self) -> None:
        self.paused = True

    def go_on(self) -> None:
        self.paused = False
        backlog, self._backlog = self._backlog, []
        self._world.random.shuffle(backlog)  # they came over many connections, and the clock is one more
        for action in backlog:
            action()

    # Inputs

    def receive(self, message: Wire) -> None:
        if self.paused:
            self._backlog.append(lambda: self.receive(message))
        elif self.up:
            self.member.receive(message)
            self.kick()

    def do(self, action: Callable[[], None]) -> None:
        """Let the member do something, when it is there and not stopped."""
        if not self.up:
            return
        if self.paused:
            self._backlog.append(lambda: self.do(action))
            return
        action()
        self.kick()

    def kick(self) -> None:
        if self._coroutine is not None:
            self._again = True
        elif self.up:
            self._coroutine = self._work()
            self._resume(self.life)

    # Time

    def _tick(self, life: int) -> None:
        if life == self.life:
            self.do(self.member.catch_up)
            self._world.after(TICK_MILLISECONDS / self._rate, self._tick, life)

    def _expire(self, life: int) -> None:
        if life == self.life:
            self.do(lambda: self.member.expire(self.milliseconds()))
            self._world.after(EXPIRE_MILLISECONDS, self._expire, life)

    def _tell_again(self, life: int, seconds: float) -> None:
        def retry() -> None:
            if life == self.life:
                self.do(self.watches.retry)

        self._world.after(seconds * 1000, retry)

    # The one task

    async def _open(self) -> None:
        await self.member.open()
        self.up = True
        self._world.after(self._world.random.random() * TICK_MILLISECONDS, self._tick, self.life)
        self._world.after(EXPIRE_MILLISECONDS, self._expire, self.life)

    async def _work(self) -> None:
        busy = True
        while busy:
            busy = await self.member.perform()
            raft = self._replica.raft
            if self.member.leads and raft.term != self._led:
                self._led = raft.term
                self._led_by(self)
            if self.snapshot_due and self._replica.applied > 0 and not self._replica.restoring:
                self.snapshot_due = False
                await self._replica.snapshot()

    def _resume(self, life: int) -> None:
        if life != self.life:
            return
        if self.paused:
            self._backlog.append(lambda: self._resume(life))
            return
        coroutine = self._coroutine
        assert coroutine is not None
        try:
            wait = coroutine.send(None)
        except StopIteration:
            self._coroutine = None
            if self._again:
                self._again = False
                self.kick()
        else:
            self._world.after(wait.milliseconds, self._resume, life)
