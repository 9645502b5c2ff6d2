"""How protobuf writes: varints and length-delimited fields."""

from __future__ import annotations

from typing import Final

DELIMITED: Final = 2


def text(number: int, value: str) -> bytes:
    """A field of text."""
    return delimited(number, value.encode())


def delimited(number: int, content: bytes) -> bytes:
    """A field of bytes, text or a message."""
    return varint(number << 3 | DELIMITED) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """``value`` is not negative."""
    if value < 0x80:
        return bytes((value,))
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
