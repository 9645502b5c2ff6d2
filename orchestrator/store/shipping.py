"""A snapshot on its way from the leader to a member that is too far behind: in pieces, some ahead of their answers.

Pure: what comes in are pieces, answers and ticks, what comes out are messages.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.raft.entry import Mark
from orchestrator.raft.messages import Chunk, ChunkReply, Install
from orchestrator.store.machine import Machine
from orchestrator.store.snapshot import Loading, Unreadable

WINDOW_CHUNKS = 4
"""Pieces under way without an answer: two MiB, the memory that a slow member costs its leader."""
RESEND_TICKS = 3
"""Without an answer the oldest piece is sent again."""
GIVE_UP_TICKS = 100
"""Without any answer: the member is gone, the snapshot was taken for nothing."""


class Outgoing:
    """The leader's end. The chunks are made as they are needed, from values that never change."""

    def __init__(self, install: Install, chunks: Iterator[bytes]) -> None:
        self.install = install
        self._chunks = chunks
        self._next: bytes | None = next(chunks)
        self._made = 0
        self._window: list[Chunk] = []
        self._idle = 0

    @property
    def done(self) -> bool:
        return self._next is None and not self._window

    @property
    def failed(self) -> bool:
        return self._idle >= GIVE_UP_TICKS

    def send(self) -> list[Chunk]:
        """The pieces that may go now."""
        fresh: list[Chunk] = []
        while self._next is not None and len(self._window) < WINDOW_CHUNKS:
            data, self._next = self._next, next(self._chunks, None)
            chunk = Chunk(self.install.sender, self.install.to, self.install, self._made, data, last=self._next is None)
            self._made += 1
            self._window.append(chunk)
            fresh.append(chunk)
        return fresh

    def answered(self, reply: ChunkReply) -> None:
        if reply.mark == self.install.mark and self._window and reply.expected > self._window[0].number:
            self._window = [chunk for chunk in self._window if chunk.number >= reply.expected]
            self._idle = 0

    def tick(self) -> list[Chunk]:
        self._idle += 1
        return self._window[:1] if self._idle % RESEND_TICKS == 0 else []


class Incoming:
    """The other end: pieces in their order become a machine and the chunks for the disk."""

    def __init__(self, install: Install) -> None:
        self.install = install
        self.chunks: list[bytes] = []
        self._loading = Loading()

    def take(self, chunk: Chunk) -> Machine | None:
        """The machine once it is whole. A piece out of turn is passed over. Raises ``Unreadable``."""
        if chunk.number != len(self.chunks):
            return None
        self._loading.add(chunk.data)
        self.chunks.append(chunk.data)
        return self._loading.finish() if chunk.last else None

    def reply(self) -> ChunkReply:
        return ChunkReply(self.install.to, self.install.sender, self.install.mark, len(self.chunks))


class Received:
    """A whole snapshot that waits for the core's word."""

    def __init__(self, mark: Mark, machine: Machine, chunks: list[bytes]) -> None:
        self.mark = mark
        self.machine = machine
        self.chunks = chunks


__all__ = ["Incoming", "Outgoing", "Received", "Unreadable"]
