"""One member's copy of the state machine behind its log: commands go in, applied commands come out, durable first.

What is to be written, sent and applied the consensus core says; this module does it, in the core's order. A group
commit is one ``perform``: all that was proposed since the last one becomes one append, one fsync.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import msgspec

from orchestrator.raft.config import Config, decode_config
from orchestrator.raft.core import Raft
from orchestrator.raft.entry import Entry, HardState, Mark
from orchestrator.raft.messages import Chunk, ChunkReply, Install, Message
from orchestrator.raft.messages import Wire as RaftWire
from orchestrator.raft.ready import Ready
from orchestrator.raft.settings import Settings
from orchestrator.store.commands import Command, decode_command, encode_command
from orchestrator.store.errors import UnknownCommand
from orchestrator.store.log import Log, Recovered
from orchestrator.store.machine import Applied, Machine
from orchestrator.store.shipping import Incoming, Outgoing, Received, Unreadable
from orchestrator.store.snapshot import Loading, dump

SNAPSHOT_ENTRIES = 100_000
"""Entries in the log after which a snapshot is due: replaying them takes a second at most."""
SNAPSHOT_BYTES = 64 << 20
"""Bytes in the log after which a snapshot is due, or the last snapshot's if that is more: a byte is written twice."""
KEPT_ENTRIES = 8_192
"""Applied entries that stay in memory for members that lag; who lags more gets a snapshot."""
KEPT_BYTES = 32 << 20
"""Payloads of those entries."""
EVERYTHING = 1 << 62
"""An index that no log reaches."""


def _no_jitter(ticks: int) -> int:
    """A single member competes with nobody."""
    return 0


ALONE = Settings(member=1, voters=(1,), jitter=_no_jitter)
"""A group of one: it leads itself, and what is on its disk is committed."""

Send = Callable[[RaftWire], None]
Done = list[tuple[Entry, Applied | None]]
"""The entries that were applied, in order; None for what is the group's own: a term's first, a membership."""
Seen = Callable[[Ready, Done], None]


def _to_nobody(message: RaftWire) -> None:
    """A single member has nobody to talk to."""


