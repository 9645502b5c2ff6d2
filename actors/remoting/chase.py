"""Finding circles of asks that lead over several nodes: who closes one is told at once.

Within a node the handlers that wait are a chain that can be looked at. Where the chain leaves the node a *chase* is
sent after it: whose ask it is for, and who waits so far. It goes on from actor to actor as long as each waits for
another, and ends where one does not. When it comes to the asker, and that still waits for this very ask, the ask fails.

Only the ask that comes last can close a circle, so a chase begins where an ask meets an actor that waits, and nowhere
else: asks of idle actors cost nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from actors.asks import CYCLE
from actors.call import read_call
from actors.cell import Cell
from actors.remoting import wire
from actors.remoting.errors import UNREADABLE, Violation
from actors.remoting.remote_ask import RemoteAsk

if TYPE_CHECKING:
    from actors.codec import Frame
    from actors.ref import Ref
    from actors.remoting.peer import Peer
    from actors.system import System

MAX_HOPS = 64
"""Connections that a chase may take; a longer circle is found by its deadline only."""
VERSION = 2
"""The first version of the protocol that has chases."""


class Chase(msgspec.Struct, frozen=True, array_like=True):
    """What travels. Later versions may add fields at the end."""

    target: str
    """The address of who is asked."""
    node: str
    correlation: int
    """With ``node``: the ask that may close a circle."""
    asker: str
    """Its asker's path on ``node``."""
    passed: list[str]
    """Addresses of those who wait, from the first that was asked on."""
    held: int
    """By its correlation: the ask for which the last of them waits."""
    hops: int = 0


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Chase).decode


def begin(system: System, node: str, correlation: int, asker: str | None, target: Cell) -> bool:
    """The ask of ``asker`` (None: no actor's) met ``target``: look whom that waits for. Whether it is a circle here."""
    if asker is None or target.asking is None:
        return False
    return _walk(system, Chase("", node, correlation, asker, [], 0), target)


def forwarded(system: System, frame: Frame, by: Cell, to: Ref[Any]) -> None:
    """``by`` passed an ask on: its asker waits for ``to`` from now on."""
    correlation = read_call(frame[1])[0]
    slot: Any = system.asks.waiting.get(correlation)
    sender = system.codec.sender(frame[0])
    if slot is None or sender is None:
        return
    target = system.cell_of(to)
    if isinstance(slot, RemoteAsk):
        slot.peer.moved[slot.correlation] = to, correlation
        if target is not None:
            begin(system, slot.peer.node, slot.correlation, sender, target)
        return
    asker = system.cells.get(sender)
    if asker is not None and asker.asking is by and asker.asked == correlation:
        asker.asking = target or to
        if target is not None and begin(system, system.name, correlation, sender, target):
            asker.asking = None


def take(system: System, peer: Peer, data: bytes) -> None:
    """A chase came from ``peer``. Raises ``Violation``."""
    try:
        chase = _decode(data)
    except UNREADABLE as error:
        raise Violation("frame", f"expected a chase: {error}") from None
    if chase.node == system.name:
        slot: Any = system.asks.waiting.get(chase.correlation)
        if slot is None:
            return
        if isinstance(slot, RemoteAsk):
            chase = _as_it_came(chase, slot)
    node, _, path = chase.target.partition("/")
    if node != system.name:
        _send(system, chase, peer)
        return
    ref = system.ref(path)
    if chase.passed and chase.passed[-1].partition("/")[0] == peer.node and chase.held in peer.moved:
        ref, held = peer.moved[chase.held]
        chase = msgspec.structs.replace(chase, target=ref.address.decode(), held=held)
    cell = system.cell_of(ref)
    if cell is not None:
        _walk(system, chase, cell)
    elif ref.node != system.name:
        _send(system, chase, None)


def _as_it_came(chase: Chase, slot: RemoteAsk) -> Chase:
    """The ask came by here from another node: by the name that it has there."""
    asker = f"{slot.peer.node}/{chase.asker}"
    target = asker if asker in chase.passed else chase.target  # only its own node knows whether it still waits
    return msgspec.structs.replace(chase, node=slot.peer.node, correlation=slot.correlation, target=target)


def _walk(system: System, chase: Chase, cell: Cell) -> bool:
    """Follow who waits here, from ``cell`` on. Whether that ends at the asker."""
    passed = list(chase.passed)
    here: Any = cell
    last = cell
    while isinstance(here, Cell):
        if here.asking is None:
            return False
        passed.append(f"{system.name}/{here.path}")
        if chase.node == system.name and here.path == chase.asker and here.asked == chase.correlation:
            system.asks.answer(chase.correlation, CYCLE, system.codec.encode_value([passed[-1], *passed]))
            return True
        last, here = here, here.asking
    target = here.address.decode()
    _send(system, msgspec.structs.replace(chase, target=target, passed=passed, held=last.asked), None)
    return False


def _send(system: System, chase: Chase, source: Peer | None) -> None:
    """Send it to the node of its target. What came from ``source`` is passed on between worker processes only."""
    remoting = system.remoting
    peer = remoting.peers.get(chase.target.partition("/")[0])
    if source is not None and not (source.related and peer is not None and peer.related):
        return
    peer = peer or remoting.gateway
    if peer is not None and peer.alive and peer.version >= VERSION and chase.hops < MAX_HOPS:
        peer.connection.write(wire.frame(wire.CHASE, _encode(msgspec.structs.replace(chase, hops=chase.hops + 1))))
