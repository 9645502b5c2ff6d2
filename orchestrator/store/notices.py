"""Word of a commit waits a moment for the next append, which carries it: half of a busy group's messages, and answers.

Only an append without entries is held, and a member that waits for what it says is told at once. To hold or to drop one
is to have a network that is slow or loses it, which the core bears.
"""

from __future__ import annotations

from collections.abc import Callable

from actors.clock import Clock
from orchestrator.raft.messages import Append
from orchestrator.store.wire import Confirmed, Placed, Wire

HOLD_SECONDS = 0.002
"""About what a watcher at another member waits longer: a client that puts one after the other is back sooner."""


class Notices:
    """On the way from a member to the others; ``send`` is the rest of that way."""

    def __init__(self, send: Callable[[Wire], None], clock: Clock) -> None:
        self._send = send
        self._clock = clock
        self._held: dict[int, tuple[Append, float]] = {}
        # By member, and since when it is not told.
        self._awaited: dict[int, int] = {}
        # The last entry that a member was told to wait for, until it is told that it is committed.
        self._armed = False

    def send(self, message: Wire) -> None:
        match message:
            case Append(to=to, entries=[], commit=commit):
                if commit >= self._awaited.get(to, commit + 1):
                    self._tell(message)
                else:
                    self._hold(message)
                return
            case Append():
                self._tell(message)
                return
            case Placed(to=to, index=index) if index:
                self._awaited[to] = max(index, self._awaited.get(to, 0))
                self._release(to)
            case Confirmed(to=to):
                self._release(to)
            case _:
                pass
        self._send(message)

    def _tell(self, append: Append) -> None:
        """It says all that a held one would have said."""
        self._held.pop(append.to, None)
        if append.commit >= self._awaited.get(append.to, 0):
            self._awaited.pop(append.to, None)
        self._send(append)

    def _hold(self, append: Append) -> None:
        now = self._clock.monotonic()
        since = self._held[append.to][1] if append.to in self._held else now
        self._held[append.to] = append, since
        if not self._armed:
            self._armed = True
            self._clock.call_later(HOLD_SECONDS, self._ring)

    def _release(self, to: int) -> None:
        held = self._held.get(to)
        if held is not None:
            self._tell(held[0])

    def _ring(self) -> None:
        self._armed = False
        now = self._clock.monotonic()
        for to, (_, since) in list(self._held.items()):
            if since + HOLD_SECONDS / 2 <= now:  # a timer rings when it is nearly time, and the next is as far again
                self._release(to)
        if self._held:
            self._armed = True
            self._clock.call_later(HOLD_SECONDS, self._ring)
