"""What only a leader has: the progress of the others, and the reads that wait for its leadership to be confirmed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec

from orchestrator.raft.entry import Entry, Mark
from orchestrator.raft.messages import Append, Heartbeat, Install, Message
from orchestrator.raft.progress import MAX_APPEND_ENTRIES, Pace, Progress
from orchestrator.raft.quorum import reached
from orchestrator.raft.raftlog import RaftLog
from orchestrator.raft.ready import ReadIndex
from orchestrator.raft.settings import Settings

MAX_WAITING_READS = 65_536
"""Reads that wait for a round of heartbeats; more are given back as lost."""

MAX_ROUNDS = 1024
"""Rounds of heartbeats that wait for a majority; the oldest is forgotten, a later one confirms it too."""


class _Read(msgspec.Struct, frozen=True):
    round: int
    token: int
    index: int


class Leading:
    """A term's leader. Made when the election is won, dropped when the term or the quorum is lost."""

    def __init__(self, settings: Settings, term: int, log: RaftLog) -> None:
        self._member = member = settings.member
        self._append_bytes = settings.append_bytes
        self._term = term
        self._log = log
        self._voters = log.config.voters
        self.peers = {peer: Progress(log.last + 1) for peer in log.config.members if peer != member}
        self.transferee = 0
        """To whom the leadership is being handed (0: to nobody)."""
        self._reads: deque[_Read] = deque()
        self._early_reads: list[int] = []
        # Asked before this term's first commit: what is committed is not known until then (§8).
        self._round = 0
        self._asked = False
        # Whether a read waits for a round that has not begun.
        self._rounds: deque[tuple[int, int]] = deque()
        # The rounds that are not confirmed, and when each began.
        self._now = 0
        self._lease_ticks = settings.lease_ticks
        self._lease_end = 0

    def configure(self) -> None:
        """The membership in the log is another now. Who is new is sent to, who is gone no more."""
        config = self._log.config
        self._voters = config.voters
        for peer in config.members:
            if peer != self._member and peer not in self.peers:
                self.peers[peer] = Progress(self._log.last + 1)
        for peer in [peer for peer in self.peers if peer not in config.members]:
            del self.peers[peer]
        if self.transferee not in self.peers:
            self.transferee = 0

    def tick(self) -> None:
        self._now += 1

    def commit_index(self) -> int:
        """What a majority has on disk."""
        matches = {peer: progress.match for peer, progress in self.peers.items()}
        matches[self._member] = self._log.saved
        return reached(self._voters, matches)

    def append_to(self, peer: int, send: Callable[[Message], None], *, empty: bool = False) -> None:
        """Send what ``peer`` lacks, as far as it may be sent; with ``empty`` an append even when nothing is lacking."""
        progress = self.peers[peer]
        while not progress.paused():
            previous = progress.next - 1
            term = self._log.term(previous)
            if term is None:
                progress.needs_snapshot(self._log.mark.index)
                mark = self._log.mark
                send(Install(self._member, peer, self._term, mark, self._log.config_at(mark.index)))
                return
            entries = _fit(self._log, progress.next, self._append_bytes)
            if not entries and not empty:
                return
            mark = Mark(previous, term)
            send(Append(self._member, peer, self._term, mark, entries, self._log.commit))
            if not entries and progress.pace is Pace.STREAM:
                return
            progress.sent(entries[-1].index if entries else previous)
            empty = False

    def append_to_all(self, send: Callable[[Message], None], *, empty: bool = False) -> None:
        for peer in self.peers:
            self.append_to(peer, send, empty=empty)

    def heartbeat(self, send: Callable[[Message], None]) -> None:
        """Begin a round. A commit index beyond what the peer has would make it commit what it may not have."""
        self._round += 1
        self._asked = False
        if len(self._rounds) >= MAX_ROUNDS:
            self._rounds.popleft()
        self._rounds.append((self._round, self._now))
        for peer, progress in self.peers.items():
            commit = min(progress.match, self._log.commit)
            send(Heartbeat(self._member, peer, self._term, commit, self._round, self._log.commit))

    def quorum_active(self) -> bool:
        """Whether a majority was heard from since the last call."""
        heard = {peer: int(progress.active) for peer, progress in self.peers.items()}
        heard[self._member] = 1
        for progress in self.peers.values():
            progress.active = False
            progress.await_snapshot()
        return reached(self._voters, heard) == 1

    def read(self, token: int) -> int | None:
        """The index to serve the read at, if the lease allows it now; else it waits for a round that begins later."""
        if self._log.term(self._log.commit) != self._term:
            self._early_reads.append(token)
        elif self.leased():
            return self._log.commit
        else:
            self._reads.append(_Read(self._round + 1, token, self._log.commit))
            self._asked = True
        return None

    def leased(self) -> bool:
        """Whether nobody else can lead yet. Who was told to take over may, whatever a majority promised."""
        return self._now < self._lease_end and self._lease_ticks > 0

    def forgo_lease(self) -> None:
        """For the rest of this term: a member was told to stand for election at once."""
        self._lease_ticks = 0

    def reads_full(self) -> bool:
        return len(self._reads) + len(self._early_reads) >= MAX_WAITING_READS

    def committed_own(self) -> list[ReadIndex]:
        """An entry of this term is committed: the reads that waited for it begin. Those that are served already."""
        tokens, self._early_reads = self._early_reads, []
        indices = [(token, self.read(token)) for token in tokens]
        return [ReadIndex(token, index) for token, index in indices if index is not None]

    def begin_round(self, send: Callable[[Message], None]) -> bool:
        """All reads that were asked since the last round share one. Whether one was begun."""
        asked = self._asked
        if asked:
            self.heartbeat(send)
        return asked

    def confirmed(self) -> list[ReadIndex]:
        """The reads that a majority has confirmed by now, once."""
        rounds = {peer: progress.read for peer, progress in self.peers.items()}
        rounds[self._member] = self._round
        confirmed = reached(self._voters, rounds)
        while self._rounds and self._rounds[0][0] <= confirmed:
            self._lease_end = self._rounds.popleft()[1] + self._lease_ticks
        served = []
        while self._reads and self._reads[0].round <= confirmed:
            read = self._reads.popleft()
            served.append(ReadIndex(read.token, read.index))
        return served

    def abandon(self) -> list[int]:
        """The tokens of all reads that wait: the leadership is lost."""
        return [*self._early_reads, *(read.token for read in self._reads)]


def _fit(log: RaftLog, start: int, limit: int) -> list[Entry]:
    """As many entries from ``start`` on as one append may hold, at least one if there is one."""
    entries = log.slice(start, min(log.last, start + MAX_APPEND_ENTRIES - 1))
    size = 0
    for position, entry in enumerate(entries):
        size += len(entry.payload)
        if size > limit and position:
            return entries[:position]
    return entries
