"""The call of a frame, its second part: which reply is expected until when, and what began it all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from actors.trace import Trace

Call = tuple[int, float, Trace | None]
"""Correlation (0: no reply is expected), deadline on the monotonic clock (0 without a reply), trace."""

PLAIN: Final = msgspec.msgpack.encode(None)
"""The call of a frame that expects no reply and has no trace."""

encode_call: Callable[[Call], bytes] = msgspec.msgpack.Encoder().encode
decode_call: Callable[[bytes], Call] = msgspec.msgpack.Decoder(tuple[int, float, Trace | None]).decode


def read_call(call: bytes) -> Call:
    """What ``call`` says, PLAIN too."""
    return (0, 0.0, None) if call == PLAIN else decode_call(call)
