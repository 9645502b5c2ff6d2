"""One member of a Raft group: every input and every transition between its roles.

Sections cited are those of the Raft paper (extended version) and of Ongaro's thesis. The owner feeds ``tick``,
``step``, ``propose`` and ``read``, asks ``ready`` what is to be done, does it in the order that ``Ready`` names, and
tells ``advance``. Pre-vote and check-quorum are always on: a member that was cut off disturbs nobody when it comes
back, and a leader that lost its majority stops to lead.
"""

from __future__ import annotations

from enum import Enum
from typing import assert_never

from orchestrator.raft.config import Config, Unsafe, check_step, encode_config
from orchestrator.raft.entry import Entry, HardState, Mark
from orchestrator.raft.leading import Leading
from orchestrator.raft.messages import (
    PROTOCOL,
    Append,
    AppendReply,
    Heartbeat,
    HeartbeatReply,
    Install,
    Message,
    TimeoutNow,
    Vote,
    VoteReply,
)
from orchestrator.raft.progress import Pace
from orchestrator.raft.quorum import won
from orchestrator.raft.raftlog import RaftLog
from orchestrator.raft.ready import ReadIndex, Ready
from orchestrator.raft.settings import Settings

NOBODY = 0
ASK_AGAIN_TICKS = 2
"""A candidate asks again those that have not answered: they may have heard the old leader a moment longer."""

STAGGER_TICKS = 4
"""Between two members that stand for election because the leader's connections broke: the first has won by then."""


class Role(Enum):
    FOLLOWER = "follower"
    PRECANDIDATE = "precandidate"
    CANDIDATE = "candidate"
    LEADER = "leader"


class NotLeader(Exception):
    """Only a leader takes proposals. ``leader`` is who leads, as far as this member knows (0: unknown)."""

    def __init__(self, member: int, leader: int) -> None:
        super().__init__(
            f"member {member} does not lead; member {leader} does" if leader else f"{member} knows no leader"
        )
        self.member = member
        self.leader = leader


