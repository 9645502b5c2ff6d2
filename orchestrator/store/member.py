"""One member and what it owes: answers to proposals and reads that were asked of it, and the ends of the leases.

Whoever is asked answers, the leader or not: a proposal is passed on to the leader and answered when this member's own
copy has applied it; a read waits until the leader has said up to where, and is then served here. A proposal that may be
retried bears a request id (it is given one where it has none), and is proposed again until it is seen in the log or its
answer in the state; no leader takes it where its answer may be forgotten already: it says since when it may stand in a
log. Any other is proposed once, and when the leader was lost over it its outcome is unknown.

Owns no task and no socket: the owner calls ``catch_up`` about every tick, ``receive`` for what comes in, and
``perform`` as long as it does something.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum
from zlib import crc32

import msgspec

from orchestrator.raft.core import NOBODY, NotLeader, Role
from orchestrator.raft.entry import Entry
from orchestrator.raft.ready import Ready
from orchestrator.store.commands import Command, Revoke, Transact, Write, decode_command, encode_command
from orchestrator.store.confirming import GIVE_UP_TICKS, NEVER, RETRY_TICKS, AnswerLease, AnswerRead, Reads
from orchestrator.store.deadlines import Deadlines
from orchestrator.store.machine import Applied
from orchestrator.store.protocol import LeaseReply, Refusal
from orchestrator.store.replica import Done, Replica
from orchestrator.store.requests import forgotten
from orchestrator.store.watch import Watches
from orchestrator.store.wire import Confirm, Confirmed, Forward, Placed, Wire

MAX_COMMIT_PROPOSALS = 1_024
"""Proposals in one append: bounds how long the loop is busy applying them."""
MAX_FORWARDS = 8_192
"""Proposals of other members that wait for an append; more are given back, and come again."""
MAX_UNCOMMITTED = 16_384
"""Entries that wait for a majority: with none in reach the log does not grow without end."""
MAX_TICKS = 1_000
"""Ticks that are made up for at once: after that many any leadership and any lease is over."""
NOT_TAKEN = 0
TOO_LATE = -1
"""In the place of an index, see ``Placed``."""
LIFE_BITS = 28
"""Of a token, behind those that tell the lives of a member apart: questions asked in one life."""


class Lost(Enum):
    """Why a proposal has no reply."""

    UNKNOWN = "unknown"
    """The leader was lost over it: it may or may not have happened."""
    UNAVAILABLE = "unavailable"
    """It was never in a log: it has not happened, and will not."""


AnswerProposal = Callable[[Applied | Lost], None]


class _Operation:
    """A proposal on its way. ``term``: of the entry that it became. ``asked``: its age when the leader was asked.

    ``only``: the term whose leader decided it; in another it is dropped (0: any term may have it).
    """

    __slots__ = ("age", "answer", "asked", "command", "only", "retriable", "since", "term", "token", "tried")

    def __init__(
        self, token: int, command: Command, answer: AnswerProposal | None, retriable: bool, only: int = 0
    ) -> None:
        self.token = token
        self.command = command
        self.answer = answer
        self.retriable = retriable
        self.since = NEVER
        """What was known to be committed before it was first proposed: it stands in no entry up to there."""
        self.only = only
        self.term = 0
        self.asked = NEVER
        self.tried = False
        """Whether a leader was ever asked to take it."""
        self.age = 0


class Member:
    """See the module."""

    def __init__(
        self,
        replica: Replica,
        *,
        send: Callable[[Wire], None],
        now: Callable[[], float],
        name: str,
        watches: Watches,
        tick_seconds: float = 0.0,
    ) -> None:
        """``now``: seconds that only grow. ``name``: no other member, and no earlier life of this one, has it.
        ``tick_seconds``: the unit of the core's ``Settings``; 0: it is alone, and no time passes.
        """
        self.replica = replica
        self.deadlines = Deadlines()
        self._number = replica.settings.member
        self._send = send
        self._now = now
        self._name = name
        self._watches = watches
        self._tick_seconds = tick_seconds
        self._ticked = now()
        self._told = 0
        # The revision up to which the watchers were told.
        self.changes = 0
        """Changes that were applied since this object was made."""
        self._tokens = crc32(name.encode()) << LIFE_BITS
        # An answer to an earlier life of this member must not fit a question of this one.
        self._waiting: deque[_Operation] = deque()
        # To be proposed here or passed on at the next ``perform``.
        self._ending: list[_Operation] = []
        # Leases that this leader saw expire.
        self._away: dict[int, _Operation] = {}
        # Passed on, by token: what the leader did with it is not known.
        self._placed: dict[int, list[_Operation]] = {}
        # Known to stand in a log, by index. One that was truncated may come back with another leader.
        self._forwards: deque[tuple[Forward, Command]] = deque()
        self._reads = Reads(replica, send=send, token=self._token, extend=self._extend)
        self._leader = NOBODY
        # Who led when this member looked last.
        self._led = 0
        # The term in which this member took the leases over.

    @property
    def waiting(self) -> int:
        """Proposals that are not in a log yet."""
        return len(self._waiting) + len(self._away)

    @property
    def leads(self) -> bool:
        return self.replica.raft.role is Role.LEADER

    async def open(self) -> None:
        """Raises the ``LogError`` of the log."""
        await self.replica.open()
        self._told = self.replica.machine.revision
        while await self.perform():
            pass

    # Inputs

    def propose(self, command: Command, answer: AnswerProposal | None) -> None:
        token, retriable = self._token(), False
        if isinstance(command, Write | Transact) and not self.replica.alone:
            retriable = True
            if not command.request_id:
                command = msgspec.structs.replace(command, request_id=f"{self._name}.{token}")
        self._waiting.append(_Operation(token, command, answer, retriable))

    def read(self, answer: AnswerRead) -> None:
        """Ask whether what is applied here is enough for a linearizable read."""
        self._reads.read(answer)

    def keep_alive(self, lease: int, answer: AnswerLease) -> None:
        self._reads.keep_alive(lease, answer)

    def catch_up(self) -> None:
        """Let the ticks pass that are due. Call it often, and before a read or a wish to keep a lease alive.

        A process that was stopped must not believe that no time went by.
        """
        if not self._tick_seconds:
            return
        due = int((self._now() - self._ticked) / self._tick_seconds)
        if due > MAX_TICKS:
            due, self._ticked = MAX_TICKS, self._now()
        else:
            self._ticked += due * self._tick_seconds
        for _ in range(due):
            self._tick()

    def _tick(self) -> None:
        self.replica.tick()
        for operations in (self._waiting, self._away.values(), *self._placed.values()):
            for operation in operations:
                operation.age += 1
        for operations in self._placed.values():
            for operation in operations:
                if operation.age > GIVE_UP_TICKS:
                    self._give_up(operation)
        for operation in list(self._away.values()):
            if operation.age - operation.asked >= RETRY_TICKS:
                del self._away[operation.token]
                self._retry(operation)
        while self._waiting and self._waiting[0].age > GIVE_UP_TICKS:
            self._give_up(self._waiting.popleft())
        self._reads.tick()

    def receive(self, message: Wire) -> None:
        match message:
            case Forward():
                self._on_forward(message)
            case Placed():
                self._on_placed(message)
            case Confirm():
                self._reads.on_confirm(message)
            case Confirmed():
                self._reads.on_confirmed(message)
            case _:
                self.replica.step(message)

    def lost(self, member: int) -> None:
        """The connection to ``member`` is over: its process has died, or cannot be reached."""
        self.replica.raft.lost(member)

    def expire(self, at: int) -> None:
        """End the leases whose time is up by the leader's clock. ``at``: Unix milliseconds, for the history."""
        self._take_over()  # else it would go by what it knew when it led before
        if self.leads:
            for lease in self.deadlines.take_due(self._now()):
                if self.replica.machine.leases.get(lease) is not None:
                    # Another leader gives the lease its whole time: it must not find this one's word.
                    command = Revoke(at, lease, expired=True)
                    self._ending.append(_Operation(self._token(), command, None, False, self.replica.raft.term))

    def _token(self) -> int:
        self._tokens += 1
        return self._tokens

    # Outputs

    async def perform(self) -> bool:
        """Do what there is to do now; whether there was anything. Raises ``LogFailed``."""
        raft = self.replica.raft
        if self._led != raft.term:
            self._take_over()
        if self._leader != raft.leader:
            self._follow()
        if self._waiting or self._forwards or self._ending or self._reads.gathered:
            self._place()
        return await self.replica.perform(self._seen, self._on_restored)

    def _seen(self, ready: Ready, done: Done) -> None:
        """Watchers first: nobody may ask about a change that a watcher was not told of."""
        records = [record for _, applied in done if applied is not None for record in applied.records]
        if records:
            self.changes += len(records)
            self._told = self.replica.machine.revision
            self._watches.publish(records, self._told)
        for entry, applied in done:
            self._settle(entry, applied)
        self._reads.confirmed(ready.reads, ready.lost_reads)

    def _settle(self, entry: Entry, applied: Applied | None) -> None:
        """Answer who proposed the entry. What stood at its index in another term can never be committed."""
        operations = self._placed.pop(entry.index, None)
        for operation in operations or ():
            if operation.term != entry.term:
                self._retry(operation, dead=True)
            elif operation.answer is not None and applied is not None:
                operation.answer(applied)
        if applied is not None:
            if self.leads and isinstance(applied.reply, LeaseReply):
                self.deadlines.set(applied.reply.lease, self._now() + applied.reply.ttl_seconds)
        elif not entry.payload:
            self._bury(entry.term)

    def _bury(self, term: int) -> None:
        """Terms only grow along the log: behind an entry of ``term`` none of an older one is ever committed."""
        for index in list(self._placed):
            dead = [operation for operation in self._placed[index] if operation.term < term]
            alive = [operation for operation in self._placed[index] if operation.term >= term]
            if dead:
                if alive:
                    self._placed[index] = alive
                else:
                    del self._placed[index]
                for operation in dead:
                    self._retry(operation, dead=True)

    def _on_restored(self) -> None:
        """A snapshot took the place of entries: what became of those is known by their ids only.

        Watchers are told what changed meanwhile, or that it is no longer known, before anybody is answered.
        """
        machine = self.replica.machine
        told, self._told = self._told, machine.revision
        if told < machine.history.compacted:
            self._watches.end_all(
                Refusal.COMPACTED, f"this member got a snapshot: the oldest revision is {machine.history.compacted}"
            )
        elif records := machine.history.after(told):
            self._watches.publish(records, machine.revision)
        for index in [index for index in self._placed if index <= self.replica.applied]:
            for operation in self._placed.pop(index):
                self._retry(operation)

    # Leases

    def _take_over(self) -> None:
        """A new leader gives every lease its whole time: it does not know when it was kept alive last."""
        raft = self.replica.raft
        if self._led != raft.term and self.leads:
            self._led = raft.term
            self.deadlines = Deadlines()
            for lease in self.replica.machine.leases.all():
                self.deadlines.set(lease.lease, self._now() + lease.ttl_milliseconds / 1000)

    def _extend(self, number: int) -> int:
        lease = self.replica.machine.leases.get(number)
        if lease is None or not self.deadlines.extend(number, self._now(), lease.ttl_milliseconds / 1000):
            return 0
        return lease.ttl_milliseconds

    # Proposals

    def _follow(self) -> None:
        """Another leads now: what the last one was asked is asked of it at once, where that is safe."""
        leader = self.replica.raft.leader
        if leader in (NOBODY, self._leader):
            return
        self._leader = leader
        for operation in [operation for operation in self._away.values() if operation.retriable]:
            del self._away[operation.token]
            operation.asked = NEVER
            self._waiting.append(operation)
        self._reads.ask_again()

    def _place(self) -> None:
        """Into the log of this member if it leads, else to who does."""
        self._reads.ask()
        if self.leads:
            if self._waiting or self._ending or self._forwards:
                self._propose_all()
            return
        if self._forwards:
            self._refuse_forwards()
        if leader := self.replica.raft.leader:
            while self._waiting and self._waiting[0].asked < self._waiting[0].age:
                self._pass_on(self._waiting.popleft(), leader)

    def _propose_all(self) -> None:
        log = self.replica.raft.log
        room = min(MAX_COMMIT_PROPOSALS, MAX_UNCOMMITTED - (log.last - log.commit))
        own = [operation for operation in self._ending if operation.only == self.replica.raft.term]
        self._ending.clear()
        following = log.last + 1
        own += self._take_own(room, following + len(own))
        others = self._take_others(room - len(own), following + len(own))
        if not own and not others:
            return
        commands = [operation.command for operation in own] + [command for _, command in others]
        try:
            first = self.replica.propose(commands)
        except NotLeader:  # the leadership is being handed over
            self._ending += [operation for operation in own if operation.only]
            self._waiting.extendleft(reversed([operation for operation in own if not operation.only]))
            self._forwards.extendleft(reversed(others))
            self._refuse_forwards()
            return
        term = self.replica.raft.term
        for index, operation in enumerate(own, first):
            operation.term = term
            self._placed.setdefault(index, []).append(operation)
        for index, (other, _) in enumerate(others, first + len(own)):
            self._send(Placed(self._number, other.sender, other.token, index, term))

    def _take_own(self, count: int, first: int) -> list[_Operation]:
        """``count`` at most of those that wait here, to be the entries from ``first`` on."""
        taken: list[_Operation] = []
        while self._waiting and len(taken) < count:
            operation = self._waiting.popleft()
            self._begin(operation)
            if operation.tried and operation.retriable and forgotten(operation.since, first + len(taken)):
                self._give_up(operation)
            else:
                taken.append(operation)
        return taken

    def _take_others(self, count: int, first: int) -> list[tuple[Forward, Command]]:
        taken: list[tuple[Forward, Command]] = []
        while self._forwards and len(taken) < count:
            forward, command = self._forwards.popleft()
            if forward.since != NEVER and forgotten(forward.since, first + len(taken)):
                self._send(Placed(self._number, forward.sender, forward.token, TOO_LATE, 0))
            else:
                taken.append((forward, command))
        return taken

    def _begin(self, operation: _Operation) -> None:
        if operation.since == NEVER:
            operation.since = self.replica.raft.committed

    def _pass_on(self, operation: _Operation, leader: int) -> None:
        self._begin(operation)
        operation.asked, operation.tried = operation.age, True
        self._away[operation.token] = operation
        since = operation.since if operation.retriable else NEVER
        self._send(Forward(self._number, leader, operation.token, encode_command(operation.command), since))

    def _on_forward(self, forward: Forward) -> None:
        command = _known(forward) if self.leads and len(self._forwards) < MAX_FORWARDS else None
        if command is not None:
            self._forwards.append((forward, command))
        else:
            self._send(Placed(self._number, forward.sender, forward.token, NOT_TAKEN, 0))

    def _refuse_forwards(self) -> None:
        for forward, _ in self._forwards:
            self._send(Placed(self._number, forward.sender, forward.token, NOT_TAKEN, 0))
        self._forwards.clear()

    def _on_placed(self, placed: Placed) -> None:
        operation = self._away.pop(placed.token, None)
        if operation is None:
            return
        if placed.index == NOT_TAKEN:
            self._waiting.append(operation)
        elif placed.index == TOO_LATE:
            self._give_up(operation)
        elif placed.index > self.replica.applied:
            operation.term = placed.term
            self._placed.setdefault(placed.index, []).append(operation)
        else:
            self._retry(operation)  # the answer was slower than the log

    def _retry(self, operation: _Operation, *, dead: bool = False) -> None:
        """Propose it again if that is safe and needed. ``dead``: what was proposed before can never be committed.

        What the state has the answer to is not: a member whose entries a snapshot took the place of would else propose
        them all again, fall behind by them, and be sent the next snapshot. As many entries on, no answer means nothing.
        """
        if operation.only or operation.answer is None:
            return
        command = operation.command
        reply = self.replica.machine.requests.get(command.request_id) if isinstance(command, Write | Transact) else None
        if reply is not None:
            answer, operation.answer = operation.answer, None
            answer(Applied(reply, []))
        elif dead and not operation.tried:
            operation.since = NEVER  # it stands in no log
            self._waiting.append(operation)
        elif dead or (operation.retriable and not forgotten(operation.since, self.replica.applied)):
            self._waiting.append(operation)
        else:
            self._give_up(operation)

    def _give_up(self, operation: _Operation) -> None:
        answer, operation.answer = operation.answer, None
        if answer is not None:
            answer(Lost.UNKNOWN if operation.tried or operation.term else Lost.UNAVAILABLE)


def _known(forward: Forward) -> Command | None:
    """The command; None for one that only a newer member knows: it is not taken into a log that this one leads."""
    try:
        return decode_command(forward.payload)
    except msgspec.MsgspecError:
        return None
