"""What a node can say of its connections, as frozen records."""

from __future__ import annotations

import msgspec


class PeerStatistics(msgspec.Struct, frozen=True):
    node: str
    credit: int
    """Bytes of mail that may be sent now; 0 or less: mail waits."""
    owed: int
    """Bytes of mail that came and whose credit is not given back."""
    waiting: int
    """Messages in the outbox."""
    waiting_bytes: int
    asked: int
    """Asks of actors here that the peer has not answered."""
    open_asks: int
    """Asks of the peer that are not answered here."""
    watching: int
    """Actors of the peer that are watched from here."""
    watched: int
    """Watches that the peer holds here."""


class RemotingStatistics(msgspec.Struct, frozen=True):
    connections: int
    """Those in their handshake and those that end are counted."""
    handshakes: int
    """Strangers that have not proved themselves yet."""
    peers: tuple[PeerStatistics, ...]
    refusals: dict[str, int]
    """Connections that did not come to be, or were broken off, by code, since the start."""