class Raft:
    """See the module."""

    def __init__(
        self, settings: Settings, state: HardState, mark: Mark, entries: list[Entry], config: Config | None = None
    ) -> None:
        """What was on the disk; ``config`` is the membership at ``mark``, None for the founders."""
        self.settings = settings
        self.member = settings.member
        self.log = RaftLog(mark, entries, state.commit, config or Config(settings.voters))
        self.term = state.term
        self.vote = state.vote
        self.role = Role.FOLLOWER
        self.leader = NOBODY
        self._leading: Leading | None = None
        self._votes: dict[int, bool] = {}
        self._asked = Vote(self.member, NOBODY, 0, Mark())
        self._elapsed = 0
        self._beat = 0
        self._patience = 0
        self._heard = 0 if state.term and settings.lease_ticks else settings.election_ticks
        # Ticks since a leader was heard. Right before a restart one may have been, and count on it for its lease.
        self._told = 0
        # What a leader said last that is committed.
        self._written = state
        self._early: list[Message] = []
        self._messages: list[Message] = []
        self._reads: list[ReadIndex] = []
        self._lost_reads: list[int] = []
        self._restore: Mark | None = None
        self._reset_patience()

    @property
    def config(self) -> Config:
        """The membership in effect."""
        return self.log.config

    @property
    def committed(self) -> int:
        """The highest index that this member knows to be committed: its own log may not reach there yet."""
        return max(self._told, self.log.commit)

    # Inputs

    def tick(self) -> None:
        """One unit of time passed."""
        self._elapsed += 1
        self._heard += 1
        if self._leading is not None:
            self._tick_leader(self._leading)
        elif self._elapsed >= self._patience:
            self.campaign()
        elif self.role is not Role.FOLLOWER and self._elapsed % ASK_AGAIN_TICKS == 0:
            self._ask_who_is_silent()

    def campaign(self) -> None:
        """Stand for election now: first ask whether it could be won (thesis §9.6). Not while a leader is heard."""
        if self._may_stand() and not (self._hears() and len(self.config.voters) > 1):
            self._become_precandidate()

    def propose(self, payloads: list[bytes]) -> int:
        """Append entries; their first index. Raises ``NotLeader``, also while the leadership is being handed over."""
        leading = self._leading
        if leading is None or leading.transferee:
            raise NotLeader(self.member, self.leader if leading is None else leading.transferee)
        first = self.log.last + 1
        term = self.term
        self.log.add([Entry(first + offset, term, payload) for offset, payload in enumerate(payloads)])
        leading.append_to_all(self._early.append)
        return first

    def reconfigure(self, config: Config) -> int:
        """Change the membership; the index of its entry. Raises ``NotLeader``, and ``Unsafe`` for what may not be now.

        One change at a time, and none before this term's first commit: else two leaders could each change another
        membership and form majorities that do not meet (erratum to thesis §4.1, raft-dev, July 2015).
        """
        leading = self._leading
        if leading is None or leading.transferee:
            raise NotLeader(self.member, self.leader if leading is None else leading.transferee)
        check_step(self.config, config)
        if self.log.config_index > self.log.commit:
            raise Unsafe(f"the change of the membership at {self.log.config_index} is not committed yet: try again")
        if self.log.term(self.log.commit) != self.term:
            raise Unsafe(f"the leader of term {self.term} has not committed an entry yet: try again")
        index = self.log.last + 1
        self.log.add_config(Entry(index, self.term, encode_config(config)), config)
        leading.configure()
        leading.append_to_all(self._early.append)
        return index

    def read(self, token: int) -> None:
        """Ask at which index a linearizable read may be served (§8): the answer is in ``reads`` or ``lost_reads``."""
        leading = self._leading
        if leading is None or leading.reads_full():
            self._lost_reads.append(token)
            return
        index = leading.read(token)
        if index is not None:
            self._reads.append(ReadIndex(token, index))

    def behind(self, member: int) -> int | None:
        """How many committed entries ``member`` is not known to have; None when this member does not know."""
        progress = self._leading.peers.get(member) if self._leading is not None else None
        return None if progress is None else max(0, self.log.commit - progress.match)

    def protocol(self, member: int) -> int:
        """Which protocol ``member`` speaks, by the ``PROTOCOL`` of its version; 0: only the leader may know."""
        if member == self.member:
            return PROTOCOL
        progress = self._leading.peers.get(member) if self._leading is not None else None
        return 0 if progress is None else progress.protocol

    def transfer(self, to: int) -> None:
        """Hand the leadership to ``to`` (thesis §3.10). Given up after an election timeout. Raises ``NotLeader``."""
        leading = self._leading
        if leading is None:
            raise NotLeader(self.member, self.leader)
        if to == self.member or to not in self.config.voters:
            return
        leading.transferee = to
        self._elapsed = 0
        self._hand_over(leading)

    def snapshot_failed(self, peer: int) -> None:
        """The snapshot did not reach ``peer``: it is offered again at once, and not only when it is overdue."""
        if self._leading is not None and peer in self._leading.peers:
            self._leading.peers[peer].snapshot_failed()

    def snapshot_sent(self, peer: int, index: int) -> None:
        """``peer`` has the whole snapshot at ``index``; whether it kept it an append behind it will tell."""
        if self._leading is not None and peer in self._leading.peers:
            self._leading.peers[peer].snapshot_sent(index)

    def lost(self, member: int) -> None:
        """The connection to ``member`` is over. If it led, nobody waits for its silence to grow long.

        Each voter stands at a moment of its own, so that they do not split the vote. Who still hears the leader helps
        nobody: a connection that broke alone elects nobody. A leader that reads by its lease counts on the silence.
        """
        if member != self.leader or self._leading is not None or self.settings.lease_ticks:
            return
        self.leader = NOBODY
        self._heard = self.settings.election_ticks
        others = [voter for voter in self.config.voters if voter != member]
        self._elapsed = 0
        self._patience = 1 + STAGGER_TICKS * (others.index(self.member) if self.member in others else len(others))

    def step(self, message: Message) -> None:
        """A message from another member, also from one that this member's log does not know yet (thesis §4.1)."""
        if message.to != self.member:
            return
        if isinstance(message, Vote) and self._ignores(message):
            return
        if message.term > self.term:
            self._see_term(message)
        elif message.term < self.term:
            self._answer_old(message)
            return
        match message:
            case Vote():
                self._on_vote(message)
            case VoteReply():
                self._on_vote_reply(message)
            case Append():
                self._on_append(message)
            case AppendReply():
                self._on_append_reply(message)
            case Heartbeat():
                self._on_heartbeat(message)
            case HeartbeatReply():
                self._on_heartbeat_reply(message)
            case Install():
                self._on_install(message)
            case TimeoutNow():
                if self.role is not Role.LEADER and self._may_stand():
                    self._become_candidate(transfer=True)
            case _:
                assert_never(message)

    def _may_stand(self) -> bool:
        """A voter, also one whose removal is not committed yet: only it may have that entry (thesis §4.2.2)."""
        log = self.log
        return self.member in log.config.voters or self.member in log.config_at(log.commit).voters

    # Outputs

    def ready(self) -> Ready | None:
        """What is to be done now, None for nothing. Until ``advance`` the next call repeats what was not yet done."""
        if self._leading is not None and self._leading.begin_round(self._messages.append):
            self._reads += self._leading.confirmed()
        log, written = self.log, self._written
        changed = self.term != written.term or self.vote != written.vote
        must_write = changed or log.saved < log.last or self._restore is not None
        committed = log.applicable()
        if not (must_write or committed or self._early or self._messages or self._reads or self._lost_reads):
            return None
        ready = Ready(
            HardState(self.term, self.vote, log.commit),
            log.unsaved(),
            must_write,
            self._early,
            self._messages,
            self._restore,
            committed,
            self._reads,
            self._lost_reads,
        )
        self._early, self._messages, self._reads, self._lost_reads, self._restore = [], [], [], [], None
        return ready

    def advance(self, ready: Ready) -> None:
        """All that ``ready`` named was done."""
        if ready.must_write:
            self._written = ready.state
        for entry in reversed(ready.entries):
            if self.log.term(entry.index) == entry.term:
                self.log.saved = max(self.log.saved, entry.index)
                break
        if ready.committed:
            self.log.applied = max(self.log.applied, ready.committed[-1].index)
        if self._leading is not None and ready.entries:
            self._advance_commit(self._leading)

    # Roles

    def _become_follower(self, term: int, leader: int) -> None:
        if self._leading is not None:
            self._lost_reads += self._leading.abandon()
            self._leading = None
        if term > self.term:
            self.term, self.vote = term, NOBODY
        self.role, self.leader = Role.FOLLOWER, leader
        self._votes = {}
        self._reset_patience()

    def _become_precandidate(self) -> None:
        self.role, self.leader = Role.PRECANDIDATE, NOBODY
        self._reset_patience()
        self._ask_votes(self.term + 1, pre=True, transfer=False)

    def _become_candidate(self, *, transfer: bool = False) -> None:
        self.role, self.leader = Role.CANDIDATE, NOBODY
        self.term, self.vote = self.term + 1, self.member
        self._reset_patience()
        self._ask_votes(self.term, pre=False, transfer=transfer)

    def _become_leader(self) -> None:
        assert self.role is Role.CANDIDATE, f"a {self.role.value} cannot become the leader"
        self.role, self.leader = Role.LEADER, self.member
        self._elapsed = self._beat = 0
        self._leading = Leading(self.settings, self.term, self.log)
        self.log.add([Entry(self.log.last + 1, self.term)])
        self._leading.append_to_all(self._early.append)

    def _ask_votes(self, term: int, *, pre: bool, transfer: bool) -> None:
        self._votes = {self.member: True}
        self._asked = Vote(self.member, NOBODY, term, self.log.end(), pre, transfer)
        self._ask_who_is_silent()
        self._count_votes()

    def _ask_who_is_silent(self) -> None:
        asked = self._asked
        for voter in self.config.voters:
            if voter not in self._votes:
                self._messages.append(Vote(self.member, voter, asked.term, asked.last, asked.pre, asked.transfer))

    def _count_votes(self) -> None:
        result = won(self.config.voters, self._votes)
        if result is False:
            self._become_follower(self.term, NOBODY)
            self._patience = self._soon()  # nobody leads: do not wait long
        elif result and self.role is Role.PRECANDIDATE:
            self._become_candidate()
        elif result:
            self._become_leader()

    def _reset_patience(self) -> None:
        self._elapsed = 0
        self._patience = self.settings.election_ticks + self.settings.jitter(self.settings.election_ticks)

    def _soon(self) -> int:
        return 1 + self.settings.jitter(self.settings.election_ticks)

    # Time

    def _tick_leader(self, leading: Leading) -> None:
        self._beat += 1
        leading.tick()
        if self._elapsed >= self.settings.election_ticks:
            self._elapsed = 0
            leading.transferee = 0
            if not leading.quorum_active():
                self._become_follower(self.term, NOBODY)
                return
        if self._beat >= self.settings.heartbeat_ticks:
            self._beat = 0
            leading.heartbeat(self._messages.append)
            self._reads += leading.confirmed()  # by itself, when nobody else is left that could answer

    # Terms

    def _hears(self) -> bool:
        return self._leading is not None or self._heard < self.settings.election_ticks

    def _ignores(self, vote: Vote) -> bool:
        """A member that hears a leader does not help to depose it (§6, thesis §4.2.3).

        A leader that serves reads by its lease counts on it, so neither a restart nor a newer term ends the promise.
        """
        return (vote.term > self.term or self.leader == NOBODY) and self._hears() and not vote.transfer

    def _see_term(self, message: Message) -> None:
        if isinstance(message, Vote) and message.pre:
            return
        if isinstance(message, VoteReply) and message.pre and message.granted:
            return
        from_leader = isinstance(message, Append | Heartbeat | Install)
        self._become_follower(message.term, message.sender if from_leader else NOBODY)

    def _answer_old(self, message: Message) -> None:
        """Who speaks of an old term is told the new one, so that it stops to wait or to lead."""
        if isinstance(message, Append | Heartbeat | Install):
            self._messages.append(AppendReply(self.member, message.sender, self.term, 0))
        elif isinstance(message, Vote):
            self._messages.append(VoteReply(self.member, message.sender, self.term, False, message.pre))

    # Votes

    def _on_vote(self, vote: Vote) -> None:
        free = self.vote == vote.sender or (self.vote == NOBODY and self.leader == NOBODY)
        may = free or (vote.pre and vote.term > self.term)
        granted = may and self.log.newer(vote.last)
        term = vote.term if granted else self.term
        self._messages.append(VoteReply(self.member, vote.sender, term, granted, vote.pre))
        if granted and not vote.pre:
            self.vote = vote.sender
            self._elapsed = 0

    def _on_vote_reply(self, reply: VoteReply) -> None:
        asking = Role.PRECANDIDATE if reply.pre else Role.CANDIDATE
        if self.role is asking:
            self._votes.setdefault(reply.sender, reply.granted)
            self._count_votes()
        if self.role is Role.CANDIDATE and not reply.granted:
            # The vote is split, and who has not answered may be down: a whole election timeout more helps nobody.
            self._patience = min(self._patience, self._elapsed + self._soon())

    # Followers

    def _follow(self, leader: int) -> None:
        assert self.role is not Role.LEADER, f"two leaders in term {self.term}: {self.member} and {leader}"
        if self.role is not Role.FOLLOWER:
            self._become_follower(self.term, leader)
        self.leader = leader
        self._elapsed = self._heard = 0

    def _on_append(self, append: Append) -> None:
        self._follow(append.sender)
        self._told = max(self._told, append.commit)
        log, previous = self.log, append.previous
        if previous.index < log.commit:
            self._messages.append(AppendReply(self.member, append.sender, self.term, log.commit))
        elif log.term(previous.index) != previous.term:
            hint = log.probable(previous.index, previous.term)
            self._messages.append(AppendReply(self.member, append.sender, self.term, previous.index, True, hint))
        else:
            log.agree(append.entries)
            last = append.entries[-1].index if append.entries else previous.index
            log.commit_to(min(append.commit, last))
            self._messages.append(AppendReply(self.member, append.sender, self.term, last))

    def _on_heartbeat(self, beat: Heartbeat) -> None:
        self._follow(beat.sender)
        self._told = max(self._told, beat.committed)
        self.log.commit_to(beat.commit)
        self._messages.append(HeartbeatReply(self.member, beat.sender, self.term, beat.read, PROTOCOL))

    def _on_install(self, install: Install) -> None:
        self._follow(install.sender)
        mark = install.mark
        if mark.index > self.log.commit:
            if self.log.term(mark.index) == mark.term:
                self.log.commit_to(mark.index)  # the entries are here: the snapshot is not needed (§7)
            else:
                self.log.restore(mark, install.config)
                self._restore = mark
        self._messages.append(AppendReply(self.member, install.sender, self.term, self.log.commit))

    # Leaders

    def _on_append_reply(self, reply: AppendReply) -> None:
        leading = self._leading
        if leading is None:
            return
        progress = leading.peers.get(reply.sender)
        if progress is None:
            return
        progress.active = True
        if reply.refused:
            hint = self.log.probable(reply.hint.index, reply.hint.term)
            if progress.refused(reply.index, hint.index):
                leading.append_to(reply.sender, self._early.append, empty=True)
            return
        if progress.agreed(reply.index):
            self._advance_commit(leading)
        leading.append_to(reply.sender, self._early.append)
        self._hand_over(leading)

    def _on_heartbeat_reply(self, reply: HeartbeatReply) -> None:
        leading = self._leading
        if leading is None:
            return
        progress = leading.peers.get(reply.sender)
        if progress is None:
            return
        progress.active = True
        progress.unanswered()
        progress.protocol = reply.protocol
        progress.read = max(progress.read, reply.read)
        if progress.match < self.log.last or progress.pace is Pace.PROBE:
            leading.append_to(reply.sender, self._early.append, empty=True)
        self._reads += leading.confirmed()

    def _advance_commit(self, leading: Leading) -> None:
        """Only an entry of this term is committed by counting; older ones are with it (§5.4.2)."""
        index = leading.commit_index()
        if index <= self.log.commit or self.log.term(index) != self.term:
            return
        self.log.commit_to(index)
        self._reads += leading.committed_own()
        leading.append_to_all(self._early.append, empty=True)
        if self.member not in self.config.voters and self.log.config_index <= index:
            self._become_follower(self.term, NOBODY)  # it was removed, and that is committed (thesis §4.2.2)

    def _hand_over(self, leading: Leading) -> None:
        to = leading.transferee
        if to and leading.peers[to].match == self.log.last:
            leading.forgo_lease()
            self._messages.append(TimeoutNow(self.member, to, self.term))
