"""Reads of one member until the leader has said up to where they must see, and wishes to keep a lease alive.

Whoever is asked asks the leader, or the core if that is itself; all reads that come in one turn are one question. A
read is served here once that much is applied here; what another member asked for is answered with the index alone.
"""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.raft.core import Role
from orchestrator.raft.ready import ReadIndex
from orchestrator.store.replica import Replica
from orchestrator.store.wire import Confirm, Confirmed, Wire

RETRY_TICKS = 10
"""Without an answer from the leader it is asked again, or its successor."""
GIVE_UP_TICKS = 750
"""Without a leader that takes it a proposal or a read is given up. An id is remembered for much longer."""
NEVER = -1

AnswerRead = Callable[[bool], None]
"""True: everything that was answered before the read was asked is applied here. False: no leader says so."""
AnswerLease = Callable[[int | None], None]
"""Its time to live in milliseconds, 0: there is none; None: no leader says so."""


class _Read:
    """A read, or with ``lease`` a wish to keep it alive. ``origin``: the member that asked for it, 0: this one."""

    __slots__ = ("age", "answers", "asked", "index", "lease", "origin", "origin_token")

    def __init__(self, lease: int = 0, origin: int = 0, origin_token: int = 0) -> None:
        self.lease = lease
        self.origin = origin
        self.origin_token = origin_token
        self.answers: list[AnswerLease] = []
        self.index = NEVER
        self.asked = NEVER
        self.age = 0


class Reads:
    """See the module. ``token``: a number for each question that no other of this member has had, in any life.
    ``extend``: keep a lease alive as its leader; its milliseconds, 0 when there is none.
    """

    def __init__(
        self,
        replica: Replica,
        *,
        send: Callable[[Wire], None],
        token: Callable[[], int],
        extend: Callable[[int], int],
    ) -> None:
        self._replica = replica
        self._number = replica.settings.member
        self._send = send
        self._token = token
        self._extend = extend
        self._gathered: _Read | None = None
        # The reads that came since the last ``ask``: they are one to the leader.
        self._reads: dict[int, _Read] = {}

    @property
    def gathered(self) -> bool:
        """Whether there is something to ``ask``."""
        return self._gathered is not None

    # Inputs

    def read(self, answer: AnswerRead) -> None:
        if self._gathered is None:
            self._gathered = _Read()
        self._gathered.answers.append(lambda ttl: answer(ttl is not None))

    def keep_alive(self, lease: int, answer: AnswerLease) -> None:
        read = _Read(lease)
        read.answers.append(answer)
        self._ask(read)

    def ask(self) -> None:
        """Ask for what was gathered."""
        if self._gathered is not None:
            gathered, self._gathered = self._gathered, None
            self._ask(gathered)

    def tick(self) -> None:
        for token, read in list(self._reads.items()):
            self._age(token, read)

    def ask_again(self) -> None:
        """Another leads now."""
        for token, read in list(self._reads.items()):
            if read.index == NEVER and not read.origin:
                self._confirm(token, read)

    def confirmed(self, reads: list[ReadIndex], lost: list[int]) -> None:
        """What the core says of those that it was asked for, and more may be applied: serve what can be served."""
        for confirmed in reads:
            if confirmed.token in self._reads:
                self._reads[confirmed.token].index = confirmed.index
        for token in lost:
            self._lose(token)
        self._serve()

    def on_confirm(self, confirm: Confirm) -> None:
        if not self._leads:
            self._send(Confirmed(self._number, confirm.sender, confirm.token, NEVER))
            return
        self._ask(_Read(confirm.lease, confirm.sender, confirm.token))

    def on_confirmed(self, confirmed: Confirmed) -> None:
        read = self._reads.get(confirmed.token)
        if read is None or read.origin or read.index != NEVER:
            return
        if confirmed.index == NEVER:
            read.asked = read.age - RETRY_TICKS + 1  # with the next tick, when somebody else may lead
        elif read.lease:
            del self._reads[confirmed.token]
            for answer in read.answers:
                answer(confirmed.ttl_milliseconds)
        else:
            read.index = confirmed.index
            self._serve()

    # Doing

    @property
    def _leads(self) -> bool:
        return self._replica.raft.role is Role.LEADER

    def _ask(self, read: _Read) -> None:
        token = self._token()
        self._reads[token] = read
        self._confirm(token, read)

    def _confirm(self, token: int, read: _Read) -> None:
        """Ask who leads, or the core if that is this member."""
        read.asked = read.age
        if self._leads:
            self._replica.raft.read(token)
        elif leader := self._replica.raft.leader:
            self._send(Confirm(self._number, leader, token, read.lease))

    def _age(self, token: int, read: _Read) -> None:
        read.age += 1
        if read.age > GIVE_UP_TICKS:
            del self._reads[token]
            for answer in read.answers:
                answer(None)
        elif read.index == NEVER and not read.origin and read.age - read.asked >= RETRY_TICKS:
            self._confirm(token, read)

    def _lose(self, token: int) -> None:
        """The core cannot confirm it: this member does not lead any more."""
        read = self._reads.get(token)
        if read is None:
            return
        if read.origin:
            del self._reads[token]
            self._send(Confirmed(self._number, read.origin, read.origin_token, NEVER))
        else:
            read.asked = read.age - RETRY_TICKS + 1

    def _serve(self) -> None:
        """The reads whose index is known and applied. Another member waits for its own copy, not for this one."""
        applied = self._replica.applied
        for token, read in list(self._reads.items()):
            if read.index == NEVER or (read.index > applied and not (read.origin and not read.lease)):
                continue
            del self._reads[token]
            ttl = self._extend(read.lease) if read.lease else 0
            if read.origin:
                self._send(Confirmed(self._number, read.origin, read.origin_token, read.index, ttl))
            for answer in read.answers:
                answer(ttl)