class Replica:
    """See the module. ``perform`` is called by one task; the other inputs may come while it waits for the disk."""

    def __init__(
        self,
        log: Log,
        settings: Settings = ALONE,
        send: Send = _to_nobody,
        *,
        kept_entries: int = KEPT_ENTRIES,
    ) -> None:
        self.log = log
        self.settings = settings
        self.machine = Machine()
        self.applied = 0
        """The index of the last entry that the machine has taken in."""
        self.cut = ""
        """What the log lost off its end when it was opened; nothing in it was acknowledged."""
        self._send = send
        self.raft: Raft
        # Made by ``open``.
        self._proposed: dict[int, tuple[int, Command]] = {}
        # What this member proposed itself, by index, with its term: it need not be decoded again.
        self._snapshot_bytes = 0
        self._kept_entries = kept_entries
        self._kept: deque[int] = deque()
        self._kept_bytes = 0
        # The sizes of the applied entries that the core still holds.
        self._outgoing: dict[int, Outgoing] = {}
        self._incoming: Incoming | None = None
        self._received: Received | None = None

    @property
    def alone(self) -> bool:
        """Whether what this member has on its disk is committed by that."""
        return self.raft.config.voters == (self.settings.member,)

    @property
    def restoring(self) -> bool:
        """Whether the next ``perform`` replaces the state by a snapshot: none of its own may be under way then."""
        return self._received is not None

    async def open(self) -> None:
        """Read what the log has and bring the machine up to it. Raises the ``LogError`` of the log."""
        recovered = await self.log.open()
        self.cut = recovered.cut
        if recovered.snapshot.index:
            await self._load()
        entries = recovered.entries
        if _stale(recovered):
            entries = []
            await self._forget_log(recovered.state)
        config = self.machine.config if self.machine.config.voters else Config(self.settings.voters)
        self.machine.config = config
        self.applied = recovered.snapshot.index
        self.raft = Raft(self.settings, recovered.state, recovered.snapshot, entries, config)
        if self.alone:
            self.raft.campaign()

    # Inputs

    def tick(self) -> None:
        self.raft.tick()
        for peer, outgoing in list(self._outgoing.items()):
            if outgoing.failed:
                del self._outgoing[peer]
                self.raft.snapshot_failed(peer)
            else:
                self._send_all(outgoing.tick())

    def step(self, message: RaftWire) -> None:
        match message:
            case Chunk():
                self._on_chunk(message)
            case ChunkReply():
                self._on_chunk_reply(message)
            case _:
                self.raft.step(message)

    def propose(self, commands: list[Command]) -> int:
        """The index of the first. Raises ``NotLeader``."""
        raft = self.raft
        first = raft.propose([encode_command(command) for command in commands])
        for index, command in enumerate(commands, first):
            self._proposed[index] = (raft.term, command)
        return first

    # Outputs

    async def perform(self, seen: Seen, restored: Callable[[], None]) -> bool:
        """Do what the core wants now; False for nothing. Raises ``LogFailed``: what was not seen is unknown then.

        What is committed is on a majority's disks already: it is applied, and ``seen``, before the disk is waited for
        again. ``restored``: a snapshot took the place of the state.
        """
        ready = self.raft.ready()
        if ready is None:
            return False
        self._send_messages(ready.early)
        if ready.restore is not None:
            await self._restore(ready, ready.restore)
            restored()
        seen(ready, [(entry, self._apply(entry)) for entry in ready.committed])
        if ready.must_write and (ready.entries or ready.restore is None):
            await self.log.append(ready.state, ready.entries)
        self._send_messages(ready.messages)
        self.raft.advance(ready)
        if ready.committed:
            self._forget_kept()
        return True

    @property
    def snapshot_due(self) -> bool:
        log = self.log.statistics()
        return log.rewrite or log.entries >= SNAPSHOT_ENTRIES or log.bytes >= max(SNAPSHOT_BYTES, self._snapshot_bytes)

    async def snapshot(self) -> None:
        """Write the state as it is now, then forget the entries that led to it. Commits go on meanwhile."""
        mark = self._mark()
        chunks = dump(self.machine)
        size = 0

        def measured() -> Iterator[bytes]:
            nonlocal size
            for chunk in chunks:
                size += len(chunk)
                yield chunk

        await self.log.save_snapshot(mark, measured())
        await self.log.truncate(mark.index)
        self._snapshot_bytes = size

    async def close(self) -> None:
        await self.log.close()

    def _mark(self) -> Mark:
        """Where the machine stands. In a ``perform`` the core counts as applied what was before it."""
        log = self.raft.log
        term = log.term(self.applied)
        assert term is not None, "what is applied last is never forgotten"
        return Mark(self.applied, term)

    # Doing

    def _apply(self, entry: Entry) -> Applied | None:
        self.applied = entry.index
        self._kept.append(len(entry.payload))
        self._kept_bytes += len(entry.payload)
        term, command = self._proposed.pop(entry.index, (0, None))
        if not entry.payload:
            return None
        config = decode_config(entry.payload)
        if config is not None:
            self.machine.config = config
            return None
        # Another leader may have put another entry in the place of what was proposed here.
        if command is None or term != entry.term:
            try:
                command = decode_command(entry.payload)
            except msgspec.MsgspecError as error:
                raise UnknownCommand(entry.index, str(error)) from error
        return self.machine.apply(command)

    def _forget_kept(self) -> None:
        log = self.raft.log
        if self.raft.config.members == (self.settings.member,):
            self._kept.clear()
            self._kept_bytes = 0
            log.forget(log.applied)  # there is nobody to send older entries to
            return
        while len(self._kept) > self._kept_entries or self._kept_bytes > KEPT_BYTES:
            self._kept_bytes -= self._kept.popleft()
        log.forget(log.applied - len(self._kept))

    # The disk

    async def _load(self) -> None:
        loading = Loading()
        async for chunk in self.log.read_snapshot():
            self._snapshot_bytes += len(chunk)
            loading.add(chunk)
        self.machine = loading.finish()

    async def _restore(self, ready: Ready, mark: Mark) -> None:
        """The snapshot, then the entries go: between the two ``open`` knows by their terms that they are stale."""
        received, self._received = self._received, None
        assert received is not None, f"the snapshot at {mark.index} was received"
        assert received.mark == mark, f"the snapshot at {mark.index} is the one at {received.mark.index}"
        await self.log.save_snapshot(mark, iter(received.chunks))
        # What is committed beyond the snapshot is written with its entries: the power may go before.
        await self._forget_log(HardState(ready.state.term, ready.state.vote, mark.index))
        self._snapshot_bytes = sum(map(len, received.chunks))
        self.machine = received.machine
        self.applied = mark.index
        self._proposed.clear()
        self._kept.clear()
        self._kept_bytes = 0

    async def _forget_log(self, state: HardState) -> None:
        """All entries; the state stays, in a batch of its own."""
        await self.log.append(state, [])
        await self.log.truncate(EVERYTHING)

    # The wire

    def _send_messages(self, messages: list[Message]) -> None:
        for message in messages:
            if isinstance(message, Install):
                self._ship(message)
            else:
                self._send(message)

    def _send_all(self, chunks: list[Chunk]) -> None:
        for chunk in chunks:
            self._send(chunk)

    def _ship(self, wanted: Install) -> None:
        """Send the state as it is now, which is no older than what the core asked for."""
        under_way = self._outgoing.get(wanted.to)
        if under_way is not None and under_way.install.term == wanted.term:
            return
        install = Install(wanted.sender, wanted.to, wanted.term, self._mark(), self.machine.config)
        outgoing = self._outgoing[wanted.to] = Outgoing(install, dump(self.machine))
        self._send_all(outgoing.send())

    def _on_chunk_reply(self, reply: ChunkReply) -> None:
        outgoing = self._outgoing.get(reply.sender)
        if outgoing is None:
            return
        outgoing.answered(reply)
        if outgoing.done:
            del self._outgoing[reply.sender]
            self.raft.snapshot_sent(reply.sender, outgoing.install.mark.index)
        else:
            self._send_all(outgoing.send())

    def _on_chunk(self, chunk: Chunk) -> None:
        install = chunk.install
        if install.term < self.raft.term or chunk.to != self.settings.member:
            return
        if install.mark.index <= max(self.raft.log.commit, self._received.mark.index if self._received else 0):
            self._send(ChunkReply(chunk.to, chunk.sender, install.mark, chunk.number + 1))
            return
        incoming = self._incoming
        if incoming is None or incoming.install != install:
            if chunk.number:
                return
            incoming = self._incoming = Incoming(install)
        try:
            machine = incoming.take(chunk)
        except Unreadable:
            self._incoming = None
            return
        self._send(incoming.reply())
        if machine is not None:
            self._incoming = None
            self.raft.step(install)
            if self.raft.log.mark == install.mark and self.raft.log.last == install.mark.index:
                self._received = Received(install.mark, machine, incoming.chunks)  # else the core had the entries


def _stale(recovered: Recovered) -> bool:
    """Whether the entries contradict the snapshot, which a leader sent: the power went before they were removed."""
    mark = recovered.snapshot
    return any(entry.index == mark.index and entry.term != mark.term for entry in recovered.entries)
