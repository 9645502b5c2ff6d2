"""What connecting nodes can raise, and what the protocol machine says of a peer that breaks its rules."""

from __future__ import annotations

import msgspec

from actors.errors import ActorError

UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, RecursionError)
"""What reading bytes of a peer can raise: no UTF-8 is a ValueError, another shape a TypeError."""
DISCONNECTED = "disconnected"
"""Reason of a ``Down`` and of a dead letter: there is no connection to the actor's node, or it was lost."""


class PeerRefused(ActorError):
    """A handshake failed: this side or the other one does not want the connection.

    ``code``: version, secret, certificate, method, name, malformed, late, busy.
    """

    def __init__(self, address: str, code: str, text: str) -> None:
        super().__init__(address, code, text)
        self.address = address
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"no connection to {self.address}: {self.text} ({self.code})"


class Unreachable(ActorError):
    """No connection to the address within the time that was given."""

    def __init__(self, address: str, seconds: float, error: str) -> None:
        super().__init__(address, seconds, error)
        self.address = address
        self.seconds = seconds
        self.error = error

    def __str__(self) -> str:
        return f"no connection to {self.address} within {self.seconds:g} s: {self.error}"


class FrameTooLarge(ActorError):
    """A message is larger than what travels between nodes: raised in the sender."""

    def __init__(self, message: str, size: int, limit: int) -> None:
        super().__init__(message, size, limit)
        self.message = message
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.message} takes {self.size} bytes, expected at most {self.limit}"


class Violation(Exception):
    """The connection is over. ``code`` as in ``PeerRefused``, or frame, credit, silence, slow, lost."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"{self.text} ({self.code})"
