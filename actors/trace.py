"""Why a message was sent: the cause that travels in a frame's header."""

from __future__ import annotations

import msgspec


class Trace(msgspec.Struct, frozen=True, array_like=True):
    """A cause. ``id`` names the request or timer that began it all; ``actor``, ``key``, ``revision`` its latest step.

    The library copies it from the frame being handled into the frames sent meanwhile, and reads nothing but
    ``traceparent``: where spans are recorded (``System(spans=...)``) each handler puts its own span there.
    """

    id: str | int
    actor: str = ""
    key: str = ""
    revision: int = 0
    traceparent: str = ""
    """W3C Trace Context, ``version-trace-span-flags`` in hexadecimal; empty outside of any such trace."""
