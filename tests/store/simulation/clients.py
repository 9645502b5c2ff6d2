"""Clients that put, compare, delete and read, one thing after the other, and remember what they were answered.

A client that gets no answer asks another member: a write with the same request id, so it may happen once only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.store.commands import Command, CompactTo, Grant, Transact, Write
from orchestrator.store.machine import Applied, Denied
from orchestrator.store.member import Lost
from orchestrator.store.protocol import BatchReply, Change, Get, LeaseReply, Outcome, Result, TxnReply
from orchestrator.store.reading import get
from tests.store.simulation.node import Node
from tests.store.simulation.world import World

KEYS = ("a/1", "a/2", "b/1", "b/2")
PATIENCE_MILLISECONDS = 900.0
HASTE_MILLISECONDS = 100.0
"""The patience of who is there to see one moment."""
MAX_TRIES = 4


@dataclass(slots=True)
class Operation:
    """What a client asked. ``ended`` None: it got no answer. ``results``: of each change, or of each key read."""

    client: int
    what: str
    keys: tuple[str, ...]
    values: tuple[bytes | None, ...]
    """What is written (None: a delete)."""
    expected: tuple[int | None, ...]
    began: float
    ended: float | None = None
    revision: int = 0
    results: list[tuple[str, int, bytes | None]] = field(default_factory=list)
    """Outcome, mod revision, and for a read the value."""


@dataclass(slots=True)
class Renewal:
    """A lease that was granted or was to be kept alive: when asked, and answered (None: it may be or not)."""

    lease: int
    ttl: float
    began: float
    ended: float | None
    granted: bool


class Place(Protocol):
    """What a client sees of the universe."""

    world: World
    operations: list[Operation]
    renewals: list[Renewal]
    quiet: bool
    """Whether clients only read."""
    tries: int
    """How often a client proposes a write, with one id."""

    def some_node(self) -> Node | None:
        """One that takes connections."""


READS = 0.35
"""The chance that a client reads next."""


class Client:
    def __init__(
        self, place: Place, number: int, *, choose: Callable[[], Node | None] | None = None, reads: float = READS
    ) -> None:
        """``choose``: which member it asks, one after the other without a pause, instead of any."""
        self._place = place
        self._world = place.world
        self._draw = place.world.random
        self._number = number
        self._choose = choose or place.some_node
        self._reads = reads
        self._patience = HASTE_MILLISECONDS if choose else PATIENCE_MILLISECONDS
        self._count = 0
        self._known: dict[str, int] = {}
        # Mod revisions as this client saw them last.
        self._haste = 10.0 if choose else self._draw.choice([10.0, 40.0, 150.0])
        self.stopped = False
        self._world.after(self._draw.random() * 100, self._next)

    def _next(self) -> None:
        if not self.stopped:
            chance = self._draw.random()
            if chance < self._reads or self._place.quiet:
                self._read()
            elif chance < 0.97:
                self._write()
            else:
                self._compact()

    def _later(self) -> None:
        self._world.after(self._draw.random() * self._haste, self._next)

    # Writes

    def _write(self) -> None:
        draw = self._draw
        count = 1 if draw.random() < 0.8 else 2
        keys = tuple(draw.sample(KEYS, count))
        values = tuple(None if draw.random() < 0.12 else self._fresh() for _ in keys)
        compared = draw.random() < 0.35
        expected = tuple(self._known.get(key, 0) if compared else None for key in keys)
        atomic = count > 1 and draw.random() < 0.5
        operation = Operation(self._number, "txn" if atomic else "write", keys, values, expected, self._world.now)
        self._place.operations.append(operation)
        changes = [
            Change(key, None if value is None else (value,), expect)
            for key, value, expect in zip(keys, values, expected, strict=True)
        ]
        self._count += 1
        request = f"c{self._number}.{self._count}"
        at = round(self._world.now)
        command = Transact(at, [], changes, [], request) if atomic else Write(at, changes, request)
        self._try_write(operation, command, 1)

    def _fresh(self) -> bytes:
        self._count += 1
        return b"%d.%d" % (self._number, self._count)

    def _try_write(self, operation: Operation, command: Command, tries: int) -> None:
        node = self._choose()

        def again() -> None:
            if operation.ended is None and not settled:
                settled.append(True)
                if tries < self._place.tries and not self.stopped:
                    self._world.tally.happened("client retried")
                    self._try_write(operation, command, tries + 1)
                else:
                    self._later()

        def answer(result: Applied | Lost) -> None:
            if operation.ended is not None:
                return
            if isinstance(result, Lost):
                self._world.after(20.0, again)
                return
            self._finish(operation, result)
            if not settled:
                settled.append(True)
                self._later()

        settled: list[bool] = []
        self._world.after(self._patience, again)
        if node is not None:
            node.do(lambda: node.member.propose(command, answer))

    def _finish(self, operation: Operation, applied: Applied) -> None:
        reply = applied.reply
        assert isinstance(reply, BatchReply | TxnReply), f"a write is answered with {reply}"
        operation.ended = self._world.now
        operation.revision = reply.revision
        for key, result in zip(operation.keys, reply.results, strict=True):
            operation.results.append((result.outcome.name, result.revision, None))
            self._learn(key, result)

    def _learn(self, key: str, result: Result) -> None:
        if result.outcome in (Outcome.DONE, Outcome.CONFLICT):
            self._known[key] = result.revision

    def _compact(self) -> None:
        node = self._choose()
        if node is not None and node.up:
            revision = max(1, node.member.replica.machine.revision - self._draw.choice([0, 2, 10]))
            node.do(lambda: node.member.propose(CompactTo(round(self._world.now), revision), None))
        self._later()

    # Reads

    def _read(self) -> None:
        keys = tuple(self._draw.sample(KEYS, self._draw.choice([1, 1, 2])))
        operation = Operation(self._number, "read", keys, (None,) * len(keys), (None,) * len(keys), self._world.now)
        self._place.operations.append(operation)
        self._try_read(operation, 1)

    def _try_read(self, operation: Operation, tries: int) -> None:
        node = self._choose()
        settled: list[bool] = []

        def again() -> None:
            if operation.ended is None and not settled:
                settled.append(True)
                if tries < MAX_TRIES and not self.stopped:
                    self._try_read(operation, tries + 1)
                else:
                    self._later()

        def answer(confirmed: bool) -> None:
            if operation.ended is not None:
                return
            if not confirmed:
                self._world.after(20.0, again)
                return
            assert node is not None
            if self._world.now == operation.began and not node.member.replica.alone and node.member.leads:
                self._world.tally.happened("read by lease")
            reply = get(node.member.replica.machine, Get(list(operation.keys)))
            operation.ended = self._world.now
            operation.revision = reply.revision
            for key, value in zip(operation.keys, reply.values, strict=True):
                revision = value.mod_revision if value is not None else 0
                self._known[key] = revision
                operation.results.append(("READ", revision, value.parts[0] if value is not None else None))
            if not settled:
                settled.append(True)
                self._later()

        self._world.after(self._patience, again)
        if node is not None:
            node.do(lambda: _confirm(node, answer))


class Passing(Client):
    """Comes to ask one member, or one kind of member, without a pause, and goes at ``end``."""

    def __init__(self, place: Place, number: int, choose: Callable[[], Node | None], reads: float, end: float) -> None:
        super().__init__(place, number, choose=choose, reads=reads)
        self._end = end

    def _next(self) -> None:
        self.stopped = self.stopped or self._world.now > self._end
        super()._next()


def _confirm(node: Node, answer: object) -> None:
    node.member.catch_up()
    node.member.read(answer)  # type: ignore[arg-type]


class Holder:
    """Keeps a lease alive, sometimes too late, and hangs a key on it."""

    def __init__(self, place: Place, number: int) -> None:
        self._place = place
        self._world = place.world
        self._draw = place.world.random
        self._number = number
        self._ttl = self._draw.choice([600.0, 1500.0])
        self._count = 0
        self.stopped = False
        self._world.after(self._draw.random() * 500, self._grant)

    def _grant(self) -> None:
        node = self._place.some_node()
        if self.stopped:
            return
        began = self._world.now
        answered: list[bool] = []

        def answer(applied: Applied | Lost) -> None:
            if answered or not isinstance(applied, Applied):
                return
            answered.append(True)
            if isinstance(applied.reply, Denied) or not isinstance(applied.reply, LeaseReply):
                self._world.after(200.0, self._grant)
                return
            lease = applied.reply.lease
            self._place.renewals.append(Renewal(lease, self._ttl, began, self._world.now, True))
            self._hang(lease)
            self._wait(lease)

        def give_up() -> None:
            if not answered:
                answered.append(True)
                self._grant()

        self._world.after(2 * PATIENCE_MILLISECONDS, give_up)
        if node is not None:
            node.do(lambda: node.member.propose(Grant(round(began), round(self._ttl)), answer))

    def _hang(self, lease: int) -> None:
        node = self._place.some_node()
        if node is not None:
            change = Change(f"lease/{self._number}", (b"held",), lease=lease)
            node.do(lambda: node.member.propose(Write(round(self._world.now), [change]), None))

    def _wait(self, lease: int) -> None:
        self._world.after(self._ttl * self._draw.choice([0.2, 0.5, 0.9, 1.1, 1.3]), self._renew, lease)

    def _renew(self, lease: int) -> None:
        node = self._place.some_node()
        if self.stopped:
            return
        renewal = Renewal(lease, self._ttl, self._world.now, None, False)
        self._place.renewals.append(renewal)
        answered: list[bool] = []

        def answer(ttl: int | None) -> None:
            if answered:
                return
            answered.append(True)
            if ttl == 0:
                self._place.renewals.remove(renewal)
                self._grant()
                return
            if ttl is not None:
                renewal.ended = self._world.now
            self._wait(lease)

        def give_up() -> None:
            if not answered:
                answered.append(True)
                self._renew(lease)

        self._world.after(PATIENCE_MILLISECONDS, give_up)
        if node is not None:
            node.do(lambda: _keep(node, lease, answer))


def _keep(node: Node, lease: int, answer: object) -> None:
    node.member.catch_up()
    node.member.keep_alive(lease, answer)  # type: ignore[arg-type]
