"""The bounds of remoting, in one place: what is part of the protocol, and what a system may choose."""

from __future__ import annotations

from typing import Final

import msgspec

HANDSHAKE_FRAME_BYTES: Final = 4096
"""Largest frame before the peer is known: a hello takes about 150 bytes."""
MAX_HANDSHAKES: Final = 64
"""Strangers of one listener that may be in their handshake at once; more are closed at once."""
MAX_PEERS: Final = 1024
"""Nodes that may be connected to one system."""
MAX_NAME_CHARACTERS: Final = 128
"""Of a node's name."""
MAX_KNOWN_PATHS: Final = 65_536
"""Receivers remembered per connection; past it the table starts anew."""
MAX_WATCHES: Final = 65_536
"""Watches that one peer may hold here, and that one system may hold at one peer."""
MAX_OPEN_ASKS: Final = 16_384
"""Asks of one peer that may be without an answer here; the next is answered "full" at once."""
WRITE_BYTES: Final = 256 * 1024
"""What is ready is written once per turn of the loop, and when it reaches this: the peer can begin meanwhile."""
SOCKET_BYTES: Final = 1024 * 1024
"""Unsent bytes in a transport above which mail waits in the outbox."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one system allows its connections. Defaults suit a data centre."""

    handshake_seconds: float = 5.0
    """From the connection to the end of the handshake."""
    heartbeat_seconds: float = 2.0
    """A connection on which nothing was sent for so long sends a heartbeat."""
    silence_seconds: float = 8.0
    """A connection on which nothing came for so long is lost."""
    frame_bytes: int = 32 * 1024 * 1024
    """Largest frame taken and sent: a list of 10,000 pods."""
    window_bytes: int = 4 * 1024 * 1024
    """Mail that a peer may have under way to mailboxes here: its credit at the start."""
    outbox_frames: int = 8192
    """Messages to one node that wait for its credit, as many as eight mailboxes hold; then ``tell`` waits its turn.

    Who tells without waiting, as the store tells a watcher, has to come again later. A commit of 512 writes is one
    message to each of hundreds of actors there.
    """
    outbox_bytes: int = 64 * 1024 * 1024
    """The same in bytes, sixteen windows; one message more may be in."""
    unread_bytes: int = 64 * 1024 * 1024
    """A peer that leaves so much unread (replies do not wait for credit) is disconnected."""
