"""A Kubernetes object as three MessagePack parts: what the log commits is what every watcher receives.

Most writes touch one part only (a status, a label), so a write carries the parts that change and shares the
others with the revision before it. ``resourceVersion`` exists only after commit: it is never inside ``metadata``
but travels beside it, and is added when the object is read.
"""

from __future__ import annotations

from typing import Any

import msgspec

Object = dict[str, Any]
"""A Kubernetes object in its JSON shape. Never mutated once published: change it through copy-on-write helpers."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode

EMPTY = b""
"""A part that is absent: an object without a status."""


class Encoded(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One object at one revision, encoded. ``revision`` is its resourceVersion (0: not committed yet)."""

    metadata: bytes
    status: bytes
    rest: bytes
    revision: int = 0

    def parts(self) -> tuple[bytes, bytes, bytes]:
        return self.metadata, self.status, self.rest

    def decode(self) -> Object:
        """The whole object as a new dict, ``metadata.resourceVersion`` filled when the revision is known."""
        return join(self.metadata, self.status, self.rest, self.revision)

    def decode_metadata(self) -> Object:
        metadata: Object = _decode(self.metadata)
        if self.revision:
            metadata["resourceVersion"] = str(self.revision)
        return metadata

    def decode_status(self) -> Object:
        status: Object = _decode(self.status) if self.status else {}
        return status

    def decode_rest(self) -> Object:
        rest: Object = _decode(self.rest)
        return rest


def encode(obj: Object, revision: int = 0) -> Encoded:
    """Split ``obj`` into its three parts. ``metadata.resourceVersion`` is left out of the bytes."""
    metadata = obj.get("metadata") or {}
    if "resourceVersion" in metadata:
        metadata = {key: value for key, value in metadata.items() if key != "resourceVersion"}
    status = obj.get("status")
    rest = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    return Encoded(_encode(metadata), EMPTY if status is None else _encode(status), _encode(rest), revision)


def encode_part(value: Object | None) -> bytes:
    """One part alone: a metadata, status or rest dict (None is the absent part)."""
    return EMPTY if value is None else _encode(value)


def decode_part(part: bytes) -> Object:
    """One part alone as a new dict ({} for the absent part)."""
    value: Object = _decode(part) if part else {}
    return value


def join(metadata: bytes, status: bytes, rest: bytes, revision: int) -> Object:
    """The object of the three parts, in the order clients expect: apiVersion, kind, metadata, spec, ..., status."""
    obj: Object = {}
    body: Object = _decode(rest)
    for key in ("apiVersion", "kind"):
        if key in body:
            obj[key] = body.pop(key)
    meta: Object = _decode(metadata)
    if revision:
        meta["resourceVersion"] = str(revision)
    obj["metadata"] = meta
    obj.update(body)
    if status:
        obj["status"] = _decode(status)
    return obj
