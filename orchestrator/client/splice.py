"""Bytes of a MessagePack map put together from maps that are encoded already, without decoding them."""

from __future__ import annotations

import struct

import msgspec

_encode = msgspec.msgpack.Encoder().encode
_METADATA = _encode("metadata")
_STATUS = _encode("status")
_RESOURCE_VERSION = _encode("resourceVersion")


def map_size(part: bytes) -> tuple[int, int]:
    """How many entries a map has and where its first key begins."""
    first = part[0]
    if first & 0xF0 == 0x80:
        return first & 0x0F, 1
    if first == 0xDE:
        return struct.unpack_from(">H", part, 1)[0], 3
    if first == 0xDF:
        return struct.unpack_from(">I", part, 1)[0], 5
    raise ValueError(f"expected a MessagePack map, found the byte {first:#04x}")


def map_header(size: int) -> bytes:
    if size < 16:
        return bytes((0x80 | size,))
    return struct.pack(">BH", 0xDE, size) if size < 65536 else struct.pack(">BI", 0xDF, size)


def extend(part: bytes, *entries: bytes) -> bytes:
    """The map ``part`` with the already encoded key and value of each further entry."""
    size, start = map_size(part)
    return b"".join((map_header(size + len(entries)), part[start:], *entries))


def whole(rest: bytes, metadata: bytes, status: bytes = b"") -> bytes:
    """One map from an object's three parts: the body of a create or an update."""
    if status:
        return extend(rest, _METADATA + metadata, _STATUS + status)
    return extend(rest, _METADATA + metadata)


def with_revision(metadata: bytes, revision: int) -> bytes:
    """Encoded metadata with ``resourceVersion`` added: the update holds only at this revision."""
    return extend(metadata, _RESOURCE_VERSION + _encode(str(revision))) if revision else metadata


def cut(part: bytes, key: bytes, value: bytes) -> tuple[bytes, bytes]:
    """What is before and after the encoded ``key`` and its encoded ``value`` in a map. Raises ValueError.

    ``value`` is a map or a list: no text has its first byte behind a whole key, so what is found is the entry itself.
    """
    at = part.index(key)
    while not part.startswith(value, at + len(key)):
        at = part.index(key, at + 1)
    return part[:at], part[at + len(key) + len(value) :]
