"""Versions of the store that members run: the one before, this one, and one that is to come.

They are this version's code. What makes them another version is what stands on their disk and what they say: the older
writes the log's format before this one and does not know what messages have gained since; the newer says more in each
message than this version knows, and words that it has never heard.
"""

from __future__ import annotations

import random
from typing import NamedTuple

import msgspec

from orchestrator.raft.messages import PROTOCOL
from orchestrator.store.schema import FORMAT
from orchestrator.store.wire import Forward, Wire, decode_wire, encode_wire


class Software(NamedTuple):
    format: int
    protocol: int


OLDER = Software(FORMAT - 1, PROTOCOL - 1)
CURRENT = Software(FORMAT, PROTOCOL)
NEWER = Software(FORMAT, PROTOCOL + 1)
NEXT = {OLDER: CURRENT, CURRENT: NEWER}

FIELDS_BEFORE = {5: 6, 6: 5, 32: 5}
"""By tag, how many fields a message had (its tag among them) before this version's protocol added some."""
MARKS = {1: 4, 3: 4}
"""By tag, the field that is a struct of its own, which may grow as well."""
UNKNOWN_KIND = 99

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list).decode


def spoken(message: Wire, by: Software) -> bytes:
    """What a member that runs ``by`` sends."""
    frame = encode_wire(message)
    if by is CURRENT:
        return frame
    fields = _decode(frame)
    if by is OLDER:
        return _encode(fields[: FIELDS_BEFORE.get(fields[0])])
    if fields[0] in MARKS:
        fields[MARKS[fields[0]]].append("of a later version")
    return _encode([*fields, "of a later version"])


def heard(frame: bytes, by: Software) -> Wire:
    """What a member that runs ``by`` understands. Raises ``msgspec.MsgspecError`` for words that it does not know."""
    if by is OLDER:
        fields = _decode(frame)
        frame = _encode(fields[: FIELDS_BEFORE.get(fields[0])])
    said: Wire = decode_wire(frame)
    return said


def unknown_word(sender: int, to: int, draw: random.Random) -> bytes:
    """What only a newer member says: a message, or a command that it wants to be proposed."""
    if draw.random() < 0.5:
        return _encode([UNKNOWN_KIND, sender, to, 1, {}])
    return encode_wire(Forward(sender, to, 1 << 40, _encode([UNKNOWN_KIND, 0, "of a later version"])))
