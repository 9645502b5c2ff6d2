"""Why a message was sent: the cause that travels in a frame's header."""

from __future__ import annotations

import msgspec


class Trace(msgspec.Struct, frozen=True, array_like=True):
    """A cause. ``id`` names the request or timer that began it all, the rest its latest step.

    Opaque to the library, which only copies it from the frame being handled into the frames sent meanwhile.
    """

    id: str | int
    actor: str = ""
    key: str = ""
    revision: int = 0
