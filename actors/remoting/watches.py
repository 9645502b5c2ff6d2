"""Watches across a connection: those that actors here hold at the peer, and those that the peer holds here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from actors.errors import Down
from actors.remoting import wire
from actors.remoting.errors import DISCONNECTED, UNREADABLE, Violation
from actors.remoting.limits import MAX_WATCHES

if TYPE_CHECKING:
    from actors.cell import Watcher
    from actors.ref import Ref
    from actors.remoting.connection import Connection

REFUSED = "refused"
"""Reason of a ``Down`` for a watch that the other node does not keep."""


class End(msgspec.Struct, frozen=True, array_like=True):
    """What a ``DOWN`` frame says."""

    reason: str
    error: str = ""
    restarting: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(End).decode


class Watching:
    """Whom actors here watch at the peer. One watch for each path, however many watch it; numbers tell lives apart."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._last = 0
        self._numbers: dict[bytes, int] = {}
        self._watches: dict[int, tuple[bytes, Ref[Any], dict[Watcher, None]]] = {}

    def __len__(self) -> int:
        return len(self._watches)

    def add(self, path: bytes, ref: Ref[Any], watcher: Watcher) -> None:
        """``path`` is what the peer knows the actor by."""
        number = self._numbers.get(path)
        if number is None:
            self._last = number = self._last + 1
            self._numbers[path] = number
            self._watches[number] = (path, ref, {})
            self._connection.write(wire.watch(wire.WATCH, number, path))
        self._watches[number][2][watcher] = None

    def remove(self, path: bytes, watcher: Watcher) -> None:
        number = self._numbers.get(path)
        if number is None:
            return
        watchers = self._watches[number][2]
        watchers.pop(watcher, None)
        if not watchers:
            del self._numbers[path], self._watches[number]
            self._connection.write(wire.watch(wire.UNWATCH, number))

    def ended(self, number: int, body: bytes) -> None:
        """The peer tells of an end. One that nobody watches any more crossed the unwatch."""
        watch = self._watches.pop(number, None)
        if watch is None:
            return
        path, ref, watchers = watch
        del self._numbers[path]
        try:
            end = _decode(body)
        except UNREADABLE as error:
            raise Violation("frame", f"an end that cannot be read: {error}") from None
        for watcher in watchers:
            watcher.hear(Down(ref, end.reason, end.error, end.restarting))

    def lost(self, text: str) -> None:
        watches, self._watches = self._watches, {}
        self._numbers.clear()
        for _, ref, watchers in watches.values():
            for watcher in watchers:
                watcher.hear(Down(ref, DISCONNECTED, text))


class Watched:
    """One watch that the peer holds here."""

    __slots__ = ("_table", "number", "ref")

    def __init__(self, table: WatchedTable, number: int, ref: Ref[Any]) -> None:
        self._table = table
        self.number = number
        self.ref = ref

    def hear(self, down: Down) -> None:
        self._table.end(self.number, End(down.reason, down.message, down.restarting))


class WatchedTable:
    """What the peer watches here."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._watches: dict[int, Watched] = {}

    def __len__(self) -> int:
        return len(self._watches)

    def add(self, number: int, ref: Ref[Any]) -> None:
        if number in self._watches:
            raise Violation("frame", f"the watch {number} exists already")
        if len(self._watches) >= MAX_WATCHES:
            self.end(number, End(REFUSED, f"the node keeps at most {MAX_WATCHES} watches of one peer"))
            return
        watched = self._watches[number] = Watched(self, number, ref)
        ref.watch(watched)

    def remove(self, number: int) -> None:
        watched = self._watches.pop(number, None)
        if watched is not None:
            watched.ref.unwatch(watched)

    def end(self, number: int, end: End) -> None:
        self._watches.pop(number, None)
        self._connection.write(wire.watch(wire.DOWN, number, _encode(end)))

    def lost(self) -> None:
        for number in list(self._watches):
            self.remove(number)
