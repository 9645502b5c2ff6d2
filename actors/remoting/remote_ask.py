"""Asks that came from another node: what stands here in the place of who asked and of who waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.asks import Answer, Call
    from actors.remoting.peer import Peer


class RemoteAsk:
    """In the place of an asker's future: the answer goes back over the connection."""

    __slots__ = ("_answered", "call", "correlation", "peer", "room")

    def __init__(self, peer: Peer, correlation: int) -> None:
        self.peer = peer
        self.correlation = correlation
        self._answered = False
        self.call: Call | None = None
        self.room: Room | None = None
        """While it waits in line for a mailbox."""

    def done(self) -> bool:
        return self._answered or not self.peer.alive

    def set_result(self, answer: Answer) -> None:
        self._answered = True
        if self.room is not None:  # whoever has its answer, or is past its deadline, leaves the line
            self.room.set_result(False)
        self.peer.answered(self.correlation, self.call, *answer)


class Room:
    """In the place of a sender that waits for room in a mailbox here: its turn gives the credit back."""

    __slots__ = ("_peer", "_size")

    def __init__(self, peer: Peer, size: int) -> None:
        self._peer = peer
        self._size = size

    def done(self) -> bool:
        return self._size == 0

    def cancelled(self) -> bool:
        return False

    def set_result(self, taken: bool) -> None:
        size, self._size = self._size, 0
        if size:
            self._peer.consumed_late(size)
